"""Pre-train and measure a little, in one process or as each of several under torchrun."""

import json
import os
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, Trainer, seed_everything

from data_modules.mimic_ecg import MimicEcg
from data_modules.rhc_cohort import RhcCohort
from lsemvae.callbacks import BetaAnnealing, LatentDiagnostics, RepresentationProbe
from lsemvae.models import LsEmvae, MultimodalCnn, ls_emvae
from lsemvae.runtime.process_group import end_process_group
from lsemvae.tasks import Classifier, Pretrainer
from tests.conftest import LATENT_DIM, N_SAMPLES
from tests.tiny_batches import MemoryLogger

N_EPOCHS = 2


class Watch(Callback):
    """Keep what each batch held and which noise it drew."""

    def __init__(self) -> None:
        self.train: list[list[str]] = [[] for _ in range(N_EPOCHS)]
        self.held_out: list[list[str]] = []
        self.noise: list[float] = []

    def on_train_batch_end(
        self, trainer: Any, task: Any, outputs: Any, batch: Any, *_: Any
    ) -> None:
        self.train[trainer.current_epoch] += list(batch.record)
        self.noise.append(torch.rand(()).item())

    def on_validation_epoch_start(self, *_: Any) -> None:
        self.held_out.append([])

    def on_validation_batch_end(
        self, trainer: Any, task: Any, outputs: Any, batch: Any, *_: Any
    ) -> None:
        self.held_out[-1] += list(batch.record)


def run(folder: Path, store: str, cohort: str, batch_size: int, state: str) -> None:
    """Write `rank_<n>.json`, from the first process also the weights.

    z is its mean, so that one process and two can be compared.

    Args:
        folder: of what is written.
        store: for pre-training.
        cohort: whose folds are validated.
        batch_size: of a process.
        state: of the optimiser, "whole" or "sharded".
    """
    ls_emvae.sample = lambda gaussian: gaussian.mean
    seed_everything(0, verbose=False)
    log, watch = MemoryLogger(), Watch()
    labelled = RhcCohort(cohort, splits=str(folder / "probe.json"), fold=0, n_folds=3, batch_size=7)
    probe = RepresentationProbe(labelled, every_n_epochs=1, n_twins=1)
    trainer = Trainer(
        strategy="ddp", devices=int(os.environ.get("WORLD_SIZE", "1")),
        accelerator=os.environ.get("ACCELERATOR", "cpu"),
        callbacks=[BetaAnnealing(), LatentDiagnostics(), probe, watch], max_epochs=N_EPOCHS,
        logger=log, num_sanity_val_steps=0, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False,
    )  # fmt: skip
    network = LsEmvae(N_SAMPLES, LATENT_DIM)
    task = Pretrainer(network, lr=1e-3, shard_optimiser=state == "sharded")
    trainer.fit(task, datamodule=MimicEcg(store, batch_size=batch_size, val_fraction=0.3))
    torch.manual_seed(0)
    head = Classifier(MultimodalCnn(N_SAMPLES, 4))
    data = RhcCohort(cohort, splits=str(folder / "splits.json"), fold=0, n_folds=3, batch_size=7)
    trainer.validate(head, datamodule=data, verbose=False)
    found = {"train": watch.train, "held_out": watch.held_out, "noise": watch.noise,
             "logged": log.logged}  # fmt: skip
    (folder / f"rank_{trainer.global_rank}.json").write_text(json.dumps(found))
    if trainer.is_global_zero:
        torch.save(task.state_dict(), folder / "weights.pt")
    end_process_group()
