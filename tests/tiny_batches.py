"""Make batches and networks by hand, small enough to train in a moment, and run them."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from lightning import LightningDataModule, Trainer
from lightning.pytorch.loggers.logger import Logger, rank_zero_experiment
from torch.utils.data import DataLoader

from lsemvae.core.leads import LEADS, LIMB_FROM_I_AND_II
from lsemvae.core.types import EcgBatch, EcgInput
from lsemvae.models import LsEmvae
from lsemvae.tasks import Pretrainer

N_SAMPLES = 64
LATENT_DIM = 4
TINY_INPUT = EcgInput(50.0, N_SAMPLES, (0.5, 20.0), "record", unit="mV")

torch.set_num_threads(1)  # the networks of these tests are too small to share


def tiny_ecg(n_records: int, *, seed: int = 0) -> torch.Tensor:
    """Return (B, 12, T): sums of three waves, the limb leads by Einthoven and Goldberger."""
    generator = torch.Generator().manual_seed(seed)
    time = torch.linspace(0, 6.28, N_SAMPLES)
    waves = torch.stack([torch.sin(time), torch.cos(time), torch.sin(3 * time)])
    strength = torch.randn(n_records, 12, 3, generator=generator)
    ecg = strength @ waves
    limb = torch.from_numpy(LIMB_FROM_I_AND_II).float() @ ecg[:, :2]
    return torch.cat([limb, ecg[:, 6:]], 1)


def tiny_batch(
    n_records: int = 8,
    *,
    leads: Sequence[str] = LEADS,
    seed: int = 0,
    labelled: bool = False,
    scale: float = 0.2,
) -> EcgBatch:
    """Return a batch as it reaches a task: float32, normalised, every lead present.

    The label says whether V1 begins above zero, so that a head can learn it.
    """
    ecg = tiny_ecg(n_records, seed=seed)
    label = (ecg[:, LEADS.index("V1"), 0] > 0).float() if labelled else torch.empty(0)
    return EcgBatch(
        ecg=ecg[:, [LEADS.index(lead) for lead in leads]],
        scale=torch.full((n_records, 1), scale),
        present=torch.ones(n_records, len(leads), dtype=torch.bool),
        leads=tuple(leads),
        label=label,
        record=[f"s{seed}r{number}" for number in range(n_records)],
        patient_id=[f"s{seed}p{number // 2}" for number in range(n_records)],
    )


def tiny_network(**arguments: Any) -> LsEmvae:
    """Return a small network whose experts and gate differ from one another."""
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = LsEmvae(N_SAMPLES, LATENT_DIM, **arguments)
    with torch.no_grad():
        network.encoders.linear_bias.normal_()
        if network.gate is not None:
            network.gate.weight.normal_()
            network.gate.bias.normal_()
    return network.eval()


def loss_of(network: LsEmvae, ecg: torch.Tensor, leads: Any = LEADS, **arguments: Any) -> Any:
    """Return the loss with fixed noise."""
    torch.manual_seed(7)
    return network.loss(ecg, leads, **{"beta": 0.7, **arguments})


class TinyData(LightningDataModule):
    """Serves the given batches, and describes its recordings as the real DataModules do."""

    def __init__(self, train: Sequence[Any], held_out: Sequence[Any] = ()) -> None:
        super().__init__()
        self.train, self.held_out = list(train), list(held_out)

    def train_dataloader(self) -> DataLoader[Any]:
        return DataLoader(self.train, batch_size=None)

    def val_dataloader(self) -> DataLoader[Any] | list[Any]:
        return DataLoader(self.held_out, batch_size=None) if self.held_out else []

    def test_dataloader(self) -> DataLoader[Any]:
        return DataLoader(self.held_out, batch_size=None)

    predict_dataloader = test_dataloader

    def state_dict(self) -> dict[str, Any]:
        return {
            "ecg_input": tuple(TINY_INPUT),
            "synthetic": True,
            "calibrated": True,
            "label": "tiny",
            "sha256": "0" * 64,
        }


class MemoryLogger(Logger):
    """Keeps every logged value by name, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.logged: dict[str, list[float]] = {}

    @property
    def name(self) -> str:
        return "memory"

    @property
    def version(self) -> str:
        return "0"

    @property
    @rank_zero_experiment
    def experiment(self) -> None:
        return None

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        for name, value in metrics.items():
            self.logged.setdefault(name, []).append(value)

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        """Not kept."""


def tiny_trainer(**arguments: Any) -> Trainer:
    """Return a silent Trainer on the CPU that leaves no file."""
    silent: dict[str, Any] = {
        "accelerator": "cpu",
        "devices": 1,
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "num_sanity_val_steps": 0,
        "log_every_n_steps": 1,
    }
    return Trainer(**{**silent, **arguments})


def tiny_checkpoint(folder: Path, *, seed: int = 0, **network: Any) -> Path:
    """Pre-train a tiny LS-EMVAE for two steps and return its checkpoint."""
    torch.manual_seed(seed)
    task = Pretrainer(LsEmvae(N_SAMPLES, LATENT_DIM, **network), lr=1e-2)
    trainer = tiny_trainer(max_steps=2, default_root_dir=folder)
    trainer.fit(task, datamodule=TinyData([tiny_batch(seed=1), tiny_batch(seed=2)]))
    path = folder / f"encoder_{seed}.ckpt"
    trainer.save_checkpoint(path)
    return path
