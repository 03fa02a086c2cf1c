"""Sort the words of the command line that stand without an option, or say why they cannot be."""

import json
import re
import shlex
from collections.abc import Callable, Iterable
from inspect import Parameter, signature
from typing import Any, NamedTuple

from lsemvae.core.errors import InputError

_LONG_DASHES = "\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}\N{HORIZONTAL BAR}"


class Words(NamedTuple):
    """What was typed, in order.

    Attributes:
        first: words before the first option.
        options: with their values.
        loose: words that belong to no option, each with the option before it and that one's value.
    """

    first: list[str]
    options: list[str]
    loose: list[tuple[str, str, str]]


def name_words(command: Callable[..., Any], arguments: list[str]) -> list[str]:
    """Return the arguments of a command with a name for the words that have none.

    Words before the options or behind them belong to the first parameter, as a list where it takes
    one (`report RUN RUN`, `sweep FILE`), the rest to a list that comes second (`predict MODEL FILE
    FILE`). They come last, so that no configuration file overrides them.

    Args:
        command: the function.
        arguments: those after the command's name.

    Raises:
        InputError: a word may be part of a list or a text that the shell has cut at its blanks, or
            there is no place for it.
    """
    parameters = list(signature(command).parameters.values())
    words = _sorted_words(arguments)
    _refuse_name_without_dashes(words.first, parameters)
    _refuse_cut_list(words.loose, parameters)
    given = {option.partition("=")[0] for option in words.options}
    alone = [(word, "") for word in words.first] + [one[:2] for one in words.loose]
    options = list(words.options)
    for taker in _takers(parameters, given):
        if alone and "list" in str(taker.annotation):
            of_one_place = [word for word, place in alone if place == alone[0][1]]
            options.append(f"--{taker.name}={json.dumps(of_one_place)}")
            alone = alone[len(of_one_place) :]
        elif alone and taker.name == "task" and alone[0][0].endswith((".yaml", ".yml")):
            file = shlex.quote(alone[0][0])
            raise InputError(f"{alone[0][0]!r} is no task; did you mean --config {file}?")
        elif alone:
            options.append(f"--{taker.name}={alone.pop(0)[0]}")
    if alone:
        _refuse_second_task(words.loose)
        before = words.first[0] if words.first else ""
        raise InputError(_one_too_many(alone[0][0], before, parameters, given))
    return options


def _takers(parameters: list[Parameter], given: set[str]) -> list[Parameter]:
    """Return the parameters that words without an option may belong to, in order."""
    named = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    first, second = named[:1], named[1:2]
    if not any("list" in str(p.annotation) for p in first):
        first += [p for p in second if p.annotation == list[str]]
    return [p for p in first if f"--{p.name}" not in given]


def refuse_long_dashes(arguments: Iterable[str]) -> None:
    """Refuse an option whose hyphens a word processor has made a dash.

    Raises:
        InputError: names the option as it is to be typed.
    """
    for word in arguments:
        name = word.lstrip(f"{_LONG_DASHES}-")
        if (word and word[0] in _LONG_DASHES) or word[:2] in {f"-{dash}" for dash in _LONG_DASHES}:
            raise InputError(f"{word} begins with a long dash; type two hyphens: --{name}")


def _sorted_words(arguments: list[str]) -> Words:
    """Tell words, options with their values, and loose words apart."""
    words = Words([], [], [])
    option, value, awaited = "", "", False
    for word in arguments:
        if awaited and not word.startswith("--"):
            words.options.append(word)
            value, awaited = word, False
        elif word.startswith("-"):
            words.options.append(word)
            option, sign, value = word.partition("=")
            awaited = not sign
        elif option:
            words.loose.append((word, option, value))
        else:
            words.first.append(word)
    return words


def _refuse_name_without_dashes(first: list[str], parameters: list[Parameter]) -> None:
    for word in first:
        found = re.fullmatch(r"-?(\w+)=.+", word)
        if found and found[1] in {p.name for p in parameters}:
            raise InputError(f"an option begins with two hyphens: --{shlex.quote(word)}")


def _refuse_cut_list(loose: list[tuple[str, str, str]], parameters: list[Parameter]) -> None:
    for place, (_, option, value) in enumerate(loose):
        if _admits_list(option, parameters) or value.startswith(("[", "{")) or value.endswith(","):
            following = [word for word, same, _ in loose[place:] if same == option]
            raise InputError(_cut_apart(option, [value, *following]))


def _refuse_second_task(loose: list[tuple[str, str, str]]) -> None:
    for word, option, value in loose:
        if option == "--task":
            raise InputError(
                f"{word!r} is one word too many; for several labels at once: "
                f"--task {value},{word}; for one after the other: lsemvae benchmark --tasks "
                f"'[{value}, {word}]'"
            )


def _admits_list(option: str, parameters: list[Parameter]) -> bool:
    return any(p.name == option[2:] and "list" in str(p.annotation) for p in parameters)


def _cut_apart(option: str, pieces: list[str]) -> str:
    """Say how a list is typed that the shell has cut at its blanks."""
    if pieces[0].startswith("{"):
        whole = " ".join(pieces)
    else:
        names = [piece.strip("[],'\"") for piece in pieces]
        whole = f"[{', '.join(name for name in names if name)}]"
    return f"{option} takes one word, and a blank ends it; put a list in quotes: {option} '{whole}'"


def _one_too_many(word: str, before: str, parameters: list[Parameter], given: set[str]) -> str:
    """Say what a word may have been meant for: a required option, a store, a record in one."""
    if parameters and parameters[0].name == "record" and before.endswith(".h5"):
        return f"{word!r} is one word too many; did you mean {shlex.quote(f'{before}:{word}')}?"
    if not any(p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters):
        return f"{word!r} is one word too many: this command takes options only, see --help"
    free = [p for p in parameters[1:] if f"--{p.name}" not in given]
    lacking = [p.name for p in free if p.default is p.empty]
    stores = [p.name for p in free if p.name == "cohort" and word.endswith(".h5")]
    meant = next((f"did you mean --{name} {shlex.quote(word)}?" for name in lacking + stores), None)
    otherwise = "options begin with two hyphens, see --help; a text with blanks needs quotes"
    return f"{word!r} is one word too many; {meant or otherwise}"
