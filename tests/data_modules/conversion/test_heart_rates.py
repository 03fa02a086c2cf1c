"""Hearts in the signals against the heart rates of the table."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.recording_files import make_counts, wfdb_files
from data_modules.conversion.heart_rates import heart_rate_doubts
from data_modules.conversion.prepare import prepare_cohort


@pytest.mark.parametrize(("rate_hz", "told"), [(250, False), (500, True)])
def test_a_heart_twice_as_fast_as_in_the_table_is_told(
    rate_hz: int, told: bool, tmp_path: Path
) -> None:
    for name, content in wfdb_files(make_counts(n_samples=2500), rate=rate_hz).items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "t.csv").write_text("record,patient_id,heart_rate_bpm\nr1,P1,62\n")
    out = tmp_path / "s.h5"
    summary = prepare_cohort(str(tmp_path / "t.csv"), str(tmp_path), str(out), jobs=1)
    assert ("rate_doubtful" in summary.warnings) is told
    if told:
        text = summary.quarantine.read_text()
        assert "times a minute in the signal, 62 times by heart_rate_bpm of the table" in text


def test_a_cohort_of_another_rate_is_told_as_a_whole() -> None:
    stated = np.array([60.0, 70, 80, 90, 100, np.nan, 0])
    table = pd.DataFrame({"machine_heart_rate_bpm": stated})
    doubts, whole = heart_rate_doubts(table, 1.6 * stated)
    assert not doubts
    assert len(whole) == 1
    assert whole[0].startswith("hearts beat 1.6 times as fast in the signals as by machine_heart")
    assert "median of 5 recordings" in whole[0]
    assert heart_rate_doubts(table, 1.2 * stated) == ({}, ())
    assert heart_rate_doubts(table, np.full(7, np.nan)) == ({}, ())
    assert heart_rate_doubts(pd.DataFrame({"age_years": stated}), stated) == ({}, ())


def test_rates_of_other_rows_are_told_and_loose_ones_are_not() -> None:
    random = np.random.default_rng(0)
    signals = random.normal(75, 14, 120)
    loose = 75 + 0.6 * (signals - 75) + random.normal(0, 11, 120)
    table = pd.DataFrame({"patient_id": np.arange(120).astype(str), "heart_rate_bpm": loose})
    assert heart_rate_doubts(table, signals)[1] == ()
    sorted_alone = table.assign(heart_rate_bpm=np.roll(loose, 1))
    (told,) = heart_rate_doubts(sorted_alone, signals)[1]
    assert told.startswith("the heart rates of heart_rate_bpm do not go with those of the signals")
    assert "of 120 patients" in told
    assert heart_rate_doubts(sorted_alone[:19], signals[:19])[1] == ()
    one_patient = sorted_alone.assign(patient_id="P1")
    assert heart_rate_doubts(one_patient, signals)[1] == ()
