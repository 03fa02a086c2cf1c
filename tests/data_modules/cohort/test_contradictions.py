"""Plant columns that contradict one another in a cohort that is consistent by construction."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_modules.cohort.contradictions import contradictions
from data_modules.cohort.label_columns import tell_label
from data_modules.cohort.table import read_cohort_table
from data_modules.simulation.cohort import draw_cohort
from lsemvae.core.tasks import Thresholds


@pytest.fixture
def table() -> pd.DataFrame:
    """Return a cohort of 80 patients with a column of PH as its definition has it."""
    drawn = draw_cohort(80, rng=np.random.default_rng(0)).table
    return drawn.assign(ph=(drawn["mpap_mmhg"] > 20).astype(float))


def told(table: pd.DataFrame) -> list[tuple[str, int]]:
    """Return what is found, each with the number of its rows."""
    return [(one.message, len(one.where)) for one in contradictions(table, Thresholds())]


@pytest.mark.parametrize(("codes", "shown"), [("12", "'1', '2'"), ("01", "'0', '1'")])
def test_a_sex_in_codes_is_told_and_not_guessed(
    codes: str, shown: str, table: pd.DataFrame
) -> None:
    table["sex"] = table["sex"].map(dict(zip("FM", codes, strict=True)))
    ((message, _),) = told(table)
    assert message.startswith(f"sex is written as {shown}")
    assert "1 is male and 2 female; others write 0 or 1 for either" in message


def test_exchanged_dates_are_asked_for(table: pd.DataFrame) -> None:
    rhc = pd.Timestamp("2020-03-10")
    days = np.where(np.arange(80) % 10 == 0, 3, -2)  # one in ten after the catheter
    table["rhc_date"] = [*[str(rhc.date())] * 79, "2020-03-11"]
    table["ecg_date"] = [str((rhc + pd.Timedelta(days=int(one))).date()) for one in days]
    assert told(table) == []
    table[["ecg_date", "rhc_date"]] = table[["rhc_date", "ecg_date"]].to_numpy()
    ((message, _),) = told(table)
    assert "the ECG lies after the catheter in 72 of 80 rows, by 2 days in the median" in message
    assert "are ecg_date and rhc_date exchanged?" in message


def test_a_label_that_is_turned_round_is_told_by_the_pressures(table: pd.DataFrame) -> None:
    assert told(table) == []
    table["no_ph"] = 1 - table["ph"]
    assert told(table) == []  # its name says so
    table["ph"] = 1 - table["ph"]
    ((message, _),) = told(table)
    assert message.startswith("ph is 1 where mpap_mmhg is low (median ")
    table["no_ph"] = 1 - table["no_ph"]
    assert any(one.startswith("no_ph is 1 where mpap_mmhg is high") for one, _ in told(table))


def test_whatever_asks_for_a_label_is_told_of_it_alone(
    table: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    table["ph"] = 1 - table["ph"]
    table["again"] = table["ph"]
    for asked in ("ph", "detection"):
        tell_label(table, asked, Thresholds())
    said = "".join(capsys.readouterr())
    assert said.count("warning: ph is 1 where mpap_mmhg is low") == 1
    assert "again" not in said


def test_a_group_that_is_turned_round_is_told_by_the_wedge_pressure(table: pd.DataFrame) -> None:
    with_ph = table["mpap_mmhg"] > 20
    table["post_capillary"] = (table["pawp_mmhg"] > 15).where(with_ph).astype(float)
    table["pre_capillary_ph"] = 1 - table["post_capillary"]
    assert told(table) == []
    table[["post_capillary", "pre_capillary_ph"]] = (
        1 - table[["post_capillary", "pre_capillary_ph"]]
    )
    assert [message.split(" (")[0] for message, _ in told(table)] == [
        "post_capillary is 1 where pawp_mmhg is low",
        "pre_capillary_ph is 1 where pawp_mmhg is high",
    ]  # fmt: skip


def test_a_label_of_another_limit_is_told_with_the_limit(table: pd.DataFrame) -> None:
    table["ph"] = (table["mpap_mmhg"] > 25).astype(float)
    between = int(table["mpap_mmhg"].between(20, 25, inclusive="right").sum())
    ((message, n),) = told(table)
    assert n == between > 0
    assert f"ph is not mpap_mmhg > 20 in {between} rows of 80" in message
    assert "in all but 0" in message
    table["severe_ph"] = table.pop("ph")
    assert told(table) == []


def test_some_wrong_rows_of_a_label_are_told(table: pd.DataFrame) -> None:
    table.loc[[2, 9, 11], "ph"] = 1 - table.loc[[2, 9, 11], "ph"]
    assert told(table) == [("ph is not mpap_mmhg > 20 in 3 rows of 80", 3)]


def test_one_value_in_all_rows_and_days_to_come_are_told(table: pd.DataFrame) -> None:
    table = table.assign(rhc_date="2020-03-10", pawp_mmhg=12.0)
    ((pressure, _), (day, _)) = told(table)
    assert pressure.startswith("pawp_mmhg is 12.0 in 80 rows, in all that have it")
    assert day.startswith("rhc_date is 2020-03-10 in 80 rows")
    assert told(table.assign(pawp_mmhg=table["mpap_mmhg"], rhc_date="2150-03-10"))[1:] == []
    one = table.assign(rhc_date=["2040-01-01", *["2020-03-10"] * 39, *["2020-03-11"] * 40])
    assert told(one)[1:] == [("rhc_date lies in the future in 1 row", 1)]


def test_a_column_that_is_no_label_of_the_pressures_is_left_alone(table: pd.DataFrame) -> None:
    table["af"] = np.random.default_rng(1).integers(0, 2, 80).astype(float)
    table["treated"] = ((table["mpap_mmhg"] < 40) & (table["af"] == 1)).astype(float)
    assert told(table) == []


@pytest.mark.parametrize(
    "name", ["arterial_hypertension", "systemic hypertension", "ph_on_echo", "ph-therapy", "PAH_PH"]
)
def test_a_column_that_goes_with_pressures_is_no_definition_of_ph(
    name: str, table: pd.DataFrame
) -> None:
    table[name] = table.pop("ph")
    table.loc[::9, name] = 1 - table.loc[::9, name]  # as a comorbidity does: AUROC about 0.9
    assert told(table) == []
    table["ph_status"] = table.pop(name)
    assert told(table) == [("ph_status is not mpap_mmhg > 20 in 9 rows of 80", 9)]


def test_a_label_whose_name_says_its_limit_is_not_told(table: pd.DataFrame) -> None:
    table["ph_ge_25"] = (table.pop("mpap_mmhg").round() >= 25).astype(float)
    table["mpap_mmhg"] = np.where(table["ph_ge_25"] == 1, 30.0, 22.0)
    assert told(table[["patient_id", "mpap_mmhg", "ph_ge_25"]]) == []
    named = table[["patient_id", "mpap_mmhg", "ph_ge_25"]].rename(columns={"ph_ge_25": "ph_ge_40"})
    assert [one.split(" in ")[0] for one, _ in told(named)] == ["ph_ge_40 is not mpap_mmhg > 20"]


def test_columns_that_follow_from_others_are_compared(table: pd.DataFrame) -> None:
    n = len(table)
    height, weight = np.linspace(155, 190, n), np.linspace(95, 55, n)
    table = table.assign(
        height_cm=height, weight_kg=weight, bmi=(weight / (height / 100) ** 2).round(1),
        bsa_m2=(0.007184 * height**0.725 * weight**0.425).round(2),
        ci=(table["cardiac_output_l_min"] / (0.007184 * height**0.725 * weight**0.425)).round(1),
        tpg=table["mpap_mmhg"] - table["pawp_mmhg"],
        ecg_date=["2020-03-09", *["2020-03-10"] * (n - 1)],
        birth_date=[f"{2020 - int(age)}-01-20" for age in table["age_years"]],
    )  # fmt: skip
    assert told(table) == []
    table.loc[3, ["bmi", "bsa_m2", "ci", "tpg", "age_years"]] += [9.0, 1.0, 2.0, 5.0, 4.0]
    assert [(one.split(" in 1 row")[0], n) for one, n in told(table)] == [
        ("age_years is not what birth date and date of the recording give", 1),
        ("bmi is not what height and weight give", 1),
        ("bsa_m2 is not what height and weight give", 1),
        ("ci is not what cardiac output and body surface give", 1),
        ("tpg is not what mPAP and PAWP give", 1),
    ]


def test_prepare_tells_one_id_of_two_people(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("record,patient_id,sex,age_years\na,1,F,30\nb,1,M,70\nc,2,F,50\n")
    told = " ".join(read_cohort_table(file).warnings)
    assert "1 patient has recordings of two sexes" in told
    assert "1 patient has recordings of ages more than 20 years apart" in told
