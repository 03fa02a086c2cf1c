"""Find the experiment files, in a checkout or in an installed package."""

from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from lsemvae.core.errors import InputError
from lsemvae.core.instead import found_instead
from lsemvae.core.yaml_text import YamlLoader, check_yaml, no_yaml, refuse_large

PACKAGE = Path(__file__).parents[1]
# A wheel holds them inside the package, a checkout beside it.
PLACES = (PACKAGE / "experiments", PACKAGE.parent / "experiments")


def experiment(name: str) -> Path:
    """Return an experiment file of the package.

    Args:
        name: below `experiments/`, such as `pretrain/ls_emvae.yaml`.

    Raises:
        InputError: there is no such file.
    """
    for place in PLACES:
        if (place / name).is_file():
            return place / name
    raise InputError(
        f"experiments/{name} is not part of this installation; install the package again"
    )


def check_configs(arguments: Iterable[str]) -> None:
    """Refuse a `--config` that names no file or no YAML, before anything slow is imported.

    Raises:
        InputError: names the file, and the one of this package that was probably meant, or the
            line that is no YAML.
    """
    given = list(arguments)
    values = [each.removeprefix("--config=") for each in given if each.startswith("--config=")]
    values += [value for word, value in pairwise(given) if word in ("--config", "-c")]
    for value in values:
        path = Path(value)
        if "://" in value or "::" in value or value.startswith("-"):  # refused elsewhere
            continue
        if path.is_file():
            _check_text(path)
            continue
        instead = found_instead(path, ".yaml", ".yml")
        raise InputError(f"--config: there is no file {value}{instead}; {packaged(value)}")


def packaged(value: str) -> str:
    """Say where the package holds the file of experiments that was probably meant.

    Args:
        value: the path that leads nowhere, such as `experiments/sweeps/probe_grid.yaml`.
    """
    below = value.replace("\\", "/").rpartition("experiments/")[2]
    named = [place / below for place in PLACES if (place / below).is_file()]
    alike = [one for place in PLACES for one in sorted(place.glob(f"*/{Path(value).name}"))]
    ours = named[:1] or dict.fromkeys(alike)  # with its folder no other of that name is meant
    found = " and ".join(map(str, ours))
    return f"the package holds it as {found}" if ours else "give the path of a YAML file"


def _check_text(path: Path) -> None:
    """Refuse a file that is no text in UTF-8, no YAML or hides something in it, by its name."""
    refuse_large(path)
    try:
        text = path.read_text(encoding="utf-8")
        check_yaml(text)
        events = list(yaml.parse(text, Loader=YamlLoader))
    except InputError as error:
        raise InputError(f"--config: {path}: {error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"--config: {path} is not written in UTF-8; save it as UTF-8") from error
    except yaml.YAMLError as error:
        raise InputError(f"--config: {path}{no_yaml(error)}") from error
    if any(isinstance(first, yaml.SequenceStartEvent) for first in events[2:3]):
        raise InputError(
            f"--config: {path} holds a list; expected names with values, such as `task: detection`"
        )


@cache
def read_experiment(name: str) -> dict[str, Any]:
    """Return what an experiment file says."""
    content: dict[str, Any] = yaml.safe_load(experiment(name).read_text(encoding="utf-8"))
    return content
