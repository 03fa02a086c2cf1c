"""Refuse texts of the command line that no file, table or page could hold."""

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any
from unicodedata import category

from lsemvae.core.errors import InputError
from lsemvae.core.seeds import SEEDS, check_seed
from lsemvae.runtime.missing_values import refuse_empty_lists, refuse_null

MAY_BE_EMPTY = ("patient_prefix",)
MOST_SHOWN = 200  # letters of a value
PLACES = ("out", "pictures")
"""Parameters that name what a command writes."""


def refuse_odd_words(arguments: Iterable[str]) -> None:
    """Refuse words that are not UTF-8: every result names what it was made of, in UTF-8.

    Raises:
        InputError: names the option, or the word where it belongs to none.
    """
    option = ""
    for word in arguments:
        name, sign, value = word.partition("=")
        if not word.startswith("--"):
            name, value = option, word
        if any("\udc80" <= letter <= "\udcff" for letter in word):
            raise InputError(
                f"{_told(name)} is not written in UTF-8, got {os.fsencode(value)[:MOST_SHOWN]!r}; "
                "write it in UTF-8, or rename the file or folder"
            )
        option = name if word.startswith("--") and not sign else ""


def checked(command: Callable[..., Any]) -> Callable[..., Any]:
    """Return a command that refuses odd values, and leaves no empty folder where it is refused."""

    @wraps(command)
    def run(**given: Any) -> Any:
        refuse_null(command, given)
        refuse_empty_lists(command, given)
        for name, value in given.items():
            if name in SEEDS and value is not None:
                check_seed(value, f"--{name}")
            for text in value if isinstance(value, list) else [value]:
                _refuse_odd_text(f"--{name}", text, may_be_empty=name in MAY_BE_EMPTY)
        missing = [folder for name in PLACES for folder in _missing_folders(given.get(name))]
        try:
            return command(**given)
        except InputError:
            for folder in missing:
                with suppress(OSError):  # it holds something, or was never made
                    folder.rmdir()
            raise

    return run


def _refuse_odd_text(option: str, text: object, *, may_be_empty: bool) -> None:
    """Refuse an empty text, which as a path is the current folder, and control characters.

    Raises:
        InputError: names the option.
    """
    if not isinstance(text, str):
        return
    if not text.strip() and not may_be_empty:
        raise InputError(f"{option} needs a value, got {text[:MOST_SHOWN]!r}")
    if any(category(letter) == "Cc" for letter in text):
        raise InputError(
            f"{option} holds a control character, got {text[:MOST_SHOWN]!r}; write it without"
        )


def _missing_folders(place: object) -> list[Path]:
    """Return which folders a path needs that are not there, the innermost first."""
    if not isinstance(place, str) or not place:
        return []
    return [path for path in (Path(place), *Path(place).parents) if not path.exists()]


def _told(name: str) -> str:
    return name if name.startswith("--") else "a word of the command line"
