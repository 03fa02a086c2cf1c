"""Describe a pre-trained network in a Lightning checkpoint, and read it back."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch

from lsemvae.core.errors import InputError
from lsemvae.core.files import file_sha256
from lsemvae.core.instead import found_instead
from lsemvae.core.shipped_encoders import encoder_path, is_shipped, shipped_encoders
from lsemvae.core.types import EcgInput
from lsemvae.models.adapter import read_adapter
from lsemvae.models.base import EcgNetwork
from lsemvae.models.checkpoint_file import local_path, read_checkpoint
from lsemvae.models.methods import network_classes
from lsemvae.models.shipped_file import SUFFIX, read_shipped
from lsemvae.runtime.own_classes import class_path, import_class

NETWORK_KEY = "lsemvae_network"
INPUT_KEY = "ecg_input"
NETWORK_PREFIX = "network."
RECORDING_S = 10.0  # of `lsemvae prepare`


class DataState(NamedTuple):
    """What a checkpoint says of the recordings that its network was trained on.

    Attributes:
        ecg_input: rate, length, band, normalisation.
        label: name of the data.
        synthetic: whether any of them were synthetic.
        calibrated: whether all of them were in mV.
        sha256: digests of the stores, joined by "+".
    """

    ecg_input: EcgInput
    label: str
    synthetic: bool
    calibrated: bool
    sha256: str


@dataclass(frozen=True)
class Pretrained:
    """A network read from a checkpoint.

    Attributes:
        network: with the checkpoint's weights, in eval mode.
        sha256: digest of the checkpoint file; another one where it is read by another feature.
        data: the recordings that it was trained on.
        read_from: digest of the checkpoint file where `sha256` is not; see `file_sha256`.
    """

    network: EcgNetwork
    sha256: str
    data: DataState
    read_from: str | None = None

    @property
    def file_sha256(self) -> str:
        """Digest of the checkpoint file."""
        return self.read_from or self.sha256


def describe_network(network: EcgNetwork) -> dict[str, Any]:
    """Return the plain values that `load_pretrained` needs to build the network again.

    A network of the user's own is described by its class path.
    """
    kind = type(network)
    name = kind.__name__ if network_classes().get(kind.__name__) is kind else class_path(kind)
    return {"class": name, "init_args": network.init_args}


def network_class(name: str) -> type[EcgNetwork]:
    """Return the class that `describe_network` names.

    Raises:
        InputError: it is unknown, may not be imported, or is no network.
    """
    if name in network_classes():
        return network_classes()[name]
    if "." not in name:
        raise InputError(f"network {name!r} is unknown; known are {', '.join(network_classes())}")
    found = import_class(name)
    if not issubclass(found, EcgNetwork):
        raise InputError(f"{name} is no network: it does not derive from lsemvae.models.EcgNetwork")
    return found


def load_pretrained(path: str) -> Pretrained:
    """Read a pre-trained network from a checkpoint of the Pretrainer, weights only.

    Args:
        path: a local checkpoint file, the name of an encoder that ships, such as `public`, or the
            YAML file of an adapter (docs/adapters.md).

    Raises:
        InputError: the file is missing, is no checkpoint, or was not written by the Pretrainer.
    """
    if path.endswith((".yaml", ".yml")):
        return _load_adapter(path)
    path = encoder_path(path)
    checkpoint = _read(path)
    network = _build(checkpoint[NETWORK_KEY], path)
    weights = {
        name.removeprefix(NETWORK_PREFIX): value
        for name, value in checkpoint["state_dict"].items()
        if name.startswith(NETWORK_PREFIX)
    }
    try:
        network.load_state_dict(weights, assign=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(f"the weights in {path} do not fit its own network: {reason}") from error
    data = _data_state(checkpoint, path)
    return Pretrained(network.eval(), file_sha256(Path(path)), data)


def _load_adapter(path: str) -> Pretrained:
    """Open an encoder of somebody else, for 10 s at its own rate until it is bound."""
    from lsemvae.models.foreign import ForeignEncoder

    stated = read_adapter(Path(path))
    n_samples = round(RECORDING_S * stated.sampling_rate_hz)
    network = ForeignEncoder(n_samples, path)
    ecg_input = EcgInput(stated.sampling_rate_hz, n_samples, (0.5, 40.0), "millivolt", unit="mV")
    data = DataState(ecg_input, f"not stated ({stated.licence})", False, True, "")
    return Pretrained(network.eval(), stated.sha256(), data)


def read_data_state(path: str) -> DataState:
    """Return what a checkpoint of the Pretrainer says of its recordings.

    Raises:
        InputError: as `load_pretrained`.
    """
    path = encoder_path(path)
    return _data_state(_read(path), path)


def _read(path: str) -> dict[str, Any]:
    if not local_path(path).is_file():
        raise InputError(
            f"there is no encoder {path}{found_instead(path, '.ckpt', '.safetensors')}; pre-train "
            "one with `lightning fit --config experiments/pretrain/ls_emvae.yaml`, or `make demo` "
            "for a small synthetic one; "
            f"`lsemvae encoders` lists what ships ({', '.join(shipped_encoders())})"
        )
    file = local_path(path)
    shipped = file.suffix == SUFFIX
    checkpoint = read_shipped(file) if shipped else read_checkpoint(file, mmap=True)
    if NETWORK_KEY not in checkpoint:
        raise InputError(
            f"{path} holds no pre-trained network; expected a checkpoint that `lightning fit` "
            "wrote with lsemvae.tasks.Pretrainer"
        )
    return checkpoint


def _build(description: Any, path: str) -> EcgNetwork:
    if not isinstance(description, dict) or not isinstance(description.get("class"), str):
        raise InputError(f"{path} names no network of a class; take another copy")
    name = description["class"]
    if name not in network_classes() and "." not in name:
        raise InputError(
            f"{path} holds a network {name!r}; known are {', '.join(network_classes())}"
        )
    try:
        kind = network_class(name)
    except InputError as error:
        raise InputError(f"{path} holds a network of {name}: {error}") from error
    stored = description.get("init_args")
    if not isinstance(stored, dict):
        raise InputError(f"{path} states no arguments of its {name}; take another copy")
    try:
        with torch.device("meta"):
            network = kind.from_plain(stored)
    except (KeyError, TypeError) as error:
        raise InputError(
            f"{path} describes its {name} as another version does ({error}); pre-train again"
        ) from error
    missing = network.init_args.keys() - stored.keys()
    if missing:
        raise InputError(
            f"{path} describes its {name} as another version does (it lacks "
            f"{', '.join(sorted(missing))}); pre-train again"
        )
    return network


def _data_state(checkpoint: dict[str, Any], path: str) -> DataState:
    for value in checkpoint.values():
        if isinstance(value, dict) and INPUT_KEY in value:
            try:
                return _stated(value, path)
            except (TypeError, ValueError, KeyError) as error:
                raise InputError(
                    f"{path} does not say as this program does what recordings it was trained on "
                    f"({str(error)[:100]}); take another copy, or pre-train again"
                ) from error
    raise InputError(
        f"{path} does not say what recordings it was trained on; pre-train with one of the "
        "DataModules of data_modules"
    )


def _stated(value: dict[str, Any], path: str) -> DataState:
    """Return what a DataModule wrote of its recordings.

    Raises:
        TypeError: a part is of another type.
        ValueError: the band has not two ends.
        KeyError: a part is missing.
    """
    others = {name: value[name] for name in DataState._fields if name != INPUT_KEY}
    ecg_input = EcgInput(*value[INPUT_KEY])
    low_hz, high_hz = ecg_input.band_hz
    ecg_input = ecg_input._replace(band_hz=(low_hz, high_hz))  # JSON has no tuples
    if not (isinstance(others["label"], str) and isinstance(others["sha256"], str)):
        raise TypeError("its label or the digest of its stores is no text")
    if is_shipped(path):  # its card says: any unit, and why
        ecg_input = ecg_input._replace(unit=None)
    elif ecg_input.unit is None:  # of a version that kept it beside
        ecg_input = ecg_input._replace(unit="mV" if value["calibrated"] else "NU")
    return DataState(ecg_input=ecg_input, **others)


def check_same_input(encoder: str, trained_on: EcgInput, given: EcgInput) -> None:
    """Refuse a frozen encoder on recordings unlike those that it was trained on.

    Args:
        encoder: the checkpoint's path, for the message.
        trained_on: from the checkpoint.
        given: from the data.

    Raises:
        InputError: names every difference.
    """
    differences = trained_on.differences(given)
    if differences:
        options = trained_on.signal_options(given)
        raise InputError(
            f"the encoder {encoder} does not fit the recordings (encoder against recordings: "
            f"{'; '.join(differences)}); prepare the recordings with the encoder's settings"
            f"{f' ({options})' if options else ''}, or pre-train on recordings like these"
        )
