"""Bound what a configuration may do: a foreign YAML must not run code, hide a key or explode.

Walls in front of jsonargparse: only classes on a list are imported and no function is, a value that
is an address is an error, and so is a key that stands twice or a text that unfolds without measure.
"""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import yaml
from jsonargparse import get_loader, set_loader, set_parsing_settings

from lsemvae.core.errors import InputError
from lsemvae.core.seeds import SEEDS, check_seed
from lsemvae.core.suggestion import suggestion
from lsemvae.core.yaml_text import check_yaml, load_yaml, refuse_address
from lsemvae.runtime.allowed_classes import ROOMS, allowed_paths
from lsemvae.runtime.cli_arguments import MAX_NUMBER
from lsemvae.runtime.own_classes import ALLOW_VARIABLE, own_packages, registered_classes

_DENIED = re.compile(r"Importing '([\w.]+)' is not allowed")


def secure_configurations() -> None:
    """Put the walls up, for every parser of this process.

    Packages of the user's own are added by the environment variable LSEMVAE_ALLOW_IMPORTS, names
    joined by commas, and networks by the entry points of installed packages; no configuration can
    extend the list.

    Raises:
        InputError: LSEMVAE_ALLOW_IMPORTS holds something that is no package name.
    """
    own = own_packages()
    bad = [name for name in own if not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", name)]
    if bad:
        raise InputError(
            f"{ALLOW_VARIABLE} takes package names joined by commas, got {', '.join(bad)}"
        )
    set_parsing_settings(
        import_path_denylist=["*"],
        import_path_allowlist=[*allowed_paths(), *own, *registered_classes().values()],
        instantiate_subclass_spec_in_any=False,
        config_read_mode_urls_enabled=False,
        config_read_mode_fsspec_enabled=False,
    )
    load = get_loader("yaml")
    if not isinstance(load, _CheckedLoader):
        set_loader("yaml", _CheckedLoader(load), exceptions=(yaml.YAMLError,))


def check_arguments(arguments: Iterable[str]) -> None:
    """Refuse an address, and check what holds a mapping, a list or a tag as `check_yaml` does.

    Raises:
        InputError: as `check_yaml`; or argparse would take the value for the end of the options.
    """
    for argument in arguments:
        option, sign, value = argument.partition("=")
        if not argument.startswith("--"):
            value = argument
        elif sign and value == "--":
            raise InputError(f"{option} needs a value, got '--'")
        refuse_address(value)
        if value.lstrip().startswith(("{", "[")) or "!" in value:
            check_yaml(value)


def parsing_error(message: str) -> InputError:
    """Return the error for what jsonargparse says, in one line."""
    names = sorted(set(_DENIED.findall(message)))
    if not names:
        return InputError(" ".join(message.split()))
    first = names[0]
    known = first.partition(".")[0] in ("lightning", "torch", "lsemvae", "torchmetrics")
    meant = suggestion(first, allowed_paths())
    refused = f"a configuration may not import {', '.join(names)}"
    return InputError(
        f"{refused}{f'{meant} Allowed' if meant else '; allowed'} are classes of "
        f"{', '.join(ROOMS)} and the parts of Lightning in docs/security.md. For what you know and "
        f"trust: {ALLOW_VARIABLE}={first if known else first.partition('.')[0]} in the environment"
    )


def check_values(configuration: Any) -> None:
    """Refuse addresses, functions, huge numbers and impossible seeds in a configuration.

    Args:
        configuration: what the parser returned, before anything is made of it.

    Raises:
        InputError: names the value, and for a number its option.
    """
    for name, value in _values(configuration, ""):
        if isinstance(value, str):
            refuse_address(value)
        elif name.rpartition(".")[2].lstrip("-") in SEEDS and type(value) is int:
            check_seed(value, name)
        elif isinstance(value, int) and abs(value) > MAX_NUMBER:
            raise InputError(f"{name} may be {MAX_NUMBER:,} at most, got {str(value)[:40]}")
        elif inspect.isroutine(value) and not _is_own(value):
            raise InputError(
                f"a configuration may not name the function {value.__module__}.{value.__name__}; "
                "it takes values and classes only"
            )


def _values(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if hasattr(value, "as_dict"):
        value = value.as_dict()
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _values(one, f"{name}.{key}" if name else f"--{key}")
    elif isinstance(value, list | tuple | set):
        for one in value:
            yield from _values(one, name)
    else:
        yield name, value


def _is_own(function: Any) -> bool:
    """Tell whether a function is of a package that the user trusts."""
    path = f"{function.__module__}.{function.__qualname__}."
    return any(path.startswith(f"{name}.") for name in own_packages())


class _CheckedLoader:
    """Load YAML with jsonargparse's own loader as `load_yaml` does."""

    def __init__(self, load: Callable[[str], Any]) -> None:
        self._load = load

    def __call__(self, stream: str) -> Any:
        return load_yaml(stream, self._load)
