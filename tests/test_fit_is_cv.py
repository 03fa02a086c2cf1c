"""A fold is the same fold whether `cv` runs it or `fit` and `test` with its experiment file."""

from pathlib import Path

import pandas as pd
import pytest

from lsemvae.cli import main
from tests.conftest import N_SAMPLES, ROOT

FOLD = "1"
RESNET = "--model.init_args.network.init_args"


@pytest.mark.parametrize("method", ["ls_emvae", "resnet1d"])
def test_fit_and_cv_predict_a_fold_alike_to_the_bit(
    method: str, cohort: Path, encoder: Path, tmp_path: Path
) -> None:
    frozen = method == "ls_emvae"
    one_by_one = ["--side_by_side", "false"]  # together they differ by float32's rounding
    asked = ["--encoder", str(encoder), *one_by_one] if frozen else ["--size", "small"]
    assert main(
        ["cv", "--cohort", str(cohort), "--method", method, "--folds", "2", "--epochs", "2",
         "--seed", "3", "--inner", "false", "--out", str(tmp_path), *asked]
    ) == 0  # fmt: skip
    run = tmp_path / "fit"
    network = (
        ["--model.init_args.encoder", str(encoder)] if frozen
        else [f"{RESNET}.n_samples", str(N_SAMPLES), f"{RESNET}.width", "16"]
    )  # fmt: skip
    description = [
        "--config", str(ROOT / f"experiments/detection/{method}_12l.yaml"), *network,
        "--seed_everything", "3", "--data.init_args.store", str(cohort),
        "--data.init_args.n_folds", "2", "--data.init_args.fold", FOLD,
        "--data.init_args.seed", "3",
        "--data.init_args.splits", str(tmp_path / "detection/splits.json"),
        "--trainer.max_epochs", "2", "--trainer.enable_progress_bar", "false",
        "--trainer.default_root_dir", str(run), "--trainer.logger.init_args.save_dir", str(run),
    ]  # fmt: skip
    assert main(["fit", *description]) == 0
    (checkpoint,) = run.rglob("last.ckpt")
    assert main(["test", *description, "--ckpt_path", str(checkpoint)]) == 0
    (written,) = run.rglob("*predictions*.csv")
    expected = tmp_path / f"detection/{method}/12L/fold_{FOLD}/predictions.csv"
    columns = ["record", "patient_id", "label", "probability"]
    pd.testing.assert_frame_equal(
        pd.read_csv(written)[columns], pd.read_csv(expected)[columns], check_exact=True
    )
