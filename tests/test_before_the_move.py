"""Files made before the packages were laid out anew still load, and say the same.

The archive holds a synthetic cohort's store, an encoder (its weights rounded so that the file packs
small, its optimiser left out), a cross-validation of its head and the experiment files of that day.
"""

import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from data_modules.store.read import EcgStore
from lsemvae.cli import main

ARCHIVE = Path(__file__).parent / "fixtures/before_the_move.tar.xz"
RUN = "cv/detection/ls_emvae/12L"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Return the unpacked folder."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # 3.11.4 on
        archive.extractall(tmp_path)
    return tmp_path


def _predictions(file: Path) -> pd.DataFrame:
    return pd.read_csv(file).set_index("record").sort_index()


def test_store_opens(old: Path) -> None:
    store = EcgStore(str(old / "cohort.h5"))
    assert (len(store.table), store.n_samples, store.synthetic) == (40, 120, True)


def test_finished_folds_count_as_finished(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = _predictions(old / RUN / "predictions.csv")
    arguments = ["--cohort", str(old / "cohort.h5"), "--encoder", str(old / "encoder.ckpt")]
    settings = ["--epochs", "2", "--folds", "2", "--inner", "false", "--out", str(old / "cv")]
    assert main(["cv", *arguments, *settings]) == 0
    assert "all 2 folds are finished" in capsys.readouterr().out
    after = _predictions(old / RUN / "predictions.csv")
    pd.testing.assert_frame_equal(after[before.columns], before, rtol=1e-5)


def test_old_experiment_file_applies_the_old_head(old: Path) -> None:
    held_out = old / "again"
    assert main(
        ["test", "--config", str(old / "detection.yaml"),
         "--model.init_args.encoder", str(old / "encoder.ckpt"),
         "--data.init_args.store", str(old / "cohort.h5"), "--data.init_args.n_folds", "2",
         "--data.init_args.splits", str(old / "cv/detection/splits.json"),
         "--ckpt_path", str(old / RUN / "fold_0/last.ckpt"),
         "--trainer.default_root_dir", str(held_out),
         "--trainer.logger.init_args.save_dir", str(held_out)]
    ) == 0  # fmt: skip
    before = _predictions(old / RUN / "fold_0/predictions.csv")
    (written,) = held_out.rglob("*predictions*.csv")
    after = _predictions(written)
    assert list(after.index) == list(before.index)
    np.testing.assert_allclose(after["probability"], before["probability"], rtol=1e-4)


def test_names_of_data_modules_are_those_of_before_and_shorter_ones(old: Path) -> None:
    import data_modules
    from data_modules.mimic_ecg import MimicEcg
    from data_modules.rhc_cohort import RhcCohort

    names = [yaml.safe_load((old / name).read_text())["data"]["class_path"]
             for name in ("detection.yaml", "pretrain.yaml")]  # fmt: skip
    assert names == ["data_modules.rhc_cohort.RhcCohort", "data_modules.mimic_ecg.MimicEcg"]
    assert (data_modules.RhcCohort, data_modules.MimicEcg) == (RhcCohort, MimicEcg)
    with pytest.raises(AttributeError, match="NoSuchCohort"):
        _ = data_modules.NoSuchCohort
