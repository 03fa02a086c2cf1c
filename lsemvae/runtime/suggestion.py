"""Suggest the option that somebody may have meant."""

import inspect
import re
from argparse import ArgumentParser
from collections.abc import Iterable
from importlib import import_module

from lsemvae.core.suggestion import suggestion


def suggest_options(message: str, known: Iterable[str]) -> str:
    """Return a parser's message about unrecognised arguments with the option that was meant."""
    file = re.search(r"(?i)unrecognized arguments: ([^-\s]\S*\.ya?ml)\b", message)
    if file is not None:
        return f"{message}; did you mean --config {file[1]}?"
    unknown = re.search(r"(?i)unrecognized arguments: (--?\w[^\s=]*)", message)
    return message + suggestion(unknown[1], known) if unknown else message


def option_names(parser: ArgumentParser) -> list[str]:
    """Return the options of a parser and of its subcommands."""
    found: list[str] = []
    for action in parser._actions:
        found += action.option_strings
        if isinstance(action.choices, dict):
            for inner in action.choices.values():
                found += option_names(inner)
    return found


def explain_refusal(message: str) -> str:
    """Return what a class was given and does not take, in place of jsonargparse's page about it."""
    found = re.search(r"given class_path '([\w.]+)':\s+Option '(\w+)' is not accepted", message)
    if found is None:
        return message
    module, _, name = found[1].rpartition(".")
    try:
        known = inspect.signature(getattr(import_module(module), name)).parameters
    except (ImportError, AttributeError, ValueError):
        return message
    return f"{found[1]} takes no {found[2]!r}{suggestion(found[2], known)}"
