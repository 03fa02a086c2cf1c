from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lsemvae.callbacks import BetaAnnealing
from lsemvae.callbacks.beta_annealing import annealed_beta
from lsemvae.core.errors import InputError
from lsemvae.models import LsEmvae, MultimodalCnn
from lsemvae.tasks import Classifier, Pretrainer
from tests.tiny_batches import (
    LATENT_DIM,
    N_SAMPLES,
    MemoryLogger,
    TinyData,
    tiny_batch,
    tiny_trainer,
)

SHAPES = ("linear", "sigmoid", "cyclical", "constant")


def task() -> Pretrainer:
    torch.manual_seed(0)
    return Pretrainer(LsEmvae(N_SAMPLES, LATENT_DIM))


def run(callback: BetaAnnealing, max_steps: int, **arguments: Any) -> list[float]:
    """Train and return the beta of every step."""
    log = MemoryLogger()
    tiny_trainer(max_steps=max_steps, callbacks=[callback], logger=log).fit(
        task(), datamodule=TinyData([tiny_batch(2)]), **arguments
    )
    return log.logged["train/beta"]  # an epoch is one batch


@pytest.mark.parametrize(
    ("shape", "step", "beta"),
    [
        ("linear", 0, 0.0),
        ("linear", 30, 0.6),
        ("sigmoid", 0, 0.0),
        ("sigmoid", 50, 1.0),
        # (s(.25) - s(0)) / (s(1) - s(0)) with s(x) = 1 / (1 + exp(-12 (x - .5)))
        ("sigmoid", 25, 2.0 * 0.0451767),
        # four cycles of 25: up for 12.5, then held
        ("cyclical", 0, 0.0),
        ("cyclical", 10, 1.6),
        ("cyclical", 20, 2.0),
        ("cyclical", 25, 0.0),
        ("cyclical", 80, 0.8),
        ("constant", 0, 2.0),
    ],
)
def test_schedules_by_hand(shape: Any, step: int, beta: float) -> None:
    assert annealed_beta(step, 100, shape=shape, end=2.0) == pytest.approx(beta, abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(SHAPES), st.integers(1, 1000), st.integers(0, 2000), st.floats(0, 10))
def test_beta_ends_exactly_at_its_end_and_never_leaves_the_range(
    shape: Any, n_steps: int, beyond: int, end: float
) -> None:
    assert annealed_beta(n_steps + beyond, n_steps, shape=shape, end=end) == end
    for step in range(0, n_steps, 1 + n_steps // 20):
        assert 0.0 <= annealed_beta(step, n_steps, shape=shape, end=end) <= end


@pytest.mark.parametrize("shape", ["linear", "sigmoid"])
def test_beta_only_rises_and_meets_its_end_without_a_jump(shape: Any) -> None:
    betas = [annealed_beta(step, 200, shape=shape, end=1.0) for step in range(202)]
    steps = [later - earlier for earlier, later in pairwise(betas)]
    assert min(steps) >= 0
    assert max(steps) < 0.02


def test_every_training_step_sees_its_own_beta() -> None:
    assert run(BetaAnnealing(n_steps=4), 6) == pytest.approx([0, 0.25, 0.5, 0.75, 1, 1])


def test_without_a_length_half_of_the_run_is_taken() -> None:
    callback = BetaAnnealing(end=0.5)
    assert run(callback, 8) == pytest.approx([0, 0.125, 0.25, 0.375, 0.5, 0.5, 0.5, 0.5])
    assert callback.state_dict() == {"n_steps": 4}


def test_a_schedule_longer_than_the_run_is_refused() -> None:
    with pytest.raises(InputError, match="its end after 5 steps, the run has 4; set n_steps"):
        run(BetaAnnealing(n_steps=5), 4)


def test_a_run_without_an_end_needs_a_length() -> None:
    with pytest.raises(InputError, match="a run without an end needs n_steps"):
        tiny_trainer(max_epochs=-1, callbacks=[BetaAnnealing()]).fit(
            task(), datamodule=TinyData([tiny_batch(2)])
        )


def test_a_constant_needs_no_length() -> None:
    callback = BetaAnnealing("constant", end=0.3)
    assert run(callback, 3) == pytest.approx([0.3] * 3)
    assert callback.state_dict() == {"n_steps": None}


def test_a_resumed_run_goes_on_with_the_schedule_it_began(tmp_path: Path) -> None:
    trainer = tiny_trainer(
        max_steps=4, callbacks=[BetaAnnealing()], default_root_dir=tmp_path
    )  # two steps long
    trainer.fit(task(), datamodule=TinyData([tiny_batch(2)]))
    trainer.save_checkpoint(tmp_path / "four.ckpt")
    resumed = BetaAnnealing()  # by itself it would take six of twelve steps
    betas = run(resumed, 12, ckpt_path=tmp_path / "four.ckpt", weights_only=True)
    assert resumed.n_steps == 2
    assert betas == pytest.approx([1.0] * 8)


def test_a_task_without_beta_is_refused() -> None:
    classifier = Classifier(MultimodalCnn(N_SAMPLES, LATENT_DIM))
    with pytest.raises(InputError, match=r"works on lsemvae\.tasks\.Pretrainer only"):
        tiny_trainer(max_steps=1, callbacks=[BetaAnnealing()]).fit(
            classifier, datamodule=TinyData([tiny_batch(4, labelled=True)])
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"end": -1.0}, "end at >= 0, got -1.0"), ({"n_steps": 0}, "must be >= 1, got 0")],
)
def test_bad_settings_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        BetaAnnealing(**arguments)
