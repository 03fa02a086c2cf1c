"""Refuse `null` and empty lists where a value is needed: the parser takes them for any option."""

import inspect
import typing
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from lsemvae.core.errors import InputError


def refuse_null_in_classes(configuration: Any, name: str = "-") -> None:
    """Refuse `null` among the arguments of the classes that a configuration names.

    Args:
        configuration: what the parser returned, or a part of it.
        name: of the part, as an option.

    Raises:
        InputError: names the option.
    """
    if hasattr(configuration, "as_dict"):
        configuration = configuration.as_dict()
    if isinstance(configuration, list):
        for one in configuration:
            refuse_null_in_classes(one, name)
    if not isinstance(configuration, Mapping):
        return
    path, given = configuration.get("class_path"), configuration.get("init_args")
    if isinstance(path, str) and isinstance(given, Mapping):
        module, _, word = path.rpartition(".")
        refuse_null(getattr(import_module(module), word), given, f"{name}.init_args.")
    for key, value in configuration.items():
        refuse_null_in_classes(value, "--" + key if name == "-" else f"{name}.{key}")


def refuse_null(called: Callable[..., Any], given: Mapping[str, Any], name: str = "--") -> None:
    """Refuse `null` for a parameter that does not take it.

    Args:
        called: a function or a class.
        given: what it would be called with.
        name: what stands before a parameter where it is typed as an option.

    Raises:
        InputError: names the option.
    """
    parameters, hints = inspect.signature(called).parameters, _hints(called)
    for key, value in given.items():
        if value is not None or key not in hints or key not in parameters:
            continue
        hint, default = hints[key], parameters[key].default
        if hint is Any or type(None) in typing.get_args(hint) or default is None:
            continue
        usual = "" if default is inspect.Parameter.empty else f"; leave it out for {default!r}"
        raise InputError(f"{name}{key} needs a value, got null{usual}")


def refuse_no_mapping(configuration: Any, key: str) -> None:
    """Refuse a value of another kind where a configuration has names with values.

    Raises:
        InputError: names the option.
    """
    value = configuration.get(key)
    if not hasattr(value, "as_dict"):
        raise InputError(f"--{key} takes names with values, such as {{name: value}}, got {value!r}")


def refuse_empty_lists(command: Callable[..., Any], given: Mapping[str, Any]) -> None:
    """Refuse an empty list where no list means what a command takes by itself.

    Args:
        command: of the program.
        given: what it would be called with.

    Raises:
        InputError: names the option.
    """
    for key, parameter in inspect.signature(command).parameters.items():
        if parameter.default is None and given.get(key) == []:
            raise InputError(f"--{key} needs a value, got []; leave it out for what is usual")


def _hints(called: Callable[..., Any]) -> dict[str, Any]:
    """Return the types of parameters; of a class of others that cannot be told, none."""
    function = called.__init__ if isinstance(called, type) else called  # type: ignore[misc]
    try:
        return typing.get_type_hints(function)
    except (NameError, TypeError, AttributeError):
        return {}
