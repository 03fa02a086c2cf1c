"""Choose what of a configuration may leave the machine: numbers, switches, classes, choices.

Paths, names of stores and tasks, lists of patients and everything else that a user typed freely
stay here. A text is let through only where its class declares it as one of a fixed set of choices.
"""

from collections.abc import Mapping
from dataclasses import is_dataclass
from importlib import import_module
from typing import Any, Literal, get_args, get_origin, get_type_hints

from lsemvae.core.errors import InputError
from lsemvae.core.leads import parse_leads
from lsemvae.models.objective import LEAD_GROUPS

Plain = bool | int | float | str | None
TRAINER_CHOICES = ("accelerator", "strategy", "precision", "gradient_clip_algorithm")


def hyper_parameters(config: Mapping[str, Any]) -> dict[str, Plain]:
    """Return the hyper-parameters of a run by dotted name.

    Args:
        config: what LightningCLI has parsed, as plain values.
    """
    kept: dict[str, Plain] = {}
    for name in ("seed_everything", "beta"):
        _keep(kept, name, config.get(name), None)
    for part in ("model", "data"):
        _keep(kept, part, config.get(part), None)
    trainer = config.get("trainer") or {}
    for name, value in trainer.items():
        kinds = bool | int | float | str if name in TRAINER_CHOICES else bool | int | float
        if isinstance(value, kinds):
            kept[f"trainer.{name}"] = value
    callbacks = trainer.get("callbacks") or []
    for spec in callbacks if isinstance(callbacks, list) else [callbacks]:
        if _is_class(spec):
            _keep(kept, f"trainer.{spec['class_path'].rpartition('.')[2]}", spec, None)
    return kept


def _keep(kept: dict[str, Plain], name: str, value: Any, hint: Any) -> None:
    """Add a value, or what is fit for it inside, under a dotted name."""
    if value is None or isinstance(value, bool | int | float):
        kept[name] = value
    elif isinstance(value, str):
        if value in _choices(hint) or _names_leads(value):
            kept[name] = value
    elif _is_class(value):
        kept[name] = value["class_path"]
        hints = _hints(value["class_path"])
        for key, inner in (value.get("init_args") or {}).items():
            _keep(kept, f"{name}.{key}", inner, hints.get(key))
    elif isinstance(value, Mapping):
        _keep_mapping(kept, name, value, hint)
    elif isinstance(value, list | tuple):
        if all(isinstance(item, float) for item in value):
            kept[name] = ", ".join(f"{item:g}" for item in value)
        elif _names_leads(value):
            kept[name] = ",".join(parse_leads(value))


def _keep_mapping(
    kept: dict[str, Plain], name: str, value: Mapping[str, Any], hint: Any
) -> None:  # fmt: skip
    """Add the fields of a dataclass, or numbers by lead; the keys of other mappings stay here."""
    kinds = [kind for kind in (hint, *get_args(hint)) if is_dataclass(kind)]
    hints = get_type_hints(kinds[0]) if kinds else {}
    for key, inner in value.items():
        if key in hints or key in LEAD_GROUPS or _names_leads(key):
            _keep(kept, f"{name}.{key}", inner, hints.get(key))


def _is_class(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("class_path"), str)


def _hints(class_path: str) -> dict[str, Any]:
    """Return the annotations of a constructor; where they cannot be resolved no text is kept."""
    module, _, name = class_path.rpartition(".")
    try:
        return get_type_hints(getattr(import_module(module), name).__init__)
    except NameError:
        return {}


def _choices(hint: Any) -> tuple[Any, ...]:
    """Return the values of every Literal in an annotation."""
    if get_origin(hint) is Literal:
        return get_args(hint)
    return tuple(choice for part in get_args(hint) for choice in _choices(part))


def _names_leads(value: Any) -> bool:
    try:
        parse_leads(value)
    except (InputError, AttributeError, TypeError):
        return False
    return True
