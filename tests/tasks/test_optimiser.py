import math

import pytest
import torch

from lsemvae.core.errors import InputError
from lsemvae.models import LsEmvae
from lsemvae.tasks import Pretrainer
from lsemvae.tasks.optimiser import adamw, warmed_up_cosine
from tests.tiny_batches import LATENT_DIM, N_SAMPLES, TinyData, tiny_batch, tiny_trainer


def test_the_schedule_rises_linearly_and_falls_along_half_a_cosine() -> None:
    shares = [warmed_up_cosine(step, 4, 12) for step in range(13)]
    assert shares[:4] == [0.25, 0.5, 0.75, 1.0]
    assert shares[4:] == pytest.approx([(1 + math.cos(math.pi * k / 8)) / 2 for k in range(9)])
    assert shares[8] == pytest.approx(0.5)
    assert shares[12] == pytest.approx(0.0)
    assert warmed_up_cosine(13, 4, 12) == pytest.approx(0.0)


class Watched(Pretrainer):
    """Keeps the learning rate of every step."""

    def on_train_batch_end(self, *_: object) -> None:
        self.seen = [*getattr(self, "seen", []), self.optimizers().param_groups[0]["lr"]]


def run(n_epochs: int, **arguments: float) -> list[float]:
    task = Watched(LsEmvae(N_SAMPLES, LATENT_DIM), lr=1e-3, **arguments)
    data = TinyData([tiny_batch(4, seed=1), tiny_batch(4, seed=2)])
    tiny_trainer(max_epochs=n_epochs).fit(task, datamodule=data)
    return list(task.seen)


def test_the_learning_rate_is_constant_unless_a_warm_up_is_asked_for() -> None:
    assert run(3) == [1e-3] * 6


def test_the_learning_rate_moves_by_step_over_the_whole_run() -> None:
    expected = [1e-3 * warmed_up_cosine(step, 4, 12) for step in range(1, 13)]
    assert run(6, warmup_epochs=2) == pytest.approx(expected)


def test_a_warm_up_as_long_as_the_run_is_refused() -> None:
    with pytest.raises(InputError, match="a warm-up of 3 epochs does not fit a run of 2"):
        run(2, warmup_epochs=3)
    with pytest.raises(InputError, match="warmup_epochs must be >= 0, got -1"):
        Pretrainer(LsEmvae(N_SAMPLES, LATENT_DIM), warmup_epochs=-1)


def test_betas_reach_the_optimiser() -> None:
    parameter = torch.nn.Parameter(torch.zeros(1))
    (group,) = adamw([parameter], 1e-3, 0.1, (0.9, 0.95)).param_groups
    assert (group["betas"], group["weight_decay"]) == ((0.9, 0.95), 0.1)
