"""New names of a table's columns: those that nothing reads but that come near one of ours."""

from pathlib import Path

import pytest

from data_modules.cohort.table import read_cohort_table
from data_modules.linking.table import read_hospital_table
from lsemvae.core.errors import InputError

COLUMNS = "record,patient_id,MPAP,PAWP,Date,Gender,Site\n1,1,21,9,2024-01-05,F,A\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "t.csv"
    made.write_text(COLUMNS)
    return made


@pytest.mark.parametrize(
    ("name", "theirs", "meant"),
    [
        ("mpap_mhg", "MPAP", "mpap_mmhg"),
        ("mPAP_mmHg", "MPAP", "mpap_mmhg"),
        ("pcwp_mmhg", "PAWP", "pawp_mmhg"),
        ("ecg_data", "Date", "ecg_date"),
        ("sexe", "Gender", "sex"),
        ("birthdate", "Date", "birth_date"),
    ],
)
def test_a_misspelt_name_is_asked_about_by_prepare_and_link(
    path: Path, name: str, theirs: str, meant: str
) -> None:
    asked = f"--columns.{name}={theirs} gives no column that is read; did you mean "
    asked += f"--columns.{meant}={theirs}?"
    with pytest.raises(InputError) as found:
        read_cohort_table(path, {name: theirs})
    assert asked in str(found.value)
    with pytest.raises(InputError) as found:
        read_hospital_table(path, {name: theirs}, sheet=None, encoding="utf-8", order=None)
    assert str(found.value) == asked


@pytest.mark.parametrize("name", ["site", "label", "ph", "weight_kg", "tpap_mmhg", "centre"])
def test_a_free_name_stays_free(path: Path, name: str) -> None:
    table = read_cohort_table(path, {name: "Site"}).table
    assert table[name].tolist() == ["A"]


def test_a_name_near_one_that_is_there_stays_free(path: Path) -> None:
    table = read_cohort_table(path, {"mpap_mmhg": "MPAP", "mpap_mmhg2": "PAWP"}).table
    assert (table["mpap_mmhg"].item(), table["mpap_mmhg2"].item()) == (21, 9)
