"""Altered copies of what another store holds: scaled, noisy, shifted; and other hearts."""

from pathlib import Path

import numpy as np
import pytest

from data_modules.conversion.prepare import prepare_cohort
from data_modules.dataset import EcgPool
from data_modules.leakage import check_leakage
from data_modules.signals.likeness import as_counts, fingerprints
from data_modules.signals.near_marks import LEAST_LEADS, are_near, near_marks
from data_modules.trained_on import write_trained_on
from tests.data_modules.conftest import WriteRecord
from tests.data_modules.conversion.test_altered_copies import ALTERED, Counts, hearts

ALL = np.ones((40, 12), np.bool_)


def marks_in(ecg: Counts) -> np.ndarray:
    counts = np.rint(ecg).astype(np.int16)
    return as_counts(fingerprints(counts, sampling_rate_hz=250.0))


@pytest.mark.parametrize("how", [one for one in ALTERED if one != "cut"])
def test_an_altered_copy_is_known_by_the_hash_alone(how: str) -> None:
    ecg = hearts(40)
    copies = np.stack([ALTERED[how](one) for one in ecg[:20]])
    marks = near_marks(marks_in(ecg[:20]), ALL[:20])
    assert are_near(marks_in(copies), ALL[:20], marks).mean() >= 0.9
    assert not are_near(marks_in(ecg[20:]), ALL[:20], marks).any()


def test_recordings_of_few_leads_or_that_stand_still_are_like_none() -> None:
    ecg, few = hearts(1), np.zeros((1, 12), np.bool_)
    few[:, : LEAST_LEADS + 3] = True  # five independent ones: I, II, V1, V2, V3
    found = marks_in(ecg)
    assert len(near_marks(found, few)) == 0
    assert not are_near(found, few, near_marks(found, ALL[:1])).any()
    still = np.zeros((1, 16), np.int16)
    assert not are_near(still, ALL[:1], near_marks(still, ALL[:1])).any()


def store(write_record: WriteRecord, folder: Path, name: str, ecg: Counts) -> EcgPool:
    for number, one in enumerate(ecg):
        write_record(f"{name}/{number}", one / 1000)
    rows = "\n".join(f"{number},{name}{number}" for number in range(len(ecg)))
    table, out = folder / f"{name}.csv", folder / f"{name}.h5"
    table.write_text(f"record,patient_id\n{rows}\n")
    prepare_cohort(str(table), str(folder / name), str(out))
    return EcgPool([str(out)])


def test_a_copy_of_the_pre_training_is_told_by_name_and_not_refused(
    write_record: WriteRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ecg = hearts(4)
    before = store(write_record, tmp_path, "before", ecg[:2])
    cohort = store(write_record, tmp_path, "cohort", np.stack([ecg[2], 0.8 * ecg[1], ecg[3]]))
    write_trained_on(tmp_path, before, np.arange(2))
    capsys.readouterr()
    fold_of = {"0": 0, "1": 1, "2": 1}
    encoder = str(tmp_path / "last.ckpt")
    found = check_leakage(cohort, fold_of, encoder=encoder, trained_on=before.sha256)
    assert not found.leaks
    assert found.about()["near_pretraining"] == 1
    text = " ".join(capsys.readouterr().out.split())
    assert text.startswith("warning: 1 recording is nearly the same as one of the pre-training")
    assert "(1)" in text
    check_leakage(cohort, {"0": 0, "2": 1}, encoder=encoder, trained_on=before.sha256)
    assert capsys.readouterr().out == ""  # a recording without a label is not asked for
