"""Find by name the pre-trained encoders that come with the package."""

from pathlib import Path
from typing import Any

from lsemvae.core.json_text import parse_json

FOLDER = Path(__file__).parents[1] / "encoders"
NEWEST = {"public": "public-v2"}
"""Short names, each of the newest version; a version never changes."""


def shipped_encoders() -> list[str]:
    """Return the names of all versions that are there."""
    return sorted(file.parent.name for file in FOLDER.glob("*/encoder.safetensors"))


def encoder_path(encoder: str) -> str:
    """Return the file of a shipped encoder; what is no name of one is returned as it is.

    A file of the user's goes first: `./public` is one, where there is such a file.
    """
    name = NEWEST.get(encoder, encoder)
    if name in shipped_encoders() and not Path(encoder).is_file():
        return str(FOLDER / name / "encoder.safetensors")
    return encoder


def is_shipped(path: str) -> bool:
    """Tell whether a file is an encoder that comes with the package."""
    return Path(path).resolve().is_relative_to(FOLDER.resolve())


def about_encoder(name: str) -> dict[str, Any]:
    """Return what is told of a shipped encoder beside its weights: the values of `about.json`."""
    about: dict[str, Any] = parse_json((FOLDER / name / "about.json").read_text())
    return about
