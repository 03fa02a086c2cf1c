"""List the pre-trained encoders that come with the package: `lsemvae encoders`."""

from typing import Any

from lsemvae.core.files import file_sha256
from lsemvae.core.printable import say
from lsemvae.core.shipped_encoders import (
    NEWEST,
    about_encoder,
    encoder_path,
    shipped_encoders,
)


def encoders() -> None:
    """List the pre-trained encoders that come with the package, for --encoder.

    For each: its file and digest, the recordings that it takes, what it was trained on and under
    which licences, and the command that makes it again.
    """
    from pathlib import Path

    for name in shipped_encoders():
        short = [alias for alias, version in NEWEST.items() if version == name]
        file = encoder_path(name)
        say(" or ".join([*short, name]))
        for label, text in _lines(about_encoder(name)):
            say(f"  {label:<12}{text}")
        say(f"  {'file':<12}{file}")
        say(f"  {'SHA-256':<12}{file_sha256(Path(file))}")


def _lines(about: dict[str, Any]) -> list[tuple[str, str]]:
    licences = "; ".join(f"{part['name']} ({part['licence']})" for part in about["trained_on"])
    return [
        ("what", about["what"]),
        ("takes", about["takes"]),
        ("trained on", licences),
        ("seed", str(about["seed"])),
        ("made by", about["command"]),
    ]
