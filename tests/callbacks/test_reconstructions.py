from pathlib import Path

import numpy as np
import pytest
import torch
from lightning.pytorch.loggers import CSVLogger

from lsemvae.callbacks import ReconstructionWriter
from lsemvae.core.leads import LEADS, LIMB_LEADS
from lsemvae.core.types import EcgBatch
from lsemvae.models import LsEmvae
from lsemvae.tasks import Pretrainer
from tests.tiny_batches import LATENT_DIM, N_SAMPLES, TinyData, tiny_batch, tiny_trainer


@pytest.fixture
def task() -> Pretrainer:
    torch.manual_seed(0)
    return Pretrainer(LsEmvae(N_SAMPLES, LATENT_DIM))


def validated(task: Pretrainer, folder: Path, *batches: EcgBatch) -> Path:
    logger = CSVLogger(folder, name="", version="")
    trainer = tiny_trainer(callbacks=[ReconstructionWriter()], logger=logger)
    trainer.validate(task, datamodule=TinyData([], batches), verbose=False)
    return folder / "reconstructions.npz"


def test_the_first_records_are_kept_in_millivolt(task: Pretrainer, tmp_path: Path) -> None:
    batch = tiny_batch(5, seed=1, scale=0.25)
    batch.present[1, 8], batch.ecg[1, 8] = False, 0.0
    scale = torch.rand(5, 12) + 0.1
    path = validated(task, tmp_path, batch._replace(scale=scale), tiny_batch(5, seed=2))
    with np.load(path) as kept, torch.no_grad():
        assert kept["record"].tolist() == ["s1r0", "s1r1", "s1r2"]
        np.testing.assert_array_equal(kept["present"], batch.present[:3])
        np.testing.assert_allclose(kept["ecg_mv"], batch.ecg[:3] * scale[:3, :, None], rtol=1e-6)
        network = task.network.eval()
        whole = network.reconstruct(batch.ecg[:3], LEADS, batch.present[:3])
        limb = network.reconstruct(batch.ecg[:3, :6], LIMB_LEADS, batch.present[:3, :6])
        np.testing.assert_allclose(
            kept["from_12"], whole * scale[:3, :, None], rtol=1e-4, atol=1e-6
        )
        np.testing.assert_allclose(kept["from_6"], limb * scale[:3, :, None], rtol=1e-4, atol=1e-6)


def test_a_record_without_limb_leads_is_not_reconstructed_from_them(
    task: Pretrainer, tmp_path: Path
) -> None:
    batch = tiny_batch(2)
    batch.present[1, :6] = False
    with np.load(validated(task, tmp_path, batch)) as kept:
        assert "from_6" not in kept
        assert kept["from_12"].shape == (2, 12, N_SAMPLES)


def test_six_leads_leave_no_file(task: Pretrainer, tmp_path: Path) -> None:
    assert not validated(task, tmp_path, tiny_batch(2, leads=LIMB_LEADS)).exists()


def test_without_a_logger_the_file_lies_in_the_root_folder(
    task: Pretrainer, tmp_path: Path
) -> None:
    trainer = tiny_trainer(callbacks=[ReconstructionWriter()], default_root_dir=tmp_path)
    trainer.validate(task, datamodule=TinyData([], [tiny_batch(2)]), verbose=False)
    assert (tmp_path / "reconstructions.npz").is_file()
