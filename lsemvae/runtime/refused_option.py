"""Say what the parser refused as it was typed: options with dashes, values in plain words."""

import re
from collections.abc import Iterable, Mapping, Sequence

from lsemvae.runtime.suggestion import explain_refusal, suggest_options, suggestion

_KINDS = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "dict": "names with values, such as {name: value}",
}
MOST_SHOWN = 200  # letters of a value
_WANTED = re.compile(r"Expected an? (?:<class '(\w+)'>|typing\.Literal\[([^\]]*)\])")


def as_typed(message: str, known: Iterable[str]) -> str:
    """Return a message of the parser in the words of the command line, and what was meant.

    Args:
        message: of argparse or jsonargparse.
        known: the options of the command, with the values that each one chooses from or without.
    """
    choices = known if isinstance(known, Mapping) else {}
    known = list(known)
    told = _ambiguous(message) or _missing(message, choices)
    told = told or _no_value(message) or _wrong_value(message)
    told = told or _unknown_key(message, known)
    return told or suggest_options(explain_refusal(message), known)


def _ambiguous(message: str) -> str:
    """Return which options begin as what was typed; NAME+ is jsonargparse's form of the same."""
    found = re.search(r"ambiguous option: (--[\w.]+)\S* could match (--.+)", message)
    if found is None:
        return ""
    options = dict.fromkeys(name.rstrip("+;") for name in re.findall(r"--[\w.]+", found[2]))
    return f"there is no option {found[1]}; did you mean {' or '.join(options)}?"


def _missing(message: str, choices: Mapping[str, Sequence[str]]) -> str:
    found = re.search(r"following arguments are required: ([\w., -]+)", message)
    if found is None:
        return ""
    names = [name.strip().lstrip("-") for name in found[1].split(",")]
    inner = [name for name in names if re.match(r"(fit|validate|test|predict)\.", name)]
    options = ", ".join(
        f"--{name.partition('.')[2] if name in inner else name}"
        + (f" ({' or '.join(choices[f'--{name}'])})" if choices.get(f"--{name}") else "")
        for name in names
    )
    how = "; a YAML file gives them: --config FILE" if inner else ""
    return f"these options are required: {options}{how}"


def _no_value(message: str) -> str:
    found = re.search(r"argument (--[\w.]+)[^:]*: expected (?:one|at least one) argument", message)
    return f"{found[1]} needs a value" if found else ""


def _wrong_value(message: str) -> str:
    found = re.search(r"(?s)Parser key \"([\w.]+)\":.* value: (.*)", message)
    if found is None or not _WANTED.search(message) or "NestedArg(" in message:
        return ""
    if "class_path" in message:  # a class is wanted: the reason is within, such as a refused import
        return ""
    key, value = found[1], " ".join(found[2].split())
    return f"--{key} takes {_wanted(message)}, got {value.strip(chr(39))[:MOST_SHOWN]!r}"


def _wanted(message: str) -> str:
    """Return which values an option takes, in words; nothing is said of leaving it out."""
    kinds = [
        _KINDS.get(kind, kind) or " or ".join(re.findall(r"'([^']*)'", words))
        for kind, words in _WANTED.findall(message)
        if kind not in ("NoneType", "list")  # a list is said of what it holds
    ]
    wanted = " or ".join(dict.fromkeys(kinds))
    if "list[" not in message:
        return wanted or "the path of a class"
    return f"a list of {wanted}" if wanted else "a list"


def _unknown_key(message: str, known: list[str]) -> str:
    """Return what a configuration file names that the command does not have."""
    found = re.search(r"^\s*Option '(\w+)' is not accepted", message)
    if found is None:
        return ""
    names = [name.removeprefix("--") for name in known]
    return f"a configuration takes no {found[1]!r} here{suggestion(found[1], names)}"
