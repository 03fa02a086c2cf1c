import math
from collections.abc import Sequence
from pathlib import Path
from shutil import which
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lightning import Callback, seed_everything
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor
from torch._dynamo.utils import counters

from lsemvae.callbacks import BetaAnnealing
from lsemvae.core.errors import InputError
from lsemvae.core.types import EcgBatch
from lsemvae.models import (
    AuthorsCode,
    BetaVae,
    ElboObjective,
    LossTerms,
    LsEmvae,
    MopoeVae,
    Mvae,
    PretrainableNetwork,
    StMem,
)
from lsemvae.nn.transformer import TransformerSize
from lsemvae.tasks import Pretrainer
from lsemvae.tasks.pretrain import random_leads
from tests.tiny_batches import (
    LATENT_DIM,
    N_SAMPLES,
    MemoryLogger,
    TinyData,
    tiny_batch,
    tiny_trainer,
)


def tiny_task(seed: int = 0, **arguments: Any) -> Pretrainer:
    torch.manual_seed(seed)
    return Pretrainer(LsEmvae(N_SAMPLES, LATENT_DIM), **{"lr": 1e-2, **arguments})


@pytest.mark.parametrize("lead_dropout", [0.0, 0.5])
def test_training_lowers_the_loss_on_recordings_not_trained_on(lead_dropout: float) -> None:
    task, log = tiny_task(lead_dropout=lead_dropout), MemoryLogger()
    data = TinyData([tiny_batch(32, seed=s) for s in range(3)], [tiny_batch(32, seed=9)])
    tiny_trainer(max_epochs=12, logger=log).fit(task, datamodule=data)
    for stage in ("train", "val"):
        assert log.logged[f"{stage}/loss"][-1] < 0.8 * log.logged[f"{stage}/loss"][0]
        assert all(math.isfinite(value) for value in log.logged[f"{stage}/loss"])


def test_the_logged_loss_is_made_of_the_logged_terms() -> None:
    objective = ElboObjective(gamma=0.3)
    log = MemoryLogger()
    task = Pretrainer(LsEmvae(N_SAMPLES, LATENT_DIM, objective=objective))
    tiny_trainer(
        max_steps=4, logger=log, callbacks=[BetaAnnealing("constant", end=0.7)]
    ).fit(task, datamodule=TinyData([tiny_batch()], [tiny_batch(seed=1)]))  # fmt: skip
    for stage in ("train", "val"):
        logged = {
            name.removeprefix(f"{stage}/"): values
            for name, values in log.logged.items()
            if name.startswith(stage)
        }
        assert logged["beta"] == pytest.approx([0.7] * 4)
        assert logged["observation_variance"] == pytest.approx([0.35] * 4)
        for i in range(4):
            total = (
                logged["reconstruction"][i] + 0.7 * logged["kl"][i] + 0.3 * logged["alignment"][i]
            )
            assert logged["loss"][i] == pytest.approx(total, rel=1e-5)


class FirstSample(PretrainableNetwork):
    """Its loss is the first sample of lead I, averaged over the records."""

    def feature_dim(self, leads: Sequence[str]) -> int:
        return 1

    def encode(self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None) -> Tensor:
        return ecg[:, :1, 0]

    def loss(self, ecg: Tensor, leads: Sequence[str], **arguments: Any) -> LossTerms:
        value = ecg[:, 0, 0].mean()
        return LossTerms(value, {"half": value / 2})

    def reconstruct(
        self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None
    ) -> Tensor:
        return ecg


def test_validation_averages_several_batches_by_their_records() -> None:
    log = MemoryLogger()
    batches = [tiny_batch(5, seed=1), tiny_batch(3, seed=2), tiny_batch(1, seed=3)]
    task = Pretrainer(FirstSample(N_SAMPLES))
    tiny_trainer(logger=log).validate(task, datamodule=TinyData([], batches), verbose=False)
    expected = torch.cat([batch.ecg[:, 0, 0] for batch in batches]).mean().item()
    assert log.logged["val/loss"] == pytest.approx([expected], rel=1e-5)
    assert log.logged["val/half"] == pytest.approx([expected / 2], rel=1e-5)


def test_a_loss_that_is_not_finite_stops_the_run_and_names_the_records() -> None:
    good, bad = tiny_batch(3, seed=1), tiny_batch(3, seed=2)
    bad.ecg[1, 4, 7] = torch.nan
    with pytest.raises(InputError, match=r"loss is nan at step 1.*s2r0, s2r1, s2r2\. The last"):
        tiny_trainer(max_epochs=1).fit(tiny_task(), datamodule=TinyData([good, bad]))


@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_loss_that_is_not_finite_leaves_the_last_checkpoint_as_it_was(
    accumulate: int, tmp_path: Path
) -> None:
    good, bad = tiny_batch(3, seed=1), tiny_batch(3, seed=2)
    bad.ecg[1, 4, 7] = torch.nan
    keep = ModelCheckpoint(tmp_path, filename="last", every_n_train_steps=1)
    trainer = tiny_trainer(
        max_epochs=1, accumulate_grad_batches=accumulate, enable_checkpointing=True,
        callbacks=[keep],
    )  # fmt: skip
    data = TinyData([good] * 2 * accumulate + [bad, good])
    with pytest.raises(InputError, match=r"loss is nan at step 2"):
        trainer.fit(tiny_task(), datamodule=data)
    saved = torch.load(tmp_path / "last.ckpt", weights_only=True)
    assert saved["global_step"] == 2
    assert all(weight.isfinite().all() for weight in saved["state_dict"].values())


def test_weights_that_are_not_finite_are_not_saved(tmp_path: Path) -> None:
    task, trainer = tiny_task(), tiny_trainer(max_steps=1)
    trainer.fit(task, datamodule=TinyData([tiny_batch(3)]))
    with torch.no_grad():
        next(task.parameters()).fill_(torch.inf)
    with pytest.raises(InputError, match=r"weights are not finite after step 1: network\."):
        trainer.save_checkpoint(tmp_path / "last.ckpt")
    assert list(tmp_path.iterdir()) == []


def test_a_nan_in_an_absent_lead_does_not_stop_the_run() -> None:
    batch = tiny_batch(3)
    batch.ecg[:, 4], batch.present[:, 4] = torch.nan, False
    task = tiny_task()
    tiny_trainer(max_steps=2).fit(task, datamodule=TinyData([batch]))
    assert all(torch.isfinite(parameter).all() for parameter in task.parameters())


def test_the_encoder_sees_fewer_leads_in_training_and_all_of_them_in_validation() -> None:
    task, seen = tiny_task(lead_dropout=1.0), []
    loss = task.network.loss

    def watched(*args: Any, visible: Any = None, **kwargs: Any) -> Any:
        seen.append(visible)
        return loss(*args, visible=visible, **kwargs)

    task.network.loss = watched  # type: ignore[method-assign]
    data = TinyData([tiny_batch(16)], [tiny_batch(16, seed=1)])
    tiny_trainer(max_steps=1).fit(task, datamodule=data)
    in_training, in_validation = seen
    assert in_training.sum() < 16 * 12
    assert in_validation is None


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 1), st.floats(0.2, 1))
def test_hidden_leads_leave_every_record_one_lead_at_least(
    seed: int, share: float, density: float
) -> None:
    torch.manual_seed(seed)
    present = torch.rand(20, 12) < density
    present[:, seed % 12] = True
    visible = random_leads(present, share)
    assert visible.any(1).all()
    assert not (visible & ~present).any()


def test_the_share_of_records_that_lose_leads() -> None:
    torch.manual_seed(0)
    present = torch.ones(40_000, 12, dtype=torch.bool)
    present[:, 9:] = False  # nine leads are present: m of 9, m uniform on 1..9
    visible = random_leads(present, 0.3)
    n_kept = visible.sum(1)
    # A chosen record keeps all nine leads with probability 1 / 9.
    assert (n_kept < 9).float().mean().item() == pytest.approx(0.3 * 8 / 9, abs=0.01)
    for m in range(1, 9):
        assert (n_kept == m).float().mean().item() == pytest.approx(0.3 / 9, abs=0.005)
    of_leads = visible[:, :9].float().mean(0)
    torch.testing.assert_close(of_leads, of_leads.mean().expand(9), rtol=0, atol=0.01)
    assert torch.equal(random_leads(present, 0.0), present)


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_outside_0_to_1_is_refused(share: float) -> None:
    with pytest.raises(InputError, match=r"lead_dropout must be in \[0, 1\]"):
        tiny_task(lead_dropout=share)


def test_the_optimiser_is_adamw_with_the_papers_learning_rate() -> None:
    task = Pretrainer(LsEmvae(N_SAMPLES, LATENT_DIM))
    optimiser = task.configure_optimizers()
    assert isinstance(optimiser, torch.optim.AdamW)
    (group,) = optimiser.param_groups
    assert (group["lr"], group["weight_decay"]) == (1e-4, 0.01)
    n_parameters = sum(parameter.numel() for parameter in task.network.parameters())
    assert sum(parameter.numel() for parameter in group["params"]) == n_parameters


def test_the_noise_of_a_batch_does_not_depend_on_what_was_drawn_before() -> None:
    drawn: list[list[float]] = []

    class Watched(Pretrainer):
        def training_step(self, batch: Any, batch_idx: int) -> Tensor:
            drawn[-1].append(torch.rand(()).item())
            return super().training_step(batch, batch_idx)

    for disturbed in (False, True):
        drawn.append([])
        torch.manual_seed(0)
        task = Watched(LsEmvae(N_SAMPLES, LATENT_DIM))
        data = TinyData([tiny_batch(4)] * 3, [tiny_batch(4, seed=1)] if disturbed else [])
        tiny_trainer(max_epochs=2).fit(task, datamodule=data)  # a validation draws noise, too
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) == 6


def test_a_sharded_optimiser_needs_several_processes() -> None:
    with pytest.raises(InputError, match="shard_optimiser needs several processes"):
        tiny_task(shard_optimiser=True).configure_optimizers()


PRETRAINABLE: dict[str, Any] = {
    "LS-EMVAE": lambda: LsEmvae(N_SAMPLES, LATENT_DIM),
    "MVAE": lambda: Mvae(N_SAMPLES, LATENT_DIM),
    "MoPoE-VAE": lambda: MopoeVae(N_SAMPLES, LATENT_DIM),
    "beta-VAE": lambda: BetaVae(N_SAMPLES, LATENT_DIM, capacity_nats=10.0, capacity_weight=1.0),
    "ST-MEM": lambda: StMem(
        N_SAMPLES, 8, encoder=TransformerSize(16, 2, 2), decoder=TransformerSize(16, 1, 2)
    ),
    "authors' MVAE": lambda: AuthorsCode(N_SAMPLES, LATENT_DIM, method="mvae"),
}


@pytest.mark.parametrize("name", PRETRAINABLE)
def test_every_method_lowers_its_own_objective_and_logs_its_terms(name: str) -> None:
    """The authors' weights, made for 5000 samples, let the KL rule here: their beta is 0."""
    torch.manual_seed(0)
    network, log = PRETRAINABLE[name](), MemoryLogger()
    data = TinyData([tiny_batch(32, seed=s) for s in range(3)], [tiny_batch(32, seed=9)])
    callbacks = [BetaAnnealing("constant", end=0.0 if "authors" in name else 1.0)]
    trainer = tiny_trainer(max_epochs=12, logger=log, callbacks=callbacks)
    trainer.fit(Pretrainer(network, lr=1e-2), datamodule=data)
    for stage in ("train", "val"):
        assert log.logged[f"{stage}/loss"][-1] < 0.9 * log.logged[f"{stage}/loss"][0]
        terms = {key for key in log.logged if key.startswith(f"{stage}/")}
        assert terms - {f"{stage}/loss", f"{stage}/beta"}


def test_the_capacity_of_the_beta_vae_holds_the_divergence() -> None:
    torch.manual_seed(0)
    network, log = BetaVae(N_SAMPLES, LATENT_DIM, capacity_nats=3.0), MemoryLogger()
    data = TinyData([tiny_batch(32, seed=s) for s in range(3)])
    callbacks = [BetaAnnealing("constant", end=1.0)]
    trainer = tiny_trainer(max_epochs=40, logger=log, callbacks=callbacks)
    trainer.fit(Pretrainer(network, lr=3e-3), datamodule=data)
    assert log.logged["train/kl"][-1] == pytest.approx(3.0, abs=1.0)


class OneLayer(PretrainableNetwork):
    """One weight per sample and noise: the least that is compiled and draws random numbers."""

    def __init__(self, n_samples: int = N_SAMPLES) -> None:
        super().__init__(n_samples)
        self.weight = torch.nn.Parameter(torch.ones(n_samples))

    def feature_dim(self, leads: Sequence[str]) -> int:
        return self.n_samples

    def encode(self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None) -> Tensor:
        return ecg[:, 0]

    def loss(self, ecg: Tensor, leads: Sequence[str], *, beta: Any, **_: Any) -> LossTerms:
        return LossTerms((ecg * self.weight + beta * torch.randn_like(ecg)).square().mean(), {})


def trained_compiled_and_plain(*tasks: Pretrainer) -> None:
    """Train both with the same noise and a beta that changes, and compare their weights."""
    data = TinyData([tiny_batch(6, leads=("V5",), seed=s) for s in range(4)])
    for task in tasks:
        seed_everything(0, verbose=False)
        annealing = BetaAnnealing("linear", end=1.0)
        tiny_trainer(max_epochs=2, callbacks=[annealing]).fit(task, datamodule=data)
    expected, found = (task.state_dict() for task in tasks)
    for name, weight in expected.items():
        torch.testing.assert_close(found[name], weight, rtol=1e-3, atol=1e-4, msg=name)


def test_a_traced_loss_trains_to_the_same_weights_and_is_traced_once_for_every_beta(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without code generation, which takes a minute and is tested with a smaller loss below."""
    compiled = torch.compile
    monkeypatch.setattr(torch, "compile", lambda loss, **_: compiled(loss, backend="aot_eager"))
    torch.compiler.reset()
    counters.clear()
    trained_compiled_and_plain(tiny_task(), tiny_task(compile_loss=True))
    # one, cut where an empty recording is looked for
    assert 1 <= counters["stats"]["unique_graphs"] <= 3


@pytest.mark.slow
@pytest.mark.skipif(which("c++") is None, reason="torch.compile needs a C++ compiler")
def test_a_compiled_loss_draws_the_noise_of_the_eager_one() -> None:
    torch.compiler.reset()
    trained_compiled_and_plain(
        Pretrainer(OneLayer(), lr=1e-2), Pretrainer(OneLayer(), lr=1e-2, compile_loss=True)
    )


def part_of(batch: EcgBatch, rows: slice) -> EcgBatch:
    return EcgBatch(*(v if k == "leads" else v[rows] for k, v in batch._asdict().items()))


def test_accumulated_gradients_are_those_of_one_batch() -> None:
    """With z at its mean: halves of a batch draw other noise than the whole.

    In double precision: AdamW divides a gradient by its own size, so that where it is almost zero
    the rounding of float32 would decide.
    """
    whole = [tiny_batch(8, seed=s) for s in range(2)]
    halves = [
        part for batch in whole for part in (part_of(batch, slice(4)), part_of(batch, slice(4, 8)))
    ]
    tasks = []
    for batches, accumulate in ((whole, 1), (halves, 2)):
        task = tiny_task()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("lsemvae.models.ls_emvae.sample", lambda gaussian: gaussian.mean)
            tiny_trainer(max_epochs=3, accumulate_grad_batches=accumulate, precision="64-true").fit(
                task, datamodule=TinyData(batches)
            )
        tasks.append(task)
    for expected, found in zip(*(task.parameters() for task in tasks), strict=True):
        assert expected.dtype == torch.float64
        torch.testing.assert_close(found, expected, rtol=1e-7, atol=1e-9)


def test_gradients_are_clipped_before_the_step() -> None:
    norms: dict[float | None, float] = {}

    class Watch(Callback):
        def on_train_batch_end(self, trainer: Any, task: Any, *_: Any) -> None:
            gradients = torch.cat([p.grad.flatten() for p in task.parameters()])
            norms[trainer.gradient_clip_val] = float(torch.linalg.vector_norm(gradients))

    for clip in (None, 0.5):
        tiny_trainer(max_steps=1, gradient_clip_val=clip, callbacks=[Watch()]).fit(
            tiny_task(), datamodule=TinyData([tiny_batch()])
        )
    assert norms[None] > 5
    assert norms[0.5] == pytest.approx(0.5, rel=1e-3)


def test_clipping_by_value_stays_that_of_lightning() -> None:
    class Watch(Callback):
        def on_train_batch_end(self, trainer: Any, task: Any, *_: Any) -> None:
            largest = max(float(p.grad.abs().max()) for p in task.parameters())
            assert largest == pytest.approx(1e-3)

    tiny_trainer(
        max_steps=1, gradient_clip_val=1e-3, gradient_clip_algorithm="value", callbacks=[Watch()]
    ).fit(tiny_task(), datamodule=TinyData([tiny_batch()]))
