import pytest
import torch

from lsemvae.callbacks import LatentDiagnostics
from lsemvae.callbacks.latent_statistics import LatentStatistics
from lsemvae.core.leads import LIMB_LEADS
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

BATCHES = [tiny_batch(6, seed=1), tiny_batch(3, seed=2), tiny_batch(4, seed=3)]


def task() -> Pretrainer:
    torch.manual_seed(0)
    return Pretrainer(LsEmvae(N_SAMPLES, LATENT_DIM))


@torch.no_grad()
def figures_of(network: LsEmvae, n_batches: int) -> dict[str, float]:
    statistics = LatentStatistics(network.eval())
    for batch in BATCHES[:n_batches]:
        statistics.update(batch.ecg, batch.present, batch.scale)
    return {f"latent/{name}": value.item() for name, value in statistics.compute().items()}


@pytest.mark.parametrize("max_batches", [20, 2])
def test_figures_of_the_validation_batches_are_logged(max_batches: int) -> None:
    model, log = task(), MemoryLogger()
    tiny_trainer(logger=log, callbacks=[LatentDiagnostics(max_batches)]).validate(
        model, datamodule=TinyData([], BATCHES), verbose=False
    )
    expected = figures_of(model.network, min(max_batches, 3))
    logged = {name: values for name, values in log.logged.items() if name.startswith("latent/")}
    assert logged.keys() == expected.keys()
    for name, value in expected.items():
        assert logged[name] == pytest.approx([value], rel=1e-5, abs=1e-6), name


def test_every_epoch_starts_anew_and_the_sanity_check_is_not_logged() -> None:
    model, log = task(), MemoryLogger()
    tiny_trainer(
        max_epochs=2, logger=log, callbacks=[LatentDiagnostics()], num_sanity_val_steps=2
    ).fit(model, datamodule=TinyData([tiny_batch()], BATCHES))
    assert len(log.logged["latent/active_units"]) == 2
    last = {name: values[-1] for name, values in log.logged.items() if name.startswith("latent/")}
    assert last == pytest.approx(figures_of(model.network, 3), rel=1e-4, abs=1e-5)


def test_other_leads_and_other_tasks_are_left_alone() -> None:
    log = MemoryLogger()
    six = TinyData([], [tiny_batch(leads=LIMB_LEADS)])
    trainer = tiny_trainer(logger=log, callbacks=[LatentDiagnostics()])
    trainer.validate(task(), datamodule=six, verbose=False)
    classifier = Classifier(MultimodalCnn(N_SAMPLES, LATENT_DIM))
    labelled = TinyData([], [tiny_batch(8, labelled=True)])
    trainer.validate(classifier, datamodule=labelled, verbose=False)
    assert not [name for name in log.logged if name.startswith("latent/")]
