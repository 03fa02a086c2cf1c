"""`prepare code15` on small files in the official form."""

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from data_modules.reading.read import read_recording
from data_modules.store.read import EcgStore
from lsemvae.cli import main
from lsemvae.core.leads import LEADS
from tests.conftest import error_of

PADDING = 648  # of a tracing of seven seconds


def write_set(folder: Path, **changed: list[str]) -> Path:
    """Write exams.csv and two of three parts; limb leads agree with one another."""
    table = pd.DataFrame({
        "exam_id": ["11", "12", "13", "14"], "age": ["40"] * 4,
        "is_male": ["True", "False", "True", "False"], "nn_predicted_age": ["41.2"] * 4,
        **{name: ["False", "True", "False", "True"] for name in
           ("1dAVb", "RBBB", "LBBB", "SB", "ST", "AF")},
        "patient_id": ["1", "1", "2", "3"], "death": ["False", "", "True", "False"],
        "timey": ["1.2", "", "3.4", "2"], "normal_ecg": ["False"] * 4,
        "trace_file": ["exams_part0.hdf5"] * 2 + ["exams_part1.hdf5", "exams_part2.hdf5"],
    }).assign(**changed)  # fmt: skip
    folder.mkdir(exist_ok=True)
    table.to_csv(folder / "exams.csv", index=False)
    rng, time = np.random.default_rng(0), np.arange(2800) / 400
    beat = np.exp(-(((time % 0.8) - 0.4) ** 2) / 0.0005)
    for part, exams in enumerate(([12, 11, 0], [13, 0])):
        tracings = np.zeros((len(exams), 4096, 12), np.float32)
        for row, exam in enumerate(exams):
            if exam:
                first, second = 1.0 * beat, 1.4 * beat
                limb = [first, second, second - first, -(first + second) / 2,
                        first - second / 2, second - first / 2]  # fmt: skip
                leads = [*limb, *(exam / 10 * beat for _ in range(6))]
                noise = rng.normal(0, 0.001, (2800, 12))
                tracings[row, PADDING : PADDING + 2800] = np.stack(leads, 1) + noise
        with h5py.File(folder / f"exams_part{part}.hdf5", "w") as file:
            file["exam_id"], file["tracings"] = np.asarray(exams), tracings
    return folder


def prepare(folder: Path) -> int:
    return main(["prepare", "code15", "--source", str(folder), "--out", str(folder / "c.h5")])


def test_exams_are_found_by_their_id_and_labels_are_missing_where_empty(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prepare(write_set(tmp_path)) == 0
    assert "1 exam whose part is not there" in capsys.readouterr().out
    store = EcgStore(tmp_path / "c.h5")
    table = store.table.set_index("exam_id")
    index = [str(int(exam)) for exam in table.index]
    assert index == ["11", "12", "13"]
    assert table["record"].tolist() == ["exams_part0.hdf5#1", "exams_part0.hdf5#0",
                                        "exams_part1.hdf5#0"]  # fmt: skip
    np.testing.assert_array_equal(table["death"], [0, np.nan, 1])
    np.testing.assert_array_equal(table["RBBB"], [0, 1, 0])
    assert table["sex"].tolist() == ["M", "F", "M"]
    assert store.unit == "mV"
    peak = np.abs(store.read([0, 1, 2], [6])).max(axis=(1, 2)) / 1000
    assert peak == pytest.approx([1.1, 1.2, 1.3], rel=0.1)  # the tracings are millivolts


def test_padding_is_taken_away(tmp_path: Path) -> None:
    assert prepare(write_set(tmp_path)) == 0
    recording = read_recording(tmp_path, "exams_part1.hdf5#0", amplitude="calibrated")
    assert recording.ecg.shape == (12, 2800)
    assert recording.leads == LEADS
    assert recording.sampling_rate_hz == 400


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "exams.csv").unlink(), "exams.csv not found"),
        (lambda folder: write_set(folder, AF=["yes?"] * 4), "line 2 of AF holds 'yes?'"),
        (lambda folder: (folder / "exams_part0.hdf5").write_text("x"), "is no part of CODE-15%"),
        (lambda folder: [file.unlink() for file in folder.glob("*.hdf5")], "holds none of"),
    ],
)
def test_what_is_not_the_official_form_is_refused(
    change: object, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_set(tmp_path)
    change(folder)  # type: ignore[operator]
    assert prepare(folder) == 2
    assert message in error_of(capsys)


def test_a_row_or_dataset_that_is_not_there_is_named(tmp_path: Path) -> None:
    from data_modules.reading.reasons import RecordError

    assert prepare(write_set(tmp_path)) == 0
    for record, message in (("exams_part1.hdf5#7", "holds the rows 0 to 1"),
                            ("exams_part9.hdf5#0", "exams_part9.hdf5")):  # fmt: skip
        with pytest.raises(RecordError, match=message):
            read_recording(tmp_path, record, amplitude="calibrated")
