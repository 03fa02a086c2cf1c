from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from data_modules.rhc_cohort import RhcCohort
from lsemvae.callbacks import RepresentationProbe
from lsemvae.cli import main
from lsemvae.core.errors import InputError
from lsemvae.models import load_pretrained
from tests.conftest import ROOT, error_of, tiny_network
from tests.test_resume import EVERY_STEP, differences, n_steps

CALLBACK = "--trainer.callbacks.init_args"


def fit(pretraining: Path, run: Path, *more: str) -> int:
    arguments = ["--data.init_args.store", str(pretraining), "--data.init_args.batch_size", "5",
                 "--trainer.enable_progress_bar", "false", "--trainer.accelerator", "cpu",
                 "--trainer.default_root_dir", str(run),
                 "--trainer.logger.init_args.save_dir", str(run)]  # fmt: skip
    config = str(ROOT / "experiments/demo/pretrain.yaml")
    return main(["fit", "--config", config, *tiny_network(), *arguments, *more])


def probe(cohort: Path, run: Path, *more: str) -> list[str]:
    return ["--trainer.callbacks+=lsemvae.callbacks.RepresentationProbe",
            f"{CALLBACK}.every_n_epochs=2", f"{CALLBACK}.n_twins=2",
            f"{CALLBACK}.cohort=data_modules.rhc_cohort.RhcCohort",
            f"{CALLBACK}.cohort.init_args.store={cohort}",
            f"{CALLBACK}.cohort.init_args.splits={run / 'splits.json'}",
            *(f"{CALLBACK}.cohort.init_args.{option}" for option in more)]  # fmt: skip


@pytest.fixture(scope="module")
def probed(cohort: Path, pretraining: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("probed")
    assert fit(pretraining, run, "--trainer.max_epochs", "4", *probe(cohort, run), *EVERY_STEP) == 0
    return run


def test_probe_and_its_untrained_line_are_logged_first_every_kth_and_last_epoch(
    probed: Path,
) -> None:
    log = pd.read_csv(probed / "metrics.csv").dropna(subset=["probe/auroc"])
    assert log["epoch"].tolist() == [0, 2, 3]
    assert log["probe/untrained_auroc"].nunique() == 1
    assert log["probe/auroc"].between(0, 1).all()


def test_training_with_a_probe_is_training_without_one_to_the_bit(
    probed: Path, pretraining: Path, tmp_path: Path
) -> None:
    assert fit(pretraining, tmp_path, "--trainer.max_epochs", "4") == 0
    assert differences(tmp_path / "checkpoints/last.ckpt", probed / "checkpoints/last.ckpt") == []


def test_a_resumed_run_with_a_probe_equals_an_unbroken_one_to_the_bit(
    probed: Path, cohort: Path, pretraining: Path, tmp_path: Path
) -> None:
    middle = probed / f"checkpoints/step={n_steps(probed) // 2}.ckpt"
    more = ["--trainer.max_epochs", "4", *probe(cohort, tmp_path), "--ckpt_path", str(middle)]
    assert fit(pretraining, tmp_path, *more) == 0
    assert differences(tmp_path / "checkpoints/last.ckpt", probed / "checkpoints/last.ckpt") == []
    logs = [
        pd.read_csv(run / "metrics.csv").dropna(subset=["probe/auroc"])
        for run in (probed, tmp_path)
    ]
    last = [log.set_index("epoch")[["probe/auroc", "probe/untrained_auroc"]].loc[3] for log in logs]
    pd.testing.assert_series_equal(*last)


def test_the_figure_is_that_of_the_saved_encoder_on_held_out_patients(
    probed: Path, cohort: Path
) -> None:
    network = load_pretrained(str(probed / "checkpoints/last.ckpt")).network
    data = RhcCohort(str(cohort), splits=str(probed / "splits.json"))
    state = torch.get_rng_state()
    found = RepresentationProbe(data).auroc(network, torch.device("cpu"))
    assert len(state) == len(torch.get_rng_state())
    log = pd.read_csv(probed / "metrics.csv").dropna(subset=["probe/auroc"])
    assert found == pytest.approx(log["probe/auroc"].iloc[-1], abs=1e-6)


def test_early_stopping_goes_by_the_probe(cohort: Path, pretraining: Path, tmp_path: Path) -> None:
    stop = ["--trainer.callbacks+=lightning.pytorch.callbacks.EarlyStopping",
            "--trainer.callbacks.init_args.monitor=probe/auroc",
            "--trainer.callbacks.init_args.mode=max",
            "--trainer.callbacks.init_args.stopping_threshold=0.0"]  # fmt: skip
    arguments = ["--trainer.max_epochs", "4", *probe(cohort, tmp_path), *stop]
    assert fit(pretraining, tmp_path, *arguments) == 0
    assert np.nanmax(pd.read_csv(tmp_path / "metrics.csv")["epoch"]) == 0


def test_recordings_unlike_those_of_the_training_are_refused_before_it_begins(
    cohort: Path, pretraining: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fit(pretraining, tmp_path, *probe(cohort, tmp_path, "normalisation=lead")) == 2
    assert "normalisation record against lead" in error_of(capsys)
    assert not list(tmp_path.rglob("*.ckpt"))


def test_numbers_below_one_are_refused(cohort: Path) -> None:
    with pytest.raises(InputError, match="every_n_epochs and n_twins >= 1, got 0 and 5"):
        RepresentationProbe(RhcCohort(str(cohort)), every_n_epochs=0)
