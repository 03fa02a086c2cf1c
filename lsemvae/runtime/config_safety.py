"""What a configuration may do: a YAML from somebody else must not run code, hide a key or explode.

Three walls, all in front of jsonargparse: classes and functions are imported only from packages on
a list, a key that stands twice is an error, and so is a text that unfolds without measure.
"""

import os
import re
from collections.abc import Callable, Iterable
from typing import Any

import yaml
from jsonargparse import get_loader, set_loader, set_parsing_settings

from lsemvae.core.errors import InputError

ALLOWED_PACKAGES = ("lsemvae", "data_modules", "lightning", "torch", "torchmetrics")
# Parts of these packages that run commands, compile or unpickle what an argument names.
DENIED_PARTS = (
    "lightning.fabric.utilities.cloud_io",
    "lightning.pytorch.core.saving",
    "torch._dynamo",
    "torch._inductor",
    "torch._sources",
    "torch.distributed.elastic",
    "torch.distributed.launch",
    "torch.distributed.launcher",
    "torch.distributed.run",
    "torch.export",
    "torch.fx",
    "torch.hub",
    "torch.jit.load",
    "torch.load",
    "torch.multiprocessing",
    "torch.package",
    "torch.serialization",
    "torch.storage",
    "torch.testing",
    "torch.utils.benchmark",
    "torch.utils.bottleneck",
    "torch.utils.collect_env",
    "torch.utils.cpp_extension",
    "torch.utils.model_zoo",
)
ALLOW_VARIABLE = "LSEMVAE_ALLOW_IMPORTS"

MAX_CHARACTERS = 1_000_000  # the longest shipped file has 1,300
MAX_NODES = 100_000  # with every alias unfolded; the largest shipped file has 60
MAX_DEPTH = 50  # PyYAML and jsonargparse recurse; a network's objective stands at depth 7

_DENIED = re.compile(r"Importing '([\w.]+)' is not allowed")
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def secure_configurations() -> None:
    """Put the walls up, for every parser of this process.

    Packages of the user's own are added by the environment variable LSEMVAE_ALLOW_IMPORTS, names
    joined by commas; no configuration can extend the list.

    Raises:
        InputError: LSEMVAE_ALLOW_IMPORTS holds something that is no package name.
    """
    own = [name.strip() for name in os.environ.get(ALLOW_VARIABLE, "").split(",") if name.strip()]
    bad = [name for name in own if not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", name)]
    if bad:
        raise InputError(
            f"{ALLOW_VARIABLE} takes package names joined by commas, got {', '.join(bad)}"
        )
    set_parsing_settings(
        import_path_denylist=["*", *DENIED_PARTS],
        import_path_allowlist=[*ALLOWED_PACKAGES, *own],
        instantiate_subclass_spec_in_any=False,
    )
    load = get_loader("yaml")
    if not isinstance(load, _CheckedLoader):
        set_loader("yaml", _CheckedLoader(load), exceptions=(yaml.YAMLError,))


def check_arguments(arguments: Iterable[str]) -> None:
    """Check the options that hold a mapping or a list as `check_yaml` does.

    Raises:
        InputError: as `check_yaml`.
    """
    for argument in arguments:
        value = argument.partition("=")[2] if argument.startswith("--") else argument
        if value.lstrip().startswith(("{", "[")):
            check_yaml(value)


def check_yaml(text: str) -> None:
    """Refuse a text with a key twice in one mapping, or one that unfolds without measure.

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
    try:
        _Unfolding().measure(yaml.parse(text, Loader=_Loader))
    except yaml.YAMLError:
        return


def parsing_error(message: str) -> InputError:
    """Return the error for what jsonargparse says, in one line."""
    names = sorted(set(_DENIED.findall(message)))
    if not names:
        return InputError(" ".join(message.split()))
    package = names[0].partition(".")[0]
    return InputError(
        f"a configuration may not import {', '.join(names)}; allowed are "
        f"{', '.join(ALLOWED_PACKAGES)}. For a package of your own that you trust: "
        f"{ALLOW_VARIABLE}={package} in the environment"
    )


class _CheckedLoader:
    """Load YAML with jsonargparse's own loader once `check_yaml` has passed it."""

    def __init__(self, load: Callable[[str], Any]) -> None:
        self._load = load

    def __call__(self, stream: str) -> Any:
        check_yaml(stream)
        return self._load(stream)


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
            if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                is_mapping = isinstance(event, yaml.MappingStartEvent)
                self._open.append(_Node(event.anchor, is_mapping=is_mapping))
                if len(self._open) > MAX_DEPTH:
                    raise InputError(f"a configuration nests deeper than {MAX_DEPTH} (line {line})")
            elif isinstance(event, yaml.ScalarEvent):
                self._check_key(event.value, line)
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
