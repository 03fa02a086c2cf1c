from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from lightning.pytorch.loggers import CSVLogger

from lsemvae.callbacks import PredictionWriter
from lsemvae.core.errors import InputError
from lsemvae.models import MultimodalCnn
from lsemvae.tasks import Classifier
from tests.tiny_batches import LATENT_DIM, N_SAMPLES, TinyData, tiny_batch, tiny_trainer

BATCHES = [tiny_batch(5, seed=1, labelled=True), tiny_batch(2, seed=2, labelled=True)]


@pytest.fixture
def task() -> Classifier:
    torch.manual_seed(0)
    return Classifier(MultimodalCnn(N_SAMPLES, LATENT_DIM))


def expected_table(task: Classifier) -> pd.DataFrame:
    task.eval()
    with torch.no_grad():
        probability = torch.cat([task(batch).sigmoid() for batch in BATCHES])
    return pd.DataFrame(
        {
            "record": [name for batch in BATCHES for name in batch.record],
            "patient_id": [name for batch in BATCHES for name in batch.patient_id],
            "label": torch.cat([batch.label for batch in BATCHES]).double().numpy(),
            "probability": probability.double().numpy(),
        }
    )


def test_a_test_run_writes_every_record_once(task: Classifier, tmp_path: Path) -> None:
    path = tmp_path / "new" / "predictions.csv"
    trainer = tiny_trainer(callbacks=[PredictionWriter(str(path))])
    for _ in range(2):  # a second run must not repeat the first one's rows
        trainer.test(task, datamodule=TinyData([], BATCHES), verbose=False)
        pd.testing.assert_frame_equal(pd.read_csv(path), expected_table(task), rtol=1e-6)


def test_a_predict_run_writes_unlabelled_records(task: Classifier, tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    unlabelled = [batch._replace(label=torch.empty(0)) for batch in BATCHES]
    trainer = tiny_trainer(callbacks=[PredictionWriter(str(path))])
    trainer.predict(task, datamodule=TinyData([], unlabelled))
    expected = expected_table(task).assign(label=np.nan)
    pd.testing.assert_frame_equal(pd.read_csv(path), expected, rtol=1e-6)


def test_without_a_path_the_file_lies_in_the_loggers_folder(
    task: Classifier, tmp_path: Path
) -> None:
    logger = CSVLogger(tmp_path, name="", version="")
    trainer = tiny_trainer(callbacks=[PredictionWriter()], logger=logger)
    trainer.test(task, datamodule=TinyData([], BATCHES), verbose=False)
    assert len(pd.read_csv(tmp_path / "test_predictions.csv")) == 7


def test_a_run_that_broke_off_leaves_nothing_for_the_next(task: Classifier, tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    writer = PredictionWriter(str(path))
    broken = BATCHES[1]._replace(ecg=torch.zeros(2, 12, 3))
    with pytest.raises(ValueError, match="takes"):
        tiny_trainer(callbacks=[writer]).test(
            task, datamodule=TinyData([], [BATCHES[0], broken]), verbose=False
        )
    assert not path.exists()
    tiny_trainer(callbacks=[writer]).test(task, datamodule=TinyData([], BATCHES), verbose=False)
    assert len(pd.read_csv(path)) == 7


def test_a_file_of_somebody_else_is_not_written_over(task: Classifier, tmp_path: Path) -> None:
    path = tmp_path / "cohort.csv"
    path.write_text("patient_id,mpap_mmhg\nA1,25\n")
    trainer = tiny_trainer(callbacks=[PredictionWriter(str(path))])
    with pytest.raises(InputError, match="this command did not write it"):
        trainer.test(task, datamodule=TinyData([], BATCHES), verbose=False)
    assert path.read_text().endswith("A1,25\n")
