"""Short forms of the command line that jsonargparse does not know, spelt out for it."""

import inspect
import json
from collections.abc import Mapping
from itertools import pairwise, takewhile
from typing import Any

VALUES = ("true", "false")


def spell_out(command: Any, arguments: list[str]) -> list[str]:
    """Return the arguments of a command with the names and values that were left out.

    Words before the first option belong to the command's positional parameter, as a list where it
    takes one (`report RUN RUN`, `sweep FILE`), the rest to a list that comes second (`predict MODEL
    FILE FILE`); a switch without a value means true (`--overwrite`).

    Args:
        command: the function, or the functions of a group by their names.
        arguments: those after the command's name.
    """
    if isinstance(command, Mapping):
        first = command.get(arguments[0]) if arguments else None
        return arguments[:1] + spell_out(first, arguments[1:]) if first else arguments
    parameters = inspect.signature(command).parameters.values()
    named = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    words = list(takewhile(lambda word: not word.startswith("-"), arguments))
    options = arguments[len(words) :]
    if words and named and "list" in str(named[0].annotation):
        options, words = [f"--{named[0].name}={json.dumps(words)}", *options], []
    elif words and named:
        options, words = [f"--{named[0].name}={words[0]}", *options], words[1:]
        if words and len(named) > 1 and named[1].annotation == list[str]:
            options, words = [f"--{named[1].name}={json.dumps(words)}", *options], []
    switches = {f"--{p.name}" for p in parameters if p.annotation in (bool, bool | None)}
    return words + [
        f"{word}=true" if word in switches and after not in VALUES else word
        for word, after in pairwise([*options, ""])
    ]
