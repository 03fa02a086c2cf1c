"""Spell out the short forms of the command line that jsonargparse does not know."""

import inspect
import json
import os
import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from lsemvae.core.errors import InputError
from lsemvae.core.seeds import MAX_SEED
from lsemvae.runtime.loose_words import name_words

VALUES = ("true", "false", "null")
MAX_NUMBER = (1 << 63) - 1


def spell_out(command: Callable[..., Any], arguments: list[str]) -> list[str]:
    """Return the arguments of a command with the names and values that were left out.

    Words without an option belong to the command's positional parameters, see `name_words`; a
    switch without a value means true (`--overwrite`); one value for an option that takes a list is
    a list of one (`--tasks detection`).

    Args:
        command: the function.
        arguments: those after the command's name.

    Raises:
        InputError: see `name_words`; or a word follows a switch that is none of its values.
    """
    parameters = inspect.signature(command).parameters.values()
    switches = {f"--{p.name}" for p in parameters if p.annotation in (bool, bool | None)}
    options = spell_switches(name_words(command, arguments), switches)
    lists = {f"--{p.name}" for p in parameters if _is_list(p.annotation)}
    return [
        _listed(word, before, lists) for before, word in zip(["", *options], options, strict=False)
    ]


def spell_switches(options: list[str], switches: set[str]) -> list[str]:
    """Return options whose switches all have a value: true where none was given.

    Raises:
        InputError: a word follows a switch that is none of its values.
    """
    options = _lower_values(options, switches)
    return [
        f"{word}=true" if word in switches and after not in VALUES else word
        for word, after in zip(options, [*options[1:], ""], strict=False)
    ]


def _lower_values(options: list[str], switches: set[str]) -> list[str]:
    """Return options whose switches have their values in small letters, as YAML writes them.

    Raises:
        InputError: a word follows a switch that is none of its values.
    """
    told = []
    for before, word in zip(["", *options], options, strict=False):
        is_value = before in switches and not word.startswith("-")
        if is_value and word.lower() not in VALUES:
            raise InputError(f"{before} takes true or false, got {word[:200]!r}")
        told.append(word.lower() if is_value else word)
    return told


def _is_list(hint: Any) -> bool:
    parts = [part for part in get_args(hint) if part is not type(None)]
    return get_origin(hint) is list or (
        get_origin(hint) is UnionType and all(get_origin(part) is list for part in parts)
    )


def _listed(word: str, before: str, lists: set[str]) -> str:
    """Return the value of an option that takes a list as a list, where it is none."""
    option, sign, value = word.partition("=")
    if sign and option in lists and not value.startswith("["):
        return f"{option}={_one(value)}"
    one = before in lists and not word.startswith(("[", "--"))
    return _one(word) if one else word


def _one(value: str) -> str:
    """Return a list of one number or text."""
    return f"[{value}]" if re.fullmatch(r"[-+]?\d+(\.\d*)?", value) else json.dumps([value])


def options_of(command: Callable[..., Any]) -> dict[str, tuple[str, ...]]:
    """Return the options of a command and the values that each one chooses from, if any."""
    return {"--config": (), "--help": ()} | _options("--", get_type_hints(command))


def _options(prefix: str, hints: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the options of annotated names; those of a settings object stand behind a dot."""
    found: dict[str, tuple[str, ...]] = {}
    for name, hint in hints.items():
        if isinstance(hint, type) and is_dataclass(hint):
            inner = get_type_hints(hint)
            own = {field.name: inner[field.name] for field in fields(hint)}
            found |= _options(f"{prefix}{name}.", own)
        elif name != "return":
            found[prefix + name] = _choices(hint)
    return found


def _choices(hint: Any) -> tuple[str, ...]:
    """Return the words that a Literal allows, also within a union."""
    if get_origin(hint) is Literal:
        return tuple(str(value) for value in get_args(hint))
    if hint is bool:
        return VALUES[:2]
    return tuple(word for part in get_args(hint) for word in _choices(part))


def refuse_huge_numbers(options: list[str]) -> None:
    """Refuse whole numbers that neither a float nor a generator of random numbers takes.

    Args:
        options: of a command, spelt out.

    Raises:
        InputError: names the option.
    """
    for before, word in zip(["", *options], options, strict=False):
        option, value = word.split("=", 1) if "=" in word else (before, word)
        if not re.fullmatch(r"[-+]?[0-9]+", value):
            continue
        largest = MAX_SEED if option in ("--seed", "--permute_labels") else MAX_NUMBER
        if len(value) > len(str(MAX_NUMBER)) + 1 or int(value) > largest:
            raise InputError(f"{option} may be {largest:,} at most, got {value[:40]}")


def file_of(content: bytes, options: list[str]) -> str | None:
    """Return the file of an option that has the size of what could not be decoded, or None."""
    values = [one.partition("=")[2] if one.startswith("--") else one for one in options]
    files = [value for value in values if value and os.path.isfile(value)]
    sizes = {value: os.path.getsize(value) for value in files}
    return next((one for one in files if sizes[one] == len(content)), None)
