"""Pre-training leaves out whoever is evaluated."""

from pathlib import Path

import numpy as np
import pytest

from data_modules.mimic_ecg import MimicEcg
from data_modules.trained_on import read_trained_on
from lsemvae.cli import main
from lsemvae.core.errors import InputError
from tests.conftest import ROOT, error_of, tiny_network


@pytest.fixture
def listed(pretraining: Path, tmp_path: Path) -> tuple[str, list[str]]:
    """Return a file that lists two patients of the store and somebody else, and the two."""
    ids = sorted(set(MimicEcg(str(pretraining)).pool.table["patient_id"]))[:2]
    file = tmp_path / "patients.txt"
    file.write_text("\n".join([*ids, "somebody else", ""]))
    return str(file), ids


@pytest.mark.parametrize("val_fraction", [0.0, 0.3])
def test_excluded_patients_are_in_neither_part(
    pretraining: Path,
    listed: tuple[str, list[str]],
    val_fraction: float,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file, ids = listed
    data = MimicEcg(str(pretraining), exclude_patients=file, val_fraction=val_fraction)
    data.setup("fit")
    seen = {*data.train_set.patient_id, *data.val_set.patient_id}
    everybody = data.pool.table["patient_id"]
    assert seen == set(everybody) - set(ids)
    n_excluded = everybody.isin(ids).sum()
    assert f"left out: {n_excluded} recordings of excluded patients" in capsys.readouterr().out


def test_an_excluded_patient_is_left_out_in_every_spelling(
    pretraining: Path, tmp_path: Path, listed: tuple[str, list[str]]
) -> None:
    spelt = tmp_path / "spelt.txt"
    spelt.write_text("\n".join(f"{int(name)}.0" if name.isdigit() else f" {name.lower()}"
                               for name in listed[1]))  # fmt: skip
    rows = MimicEcg(str(pretraining), exclude_patients=str(spelt)).training_rows()
    wanted = MimicEcg(str(pretraining), exclude_patients=listed[0]).training_rows()
    assert rows.tolist() == wanted.tolist()


def test_patients_of_pooled_stores_are_named_as_in_their_store(
    pretraining: Path, cohort: Path, listed: tuple[str, list[str]]
) -> None:
    file, ids = listed
    data = MimicEcg([str(cohort), str(pretraining)], exclude_patients=file)
    kept = data.pool.table["patient_id"].to_numpy()[data.training_rows()]
    left_out = set(data.pool.table["patient_id"]) - set(kept)
    assert {name.rpartition("/")[2] for name in left_out} == set(ids)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read"),
        ("\n \n", "is empty; expected one patient id per line"),
        ("1.23457E+11\n", "lost digits in a spreadsheet"),
        ("nobody\n", "none of the 1 patient in .* is in .*, so the list may belong to other data"),
    ],
)
def test_a_useless_list_is_refused_before_training(
    pretraining: Path, tmp_path: Path, content: str | None, message: str
) -> None:
    file = tmp_path / "list.txt"
    if content is not None:
        file.write_text(content)
    with pytest.raises(InputError, match=message):
        MimicEcg(str(pretraining), exclude_patients=str(file)).check_files()


def test_excluding_everybody_is_refused(pretraining: Path, tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("\n".join(MimicEcg(str(pretraining)).pool.table["patient_id"]))
    with pytest.raises(InputError, match=f"excludes every patient of {pretraining}"):
        MimicEcg(str(pretraining), exclude_patients=str(file)).check_files()


def fit(store: Path, run: Path, *options: str) -> int:
    return main(
        ["fit", "--config", str(ROOT / "experiments/demo/pretrain.yaml"), *tiny_network(),
         "--data.init_args.store", str(store), "--data.init_args.batch_size", "8",
         "--trainer.max_epochs", "1", "--trainer.enable_progress_bar", "false",
         "--trainer.default_root_dir", str(run),
         "--trainer.logger.init_args.save_dir", str(run), *options]
    )  # fmt: skip


def test_a_run_remembers_only_the_patients_that_it_saw(
    pretraining: Path, listed: tuple[str, list[str]], tmp_path: Path
) -> None:
    file, ids = listed
    assert fit(pretraining, tmp_path, "--data.init_args.exclude_patients", file) == 0
    pool = MimicEcg(str(pretraining)).pool
    seen = read_trained_on(tmp_path / "checkpoints/last.ckpt", pool.sha256)
    assert seen is not None
    everybody = pool.table.drop_duplicates("patient_id")
    assert len(seen.patient.hashes) == len(everybody) - len(ids)
    kept = ~pool.table["patient_id"].isin(ids)
    assert len(seen.signal.hashes) == np.unique(pool.table["signal_sha256"][kept]).size


def test_a_missing_list_stops_fit_with_one_line(
    pretraining: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fit(pretraining, tmp_path, "--data.init_args.exclude_patients", "nowhere.txt") == 2
    assert "nowhere.txt cannot be read" in error_of(capsys)
