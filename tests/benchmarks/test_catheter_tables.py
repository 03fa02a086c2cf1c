from pathlib import Path

import pytest

from benchmarks import catheter_tables
from lsemvae.cli import main


@pytest.mark.parametrize("ending", [".csv", ".csv.gz"])
def test_every_invented_patient_becomes_a_row(ending: str, tmp_path: Path) -> None:
    catheter_tables.write_tables(tmp_path, 8000, ending)
    folders = ["--mimic_iv", str(tmp_path / "iv"), "--mimic_ecg", str(tmp_path / "ecg")]
    assert main(["prepare", "mimic-rhc", *folders, "--out", str(tmp_path / "out.csv")]) == 0
    rows = (tmp_path / "out.csv").read_text().splitlines()[1:]
    assert [row.split(",")[2:4] for row in rows] == [["30", "14"]] * 2
