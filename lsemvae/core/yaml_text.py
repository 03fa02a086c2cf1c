"""Refuse a text that hides a key, names an address or unfolds without measure."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from lsemvae.core.errors import InputError
from lsemvae.core.instead import found_instead

MAX_CHARACTERS = 1_000_000  # the longest shipped file has 1,300
MAX_BYTES = 4 * MAX_CHARACTERS  # in UTF-8
MAX_NODES = 100_000  # with every alias unfolded; the largest shipped file has 60
MAX_DEPTH = 50  # PyYAML and jsonargparse recurse; a network's objective stands at depth 7

# What a scheduler of Dask listens on; neither Lightning nor fsspec fetches anything from there.
_SCHEDULER = re.compile(r"\s*(tcp|tls|ucxx?|inproc)://")
_BARE_WORD = re.compile("[a-z]*")
_STANDARD = "tag:yaml.org,2002:"
# A configuration holds these; PyYAML fails on other tags in ways that its callers do not expect.
_TAGS = {f"{_STANDARD}{kind}" for kind in ("str", "int", "float", "bool", "null", "seq", "map")}
_STEPS = {
    "start any token": "indent with blanks, not tabs; a text that begins with a sign needs quotes",
    "escape character": "write a path with / or without quotes",
}
YamlLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlFile(NamedTuple):
    """A YAML file word by word, and what it says."""

    text: str
    content: Any


def read_yaml(path: Path) -> YamlFile:
    """Read a YAML file that stands for nothing but itself, see `check_yaml`.

    Raises:
        InputError: names the file and the reason.
    """
    refuse_large(path)
    try:
        text = path.read_text(encoding="utf-8")
        content = load_yaml(text)
        refuse_other_keys(content)
        return YamlFile(text, content)
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not written in UTF-8; save it as UTF-8") from error
    except yaml.YAMLError as error:
        raise InputError(f"{path}{no_yaml(error)}") from error
    except (OSError, InputError) as error:
        raise InputError(f"{path}: {' '.join(str(error).split())}") from error


def no_yaml(error: yaml.YAMLError) -> str:
    """Return the line of a file that is no YAML, why, and what to do, to stand behind its name."""
    place = getattr(error, "problem_mark", None)
    line = f", line {place.line + 1}" if place else ""
    what = getattr(error, "problem", None) or " ".join(str(error).split())
    steps = [step for sign, step in _STEPS.items() if sign in what]
    return f"{line} is no YAML: {'; '.join([what, *steps])}"


def refuse_other_keys(content: Any) -> None:
    """Refuse a key that is no text: `1` and `0x1`, or `yes` and `true`, are one key twice.

    Raises:
        InputError: names the key.
    """
    parts: list[Any] = [content]
    for part in parts:
        if isinstance(part, dict):
            for key in part:
                if not isinstance(key, str):
                    raise InputError(f"the key {key!r:.40} is no text; write it in quotes")
            parts += part.values()
        elif isinstance(part, list):
            parts += part


def refuse_large(path: Path) -> None:
    """Refuse what is no file, such as a pipe that nobody fills, or too large to be a configuration.

    Raises:
        InputError: names it.
    """
    if not path.is_file():
        instead = found_instead(path, ".yaml", ".yml")
        raise InputError(f"there is no file {path}{instead}; give the path of a YAML file")
    if (size := path.stat().st_size) > MAX_BYTES:
        raise InputError(f"{path}: a configuration may have {MAX_BYTES:,} bytes, it has {size:,}")


def load_yaml(text: str, load: Callable[[str], Any] = yaml.safe_load) -> Any:
    """Load a text that passes `check_yaml`.

    Args:
        text: YAML or JSON.
        load: PyYAML, or a loader that is based on it.

    Raises:
        InputError: see `check_yaml`.
        yaml.YAMLError: it is no YAML, or holds a value that is none, such as 2024-99-99.
    """
    check_yaml(text)
    try:
        return load(text)
    except (yaml.YAMLError, InputError):
        raise
    except (ValueError, LookupError, AttributeError, TypeError, ArithmeticError) as error:
        # PyYAML passes on what int, float and date say
        raise yaml.YAMLError(f"a value is not what its form or tag says: {error}") from error


def check_yaml(text: str) -> None:
    """Refuse a text with a key twice, an address, a tag of another kind or values without measure.

    A text that is no YAML at all passes: the parser behind says what is wrong with it.

    Args:
        text: YAML or JSON.

    Raises:
        InputError: the reason and the line.
    """
    if len(text) > MAX_CHARACTERS:
        raise InputError(
            f"a configuration may have {MAX_CHARACTERS:,} characters, this one has {len(text):,}"
        )
    for loader in (YamlLoader, yaml.SafeLoader):  # what stops the one may pass the other
        try:
            _Unfolding().measure(yaml.parse(text, Loader=loader))
        except InputError:
            raise
        except (yaml.YAMLError, ValueError):  # a half of a surrogate pair is a ValueError
            continue
        break


def refuse_address(value: str) -> None:
    """Refuse a value that names a file of another machine, or of a file system of fsspec's.

    Raises:
        InputError: names the value; also where it holds the sign that no path can hold.
    """
    if "\0" in value:
        raise InputError(f"{value[:200]!r} holds a NUL character; write it anew")
    if ("://" in value and not _SCHEDULER.match(value)) or _names_file_system(value):
        raise InputError(
            f"{value[:200]!r} is not a local file but an address; only files of this machine are "
            "read: download it, look at what it is and where it comes from, and name the copy"
        )


def _names_file_system(value: str) -> bool:
    """Tell whether fsspec takes a value such as `reference::a.json` for one of its file systems.

    It makes an address of every bare word between colons, and fetches what a.json names.
    """
    return "::" in value and any(_BARE_WORD.fullmatch(part) for part in value.split("::"))


class _Node:
    """A mapping or a list that is being read."""

    def __init__(self, anchor: str | None, *, is_mapping: bool) -> None:
        self.anchor, self.is_mapping = anchor, is_mapping
        self.keys: set[str] = set()
        self.n_children, self.n_nodes = 0, 1

    @property
    def awaits_key(self) -> bool:
        return self.is_mapping and self.n_children % 2 == 0


class _Unfolding:
    """Count the nodes of a document with every alias replaced by what it stands for."""

    def __init__(self) -> None:
        self._open: list[_Node] = []
        self._size: dict[str, int] = {}
        self._text: dict[str, str] = {}

    def measure(self, events: Iterable[Any]) -> None:
        for event in events:
            line = event.start_mark.line + 1
            _check_tag(getattr(event, "tag", None), line)
            if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                is_mapping = isinstance(event, yaml.MappingStartEvent)
                self._open.append(_Node(event.anchor, is_mapping=is_mapping))
                if len(self._open) > MAX_DEPTH:
                    raise InputError(f"a configuration nests deeper than {MAX_DEPTH} (line {line})")
            elif isinstance(event, yaml.ScalarEvent):
                self._check_key(event.value, line)
                refuse_address(event.value)
                if event.anchor is not None:
                    self._text[event.anchor] = event.value
                self._add(1, event.anchor, line)
            elif isinstance(event, yaml.AliasEvent):
                if event.anchor not in self._size:
                    raise InputError(
                        f"alias *{event.anchor} contains itself or has no anchor (line {line})"
                    )
                self._check_key(self._text.get(event.anchor), line)
                self._add(self._size[event.anchor], None, line)
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                node = self._open.pop()
                self._add(node.n_nodes, node.anchor, line)

    def _check_key(self, text: str | None, line: int) -> None:
        if text is None or not self._open or not self._open[-1].awaits_key:
            return
        keys = self._open[-1].keys
        if text in keys:
            raise InputError(
                f"the key {text!r} stands twice in one mapping (line {line}); "
                "only the last would count: remove one"
            )
        keys.add(text)

    def _add(self, n_nodes: int, anchor: str | None, line: int) -> None:
        if anchor is not None:
            self._size[anchor] = n_nodes
        if not self._open:
            return
        parent = self._open[-1]
        parent.n_nodes += n_nodes
        parent.n_children += 1
        if parent.n_nodes > MAX_NODES:
            raise InputError(
                f"aliases unfold to more than {MAX_NODES:,} values (line {line}); write them out, "
                "or look at where this file comes from"
            )


def _check_tag(tag: str | None, line: int) -> None:
    if tag is not None and tag.startswith(_STANDARD) and tag not in _TAGS:
        raise InputError(
            f"a value has the tag !!{tag.removeprefix(_STANDARD)} (line {line}); write it without "
            "tag, or in quotes where it is text"
        )
