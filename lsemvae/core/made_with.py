"""Refuse to mix results that were made with different settings."""

import json
from collections.abc import Mapping
from typing import Any

from lsemvae.core.errors import InputError

SHOWN = 24  # characters of a value; digests are longer


def refuse_other_settings(
    what: str, found: Mapping[str, Any], asked: Mapping[str, Any], next_step: str
) -> None:
    """Compare what something was made with with what is asked for now.

    Args:
        what: what was made and how, such as `runs/cv was run with other settings`.
        found: settings as they were kept, from JSON; may hold more than is asked.
        asked: settings of now, of whatever JSON can hold.
        next_step: what the user can do.

    Raises:
        InputError: names every setting that differs, with both values.
    """
    other = differences(found, json.loads(json.dumps(asked)))
    if other:
        raise InputError(f"{what} ({'; '.join(other)}); {next_step}")


def differences(found: Mapping[str, Any], asked: Mapping[str, Any], within: str = "") -> list[str]:
    """Name every value that is not as asked, those of nested mappings by their dotted names."""
    lines = []
    for name, value in asked.items():
        before = found.get(name)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            lines += differences(before, value, f"{within}{name}.")
        elif before != value:
            lines.append(f"{within}{name} {_short(before)} against {_short(value)}")
    return lines


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
