"""Find the experiment files, in a checkout or in an installed package."""

from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from lsemvae.core.errors import InputError

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


def refuse_missing_config(arguments: Iterable[str]) -> None:
    """Refuse a `--config` that names no file, before anything slow is imported.

    Raises:
        InputError: names the file, and the one of this package that was probably meant.
    """
    given = list(arguments)
    values = [each.removeprefix("--config=") for each in given if each.startswith("--config=")]
    values += [value for word, value in pairwise(given) if word == "--config"]
    for value in values:
        path = Path(value)
        if path.suffix not in (".yaml", ".yml", ".json") or path.is_file():
            continue
        below = value.replace("\\", "/").rpartition("experiments/")[2]
        ours = [place / below for place in PLACES if (place / below).is_file()]
        step = f"the package holds it as {ours[0]}" if ours else "give the path of a YAML file"
        raise InputError(f"--config: there is no file {value}; {step}")


@cache
def read_experiment(name: str) -> dict[str, Any]:
    """Return what an experiment file says."""
    content: dict[str, Any] = yaml.safe_load(experiment(name).read_text(encoding="utf-8"))
    return content
