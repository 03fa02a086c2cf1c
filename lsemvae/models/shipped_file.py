"""Write and read shipped encoders: half-precision safetensors with a checkpoint's facts."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from lsemvae.core.errors import InputError
from lsemvae.core.json_text import parse_json

SUFFIX = ".safetensors"
DESCRIPTION = "lsemvae"


def write_shipped(checkpoint: dict[str, Any], keep: tuple[str, ...], path: Path) -> None:
    """Write the weights of a checkpoint in half precision, with some of its plain values.

    Args:
        checkpoint: of the Pretrainer.
        keep: keys of what goes along with the weights.
        path: the file; its folder is made where there is none.
    """
    weights = {
        name: value.half().contiguous() if value.is_floating_point() else value
        for name, value in checkpoint["state_dict"].items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    described = json.dumps({name: checkpoint[name] for name in keep})
    save_file(weights, path, metadata={DESCRIPTION: described})
    path.chmod(0o644)


def read_shipped(path: Path) -> dict[str, Any]:
    """Return what `write_shipped` wrote as a checkpoint, weights in single precision.

    Raises:
        InputError: no such file, or another one.
    """
    try:
        with safe_open(path, framework="pt") as file:
            described = parse_json((file.metadata() or {})[DESCRIPTION])
            weights = {name: _single(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise InputError(
            f"{path} is not an encoder of this program ({type(error).__name__}); expected one of "
            "`lsemvae encoders`, or a checkpoint that `lightning fit` wrote"
        ) from error
    return {**described, "state_dict": weights}


def _single(value: torch.Tensor) -> torch.Tensor:
    return value.float() if value.is_floating_point() else value
