"""Refuse what Lightning takes without a word, or fails with later."""

import os
from collections.abc import Callable, Mapping
from typing import Any

import torch
from lightning import LightningModule
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Timer

from lsemvae.core.errors import InputError

LEAST = {
    "accumulate_grad_batches": 1,
    "check_val_every_n_epoch": 1,
    "gradient_clip_val": 0,  # below, Lightning does not clip
    "log_every_n_steps": 0,
    "min_epochs": 0,
    "min_steps": 0,
}
MOST = {"devices": 4096, "num_nodes": 65_536}  # beyond, Lightning fills the memory or fails
# Where one of these is 0, a subcommand ends well and has done nothing.
WORK = {
    "fit": ("max_epochs", "max_steps", "limit_train_batches"),
    "validate": ("limit_val_batches",),
    "test": ("limit_test_batches",),
}


def check_trainer(trainer: Mapping[str, Any], subcommand: str | None) -> None:
    """Check the settings of the trainer before it is built.

    Args:
        trainer: option -> value; None where Lightning's default holds.
        subcommand: fit, validate, test or predict.

    Raises:
        InputError: names the option.
    """
    for name in WORK.get(subcommand or "", ()):
        if _number(trainer.get(name)) == 0:
            raise InputError(f"--trainer.{name} is 0, so nothing would be done; give 1 or more")
    _check_range(trainer, LEAST, "least", lambda value, least: value < least)
    _check_range(trainer, MOST, "most", lambda value, most: value > most)
    _check_processes(trainer)
    _check_duration(trainer.get("max_time"))
    for what in ("epochs", "steps"):
        least, most = _number(trainer.get(f"min_{what}")), _number(trainer.get(f"max_{what}"))
        if least is not None and most is not None and -1 != most < least:
            raise InputError(
                f"--trainer.min_{what} is {least}, --trainer.max_{what} {most}: a run ends after "
                f"max_{what}; give min_{what} of {most} or less"
            )
    if trainer.get("gradient_clip_algorithm") and not trainer.get("gradient_clip_val"):
        raise InputError("--trainer.gradient_clip_algorithm does nothing without "
                         "--trainer.gradient_clip_val; give both, or none")  # fmt: skip


def check_step(task: type[LightningModule], subcommand: str) -> None:
    """Refuse a subcommand that a task has no step for.

    Args:
        task: class of the model.
        subcommand: validate, test or predict.

    Raises:
        InputError: says which subcommands the task has.
    """
    steps = {"validate": "validation_step", "test": "test_step", "predict": "predict_step"}
    known = [
        name
        for name, step in steps.items()
        if getattr(task, step) is not getattr(LightningModule, step)
    ]
    if subcommand not in known:
        raise InputError(
            f"{task.__name__} has no {subcommand}; "
            f"`lsemvae {' and '.join(known) or 'fit'}` takes this configuration"
        )


def _check_range(
    trainer: Mapping[str, Any], ends: Mapping[str, int], word: str,
    is_beyond: Callable[[float, int], bool],
) -> None:  # fmt: skip
    for name, end in ends.items():
        value = _number(trainer.get(name))
        if value is not None and is_beyond(value, end):
            raise InputError(
                f"--trainer.{name} may be {end:,} at {word}, got {str(trainer[name])[:40]}"
            )


def _check_processes(trainer: Mapping[str, Any]) -> None:
    """Refuse more processes than cores: without a GPU, Lightning starts one for each device."""
    on_cpu = trainer.get("accelerator") == "cpu" or (
        trainer.get("accelerator") in (None, "auto") and not torch.accelerator.is_available()
    )
    # of the machine, as each process of SLURM sees only its own; two on one core may be tried
    most = max(os.cpu_count() or 1, 2)
    wanted = _number(trainer.get("devices"))
    if on_cpu and wanted is not None and wanted > most:
        raise InputError(
            f"--trainer.devices is {wanted:.0f}, and without a GPU each is a process that needs a "
            f"core; give {most} or less"
        )


def _check_duration(max_time: Any) -> None:
    """Refuse a time that is none, or in which nothing would be done."""
    try:
        days = Timer(max_time)._duration if max_time is not None else 1.0
    except (MisconfigurationException, TypeError, ValueError, OverflowError):
        days = None
    if days is None or not days > 0:
        raise InputError(
            '--trainer.max_time takes a time above 0 as "DD:HH:MM:SS", in quotes, or names of '
            f"timedelta with numbers, such as {{hours: 2}}, got {str(max_time)[:40]!r}"
        )


def _number(value: Any) -> float | None:
    """Return a number; Lightning takes devices as text, too."""
    if isinstance(value, str) and value.isdecimal():
        return float(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
