"""Find the experiment files, in a checkout or in an installed package."""

from functools import cache
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


@cache
def read_experiment(name: str) -> dict[str, Any]:
    """Return what an experiment file says."""
    content: dict[str, Any] = yaml.safe_load(experiment(name).read_text(encoding="utf-8"))
    return content
