"""Make a method of a network of the user's own: a class path, or an experiment file."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from lsemvae.core.errors import InputError
from lsemvae.core.instead import found_instead
from lsemvae.core.types import EcgInput
from lsemvae.core.yaml_text import read_yaml
from lsemvae.models.adapter_method import kept_adapter_method
from lsemvae.models.base import EcgNetwork, PretrainableNetwork
from lsemvae.models.method import Method
from lsemvae.runtime.own_classes import class_path

CLASSIFIER, PRETRAINER = "lsemvae.tasks.Classifier", "lsemvae.tasks.Pretrainer"


def is_file(name: str) -> bool:
    """Tell whether a method is named by an experiment file."""
    return name.endswith((".yaml", ".yml"))


def own_method(path: str, title: str | None = None) -> Method:
    """Return the method that trains a class end to end, with the class's own defaults.

    Args:
        path: class path, such as `my_net.TinyNet`.
        title: as tables show it; the class's name by default.

    Raises:
        InputError: the class may not be imported, or is no network.
    """
    return _checked(title or path.rpartition(".")[2], "", _model(CLASSIFIER, path, {}))


def kept_method(name: str, described: Mapping[str, Any]) -> Method:
    """Return the method that a finished run keeps, from `Method.described`.

    Raises:
        InputError: as `own_method`.
    """
    if "adapter" in described:
        return kept_adapter_method(described)
    task = PRETRAINER if described["pretrained"] else CLASSIFIER
    model = _model(task, described["class_path"], described["init_args"])
    return _checked(name.rpartition(".")[2], "", model)


def file_method(name: str) -> Method:
    """Return the method of an experiment file: what `lsemvae fit` takes.

    A Pretrainer is pre-trained and frozen, a Classifier is trained end to end. Everything but the
    network comes from the command that runs the method.

    Raises:
        InputError: no file, no YAML, or no network in it.
    """
    file = Path(name).resolve()
    if not file.is_file():
        instead = found_instead(name, ".yaml")
        raise InputError(f"there is no experiment file {name}{instead}; look at --method")
    model = _stated_model(file, file.stat().st_mtime_ns)
    network = _part(_part(model, "init_args"), "network")
    path, task = network.get("class_path"), _task(model.get("class_path"))
    if not isinstance(path, str) or task is None:
        raise InputError(
            f"{name} states no network: expected model.class_path {CLASSIFIER} or {PRETRAINER} and "
            "model.init_args.network.class_path, see docs/own_network.md"
        )
    return _checked(file.stem, str(file), _model(task, path, _part(network, "init_args")))


@lru_cache(maxsize=32)
def _stated_model(file: Path, _changed_ns: int) -> Mapping[str, Any]:
    """Read what a file says of the model; a benchmark asks many times for the same one."""
    return _part(read_yaml(file).content, "model")


def check_contract(network: EcgNetwork, ecg_input: EcgInput, leads: Sequence[str]) -> None:
    """Pass two random recordings through a network, before any training is paid for.

    Args:
        network: of the user's own.
        ecg_input: of the recordings.
        leads: in use.

    Raises:
        InputError: `encode` fails, or returns something else than (B, F) finite numbers.
    """
    name = class_path(type(network))
    random = torch.Generator().manual_seed(0)
    ecg = torch.randn(2, len(leads), ecg_input.n_samples, generator=random)
    present = torch.ones(2, len(leads), dtype=torch.bool)
    was_training = network.training
    try:
        with torch.no_grad():
            features = network.eval().encode(ecg, leads, present)
            expected = (2, network.feature_dim(leads))
    except InputError:
        raise
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(
            f"{name} cannot encode recordings (2, {len(leads)}, {ecg_input.n_samples}): {reason}"
        ) from error
    finally:
        network.train(was_training)
    if tuple(features.shape) != expected or not bool(features.isfinite().all()):
        raise InputError(
            f"{name}.encode must return finite features {expected} (feature_dim says "
            f"{expected[1]}), got {tuple(features.shape)}"
            f"{'' if bool(features.isfinite().all()) else ' with values that are not finite'}"
        )


def _checked(title: str, experiment: str, model: Mapping[str, Any]) -> Method:
    method = Method(title, experiment, multimodal=None, model=model)
    if method.pretrained and not issubclass(method.network, PretrainableNetwork):
        raise InputError(
            f"{class_path(method.network)} has no loss of its own to be pre-trained with; derive "
            f"it from lsemvae.models.PretrainableNetwork, or train it end to end ({CLASSIFIER})"
        )
    return method


def _model(task: str, path: str, init_args: Mapping[str, Any]) -> dict[str, Any]:
    network = {"class_path": path, "init_args": dict(init_args)}
    return {"class_path": task, "init_args": {"network": network}}


def _task(path: Any) -> str | None:
    """Return the short path of one of the two tasks, None where it is neither."""
    module, _, name = str(path).rpartition(".")
    found = f"lsemvae.tasks.{name}"
    inside = f"{module}.".startswith("lsemvae.tasks.")
    return found if inside and found in (CLASSIFIER, PRETRAINER) else None


def _part(content: Any, name: str) -> Mapping[str, Any]:
    """Return a mapping within a mapping, empty where there is none."""
    found = content.get(name) if isinstance(content, Mapping) else None
    return found if isinstance(found, Mapping) else {}
