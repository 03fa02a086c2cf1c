"""Gather what makes each network tiny: UNDER_CONTRACT of the network's own test."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "models"


@cache
def tiny_sizes() -> dict[str, dict[str, Any]]:
    """Return plain arguments by class name, or by `class name, variant`."""
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(FOLDER.glob("test_*.py")):
        if "UNDER_CONTRACT" in file.read_text() and file.stem != "test_network_contract":
            found |= import_module(f"tests.models.{file.stem}").UNDER_CONTRACT
    return found


def with_sizes(arguments: Mapping[str, Any], sizes: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments with others in place of theirs, those of nested mappings one by one."""
    merged = dict(arguments)
    for name, value in sizes.items():
        before = merged.get(name)
        nested = isinstance(before, Mapping) and isinstance(value, Mapping)
        merged[name] = with_sizes(before, value) if nested else value
    return merged


def flat(sizes: Mapping[str, Any], within: str = "") -> dict[str, Any]:
    """Return the values of nested mappings by their dotted names, as flags name them."""
    values: dict[str, Any] = {}
    for name, value in sizes.items():
        if isinstance(value, Mapping):
            values |= flat(value, f"{within}{name}.")
        else:
            values[within + name] = value
    return values
