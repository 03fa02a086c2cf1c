import shutil
from pathlib import Path

import pandas as pd
import pytest

from data_modules.cohort.twins import leave_out, merge_patients, signal_twins
from data_modules.store.read import EcgStore
from lsemvae.cli import main
from lsemvae.core.errors import InputError
from tests.conftest import BEATS, error_of

TABLE = pd.DataFrame({
    "record": ["a", "b", "c", "d", "e"],
    "patient_id": ["1", "2", "3", "3", "4"],
    "signal_sha256": ["x", "y", "x", "z", "z"],
})  # fmt: skip


def write(folder: Path, text: str) -> Path:
    (folder / "list.csv").write_text(text)
    return folder / "list.csv"


def test_twins_are_the_same_signal_under_different_patients_side_by_side() -> None:
    assert signal_twins(TABLE)["record"].tolist() == ["a", "c", "d", "e"]
    alone = TABLE.assign(patient_id="1")
    assert not len(signal_twins(alone))


def test_listed_records_are_left_out(tmp_path: Path) -> None:
    left = leave_out(TABLE, write(tmp_path, "record\nc.hea\ne\n"))
    assert left["record"].tolist() == ["a", "b", "d"]
    assert list(left.index) == [0, 1, 2]


def test_a_patient_moves_with_all_recordings(tmp_path: Path) -> None:
    merged = merge_patients(TABLE, write(tmp_path, "record,patient_id\nc,1\n"))
    assert merged["patient_id"].tolist() == ["1", "2", "1", "1", "4"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("record,patient_id\nc,1\nd,4\n", "gives the recordings of patient 3 to 2 patients"),
        ("record,patient_id\nc,1\na,3\n", "whose own it moves away"),
        ("record,patient_id\nq,1\n", "names 1 record that the table lacks, the first is q"),
        ("record,patient_id\nc,\n", "row 2 lacks record or patient_id"),
        ("name,patient_id\nc,1\n", "needs the columns record and patient_id"),
    ],
)
def test_unclear_lists_are_refused(text: str, expected: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=expected):
        merge_patients(TABLE, write(tmp_path, text))


def twin_cohort(recordings: Path, folder: Path) -> tuple[list[str], list[str]]:
    """Copy two recordings under patients of their own; return the arguments and the names."""
    table = pd.read_csv(recordings / "cohort/cohort.csv", dtype=str)
    copied = Path(shutil.copytree(recordings / "cohort/records", folder / "records"))
    rows, names = [table], []
    for number in (0, 5):
        name, twin = table["record"][number], f"twin{number}"
        names += [name, twin]
        header = (copied / f"{name}.hea").read_text()
        (copied / f"{twin}.hea").write_text(header.replace(name, twin))
        shutil.copy(copied / f"{name}.dat", copied / f"{twin}.dat")
        rows.append(table.iloc[[number]].assign(record=twin, patient_id=f"other{number}",
                                                age_years="33"))  # fmt: skip
    pd.concat(rows).to_csv(folder / "table.csv", index=False)
    return ["prepare", "cohort", "--table", str(folder / "table.csv"), "--source", str(copied),
            "--out", str(folder / "store.h5"), *BEATS], names  # fmt: skip


def test_all_twins_are_named_at_once_and_can_be_dropped_or_merged(
    recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare, (one, twin, other, second) = twin_cohort(recordings, tmp_path)
    store = str(tmp_path / "store.h5")
    assert main(prepare) == 0
    assert "2 signals stand under several patients, 4 recordings" in capsys.readouterr().out
    assert main(["check", "cohort", "--store", store]) == 1
    text = capsys.readouterr().out
    assert f"  {one}, {twin}: identical waveforms under different patients" in text
    assert f"  {other}, {second}: identical waveforms under different patients" in text
    cv = ["cv", "--cohort", store, "--method", "resnet1d", "--out", str(tmp_path / "cv")]
    assert main(cv) == 2
    assert f"{one} = {twin}, {other} = {second}" in error_of(capsys)
    listed = pd.read_csv(tmp_path / "cv/detection/twins.csv", dtype=str)
    assert listed["record"].tolist() == [one, twin, other, second]

    exclude = write(tmp_path, f"record\n{twin}\n{second}\n")
    assert main([*prepare, "--exclude", str(exclude)]) == 0
    assert "several patients" not in capsys.readouterr().out
    assert len(EcgStore(store)) == 60

    owner = listed["patient_id"]
    merge = write(tmp_path, f"record,patient_id\n{twin},{owner[0]}\n{second},{owner[2]}\n")
    assert main([*prepare, "--same_patient", str(merge)]) == 0
    assert "several patients" not in capsys.readouterr().out
    table = EcgStore(store).table
    assert len(table) == 62
    assert table["patient_id"].nunique() == 60
