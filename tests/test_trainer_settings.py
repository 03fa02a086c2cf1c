"""Settings that Lightning would take without a word, or fail with after the run has begun."""

from typing import Any

import pytest

from lsemvae.core.errors import InputError
from lsemvae.trainer_settings import check_trainer

DEFAULTS = {"devices": "auto", "max_epochs": 2, "max_steps": -1, "gradient_clip_val": None}


@pytest.mark.parametrize(
    ("subcommand", "given", "line"),
    [
        ("fit", {"max_epochs": 0}, "--trainer.max_epochs is 0, so nothing would be done"),
        ("fit", {"limit_train_batches": 0.0}, "--trainer.limit_train_batches is 0"),
        ("test", {"limit_test_batches": 0}, "--trainer.limit_test_batches is 0"),
        ("fit", {"gradient_clip_val": -0.5}, "--trainer.gradient_clip_val may be 0 at least"),
        ("fit", {"accumulate_grad_batches": 0}, "accumulate_grad_batches may be 1 at least, got 0"),
        ("fit", {"check_val_every_n_epoch": 0}, "check_val_every_n_epoch may be 1 at least, got 0"),
        ("fit", {"devices": "9" * 20}, "--trainer.devices may be 4,096 at most, got 999"),
        ("fit", {"num_nodes": 1 << 40}, "--trainer.num_nodes may be 65,536 at most"),
        ("fit", {"min_epochs": 3}, "--trainer.min_epochs is 3, --trainer.max_epochs 2: a run ends"),
        ("fit", {"max_time": "abc"}, "--trainer.max_time takes a time above 0"),
        ("fit", {"max_time": "00:00:00:00"}, "--trainer.max_time takes a time above 0"),
        ("fit", {"max_time": {"class_path": 1}}, "--trainer.max_time takes a time above 0"),
        ("fit", {"gradient_clip_algorithm": "norm"}, "does nothing without --trainer.gradient"),
    ],
)
def test_a_trainer_that_cannot_do_as_told_is_refused(
    subcommand: str, given: dict[str, Any], line: str
) -> None:
    with pytest.raises(InputError, match=line):
        check_trainer({**DEFAULTS, **given}, subcommand)


@pytest.mark.parametrize(
    ("subcommand", "given"),
    [
        ("fit", {}),
        ("fit", {"max_epochs": -1, "min_epochs": 3}),
        ("fit", {"limit_val_batches": 0, "gradient_clip_val": 0.5, "devices": "0,1"}),
        ("validate", {"max_epochs": 0}),
    ],
)
def test_a_trainer_that_can_is_let_through(subcommand: str, given: dict[str, Any]) -> None:
    check_trainer({**DEFAULTS, **given}, subcommand)


@pytest.mark.parametrize("accelerator", ["cpu", "auto", None])
def test_without_a_gpu_no_more_processes_are_started_than_there_are_cores(
    accelerator: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.accelerator.is_available", lambda: False)
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    given = {**DEFAULTS, "accelerator": accelerator}
    check_trainer({**given, "devices": "4"}, "fit")
    with pytest.raises(InputError, match=r"--trainer.devices is 99, .* give 4 or less"):
        check_trainer({**given, "devices": 99}, "fit")


def test_as_many_gpus_as_are_named_are_left_to_lightning() -> None:
    check_trainer({**DEFAULTS, "accelerator": "gpu", "devices": 64}, "fit")
