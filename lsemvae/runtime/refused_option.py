"""Say what the parser refused as it was typed: options with dashes, values in plain words."""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence

from lsemvae.core.suggestion import suggestion
from lsemvae.runtime.suggestion import explain_refusal, suggest_options

_KINDS = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "dict": "names with values, such as {name: value}",
}
MOST_SHOWN = 200  # letters of a value
UNITS = ("mmhg", "wu", "hz", "s", "days", "mm")
"""With which the names of options of numbers end."""
_DURATION = 'a time as "DD:HH:MM:SS", in quotes, or names with values, such as {hours: 2}'
_IN_CLASS = re.compile(r"Problem with given class_path '[\w.]+': Parser key \"([\w.]+)\":")
_REASONS = ("is not allowed", "is not accepted", "Unable to import")
"""What a message says where the value is of the right kind, and its content is the reason."""
_ABOUT = re.compile(
    r"(?:signal settings: )?([a-z][a-z0-9_]*)"
    r"(?= (?:must|is empty|takes|names?|begins|needs)\b)"
)
_ENTRY = re.compile(r"Given value: NestedArg\(key='(.*?)', val=(.*)\)")
_WANTED = re.compile(r"Expected an? (?:<class '(\w+)'>|typing\.Literal\[([^\]]*)\])")


def as_typed(message: str, known: Iterable[str]) -> str:
    """Return a message of the parser in the words of the command line, and what was meant.

    Args:
        message: of argparse or jsonargparse.
        known: the options of the command, with the values that each one chooses from or without.
    """
    choices = known if isinstance(known, Mapping) else {}
    known = list(known)
    told = (
        _ambiguous(message)
        or _missing(message, choices)
        or _no_value(message)
        or _no_such_class(message)
        or _no_group(message)
        or _within_a_class(message)
        or _no_class(message)
        or _wrong_entry(message)
        or _wrong_value(message)
        or _unknown_key(message, known)
    )
    return told or suggest_options(explain_refusal(message), known)


def with_dashes(message: str, known: Iterable[str]) -> str:
    """Return a message about values under the names of their options, where one option has each.

    The functions behind a command know their arguments, not how they were typed.
    """
    known = list(known)
    return "; ".join(_with_dashes(part, known) for part in message.split("; "))


def _with_dashes(part: str, known: list[str]) -> str:
    found = _ABOUT.match(part)
    if found is None:
        return part
    options = [one for one in known if one == f"--{found[1]}" or one.endswith(f".{found[1]}")]
    return options[0] + part[found.end() :] if len(options) == 1 else part


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


def _no_group(message: str) -> str:
    text = " ".join(message.split())
    found = re.search(r"Parser key \"(\w+)\": Unable to load config '(.*?)'", text)
    if found is None:
        return ""
    return f"--{found[1]} takes names with values, such as {{name: value}}, got {found[2]!r}"


def _no_value(message: str) -> str:
    found = re.search(r"argument (--[\w.]+)[^:]*: expected (?:one|at least one) argument", message)
    return f"{found[1]} needs a value" if found else ""


def _no_such_class(message: str) -> str:
    """Return which class of a package there is not, and the one that was probably meant."""
    found = re.search(r"module '([\w.]+)' has no attribute '(\w+)'", message)
    if found is None or any(reason in message for reason in _REASONS):
        return ""
    module = sys.modules.get(found[1])
    known = [*dir(module), *getattr(module, "__all__", ())]  # some are imported when asked for
    classes = [one for one in known if one[:1].isupper()]
    return f"there is no class {found[1]}.{found[2]}{suggestion(found[2], classes)}"


def _wrong_value(message: str) -> str:
    found = re.search(r"(?s)Parser key \"([\w.]+)\":.* value: (.*)", message)
    if found is None or not _WANTED.search(message) or "NestedArg(" in message:
        return ""
    if "class_path" in message:  # a class is wanted: the reason is within, such as a refused import
        return ""
    key, value = found[1], " ".join(found[2].split())
    wanted = _DURATION if key == "trainer.max_time" else _wanted(message)
    value = value.strip("'")
    return f"--{key} takes {wanted}, got {value[:MOST_SHOWN]!r}{_plain_number(key, value, wanted)}"


def _plain_number(key: str, value: str, wanted: str) -> str:
    """Return the number that was written with a decimal comma, or with a sign for its unit.

    A unit other than the one that the option's name ends with is not taken away: 4 weeks are no
    4 days.
    """
    found = re.fullmatch(r"(-?\d+)(?:[.,](\d+))?\s*(%|[A-Za-z]*)", value)
    if found is None or wanted not in ("a number", "a whole number"):
        return ""
    unit = key.rpartition("_")[2]
    share = found[3] == "%" and unit not in UNITS
    if found[3] and not share and found[3].lower() != unit:
        return ""
    number = float(f"{found[1]}.{found[2] or 0}") / (100 if share else 1)
    return f"; write {number:g}" if wanted == "a number" or number.is_integer() else ""


def _wrong_entry(message: str) -> str:
    """Return which name of a mapping, such as --expected.PH, has a value that it does not take."""
    text = " ".join(message.split())
    option = re.search(r'Parser key "([\w.]+)":.*dict\[str, ', text)
    if option is None or not _WANTED.search(text):
        return ""
    if found := _ENTRY.search(text):
        value = found[2].strip("'")[:MOST_SHOWN]
        return f"--{option[1]}.{found[1]} takes {_wanted(text)}, got {value!r}"
    value = text.rpartition("Given value: ")[2][:MOST_SHOWN]
    if value.startswith("{"):
        return f"--{option[1]} takes {_wanted(text)} for each name, got {value}"
    pair = re.fullmatch(r"'?(\w+=[^{}]+?)'?", value)
    meant = f"; write --{option[1]}.{pair[1]}" if pair else ""
    return f"--{option[1]} takes {_KINDS['dict']}, got {value}{meant}"


def _within_a_class(message: str) -> str:
    """Return what an argument of a class does not take, under its whole name as an option."""
    text = " ".join(message.split())
    outer, inner = re.search(r'Parser key "([\w.]+)":', text), list(_IN_CLASS.finditer(text))
    if outer is None or not inner or any(reason in text for reason in _REASONS):
        return ""
    option = ".init_args.".join([outer[1], *(one[1] for one in inner)])
    said = text[inner[-1].end() :]
    value = (
        re.search(r"Got value: ?(.*?)(?: ?- | Subclass types|$)", said)
        or re.search(r"Expected a path but (.*?) either not accessible", said)
        or re.search(r"Given value: (.*?)(?: - |$)", said)
    )
    if value is None:
        return ""
    wanted = _wanted(said[: value.start()])
    return f"--{option} takes {wanted}, got {value[1].strip(chr(39))[:MOST_SHOWN]!r}"


def _no_class(message: str) -> str:
    """Return that a class is wanted where a list, a number or a mapping without one was given."""
    text = " ".join(message.split())
    found = re.search(
        r'Parser key "([\w.]+)":.*Not a valid subclass of .* Given value: (.*)$', text
    )
    if found is None or "class_path" in found[2] or any(reason in text for reason in _REASONS):
        return ""
    if re.fullmatch(r"'.*'", found[2]):  # a name, of which more is said
        return ""
    wanted = "a list of classes" if "list[" in text else "a class"
    how = "[{class_path: NAME}]" if "list[" in text else "{class_path: NAME}"
    return f"--{found[1]} takes {wanted}, such as {how}, got {found[2][:MOST_SHOWN]!r}"


def _wanted(message: str) -> str:
    """Return which values an option takes, in words; nothing is said of leaving it out."""
    kinds = [
        _KINDS.get(kind, kind) or " or ".join(re.findall(r"[\w.+-]+", words))
        for kind, words in _WANTED.findall(message)
        if kind not in ("NoneType", "list")  # a list is said of what it holds
    ]
    wanted = " or ".join(dict.fromkeys(kinds))
    if "list[" not in message:
        return wanted or "the path of a class"
    several = wanted.replace("a whole number", "whole numbers").replace("a number", "numbers")
    return f"a list of {several}" if wanted else "a list"


def _unknown_key(message: str, known: list[str]) -> str:
    """Return what a configuration file names that the command does not have."""
    found = re.search(r"^\s*Option '([\w.]+)' is not accepted", message) or re.search(
        r"Subcommand '\w+' does not accept option '([\w.]+)'", message
    )
    if found is None:
        return ""
    names = [name.removeprefix("--") for name in known]
    return f"a configuration takes no {found[1]!r} here{suggestion(found[1], names)}"
