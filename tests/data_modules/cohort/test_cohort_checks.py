import numpy as np
import pandas as pd
import pytest

from data_modules.cohort.checks import CohortLimits, check_cohort_values, group_counts
from data_modules.simulation.cohort import GROUP_SIZES, draw_cohort
from lsemvae.core.errors import InputError
from lsemvae.core.findings import Finding
from lsemvae.core.tasks import Thresholds

LIMITS = CohortLimits()


@pytest.fixture
def table() -> pd.DataFrame:
    """Return a cohort that is consistent by construction."""
    return draw_cohort(80, rng=np.random.default_rng(0)).table.astype({"mpap_mmhg": float,
           "pawp_mmhg": float, "spap_mmhg": float, "dpap_mmhg": float})  # fmt: skip


def only(table: pd.DataFrame, limits: CohortLimits = LIMITS) -> Finding:
    """Return the one finding that there must be."""
    (finding,) = check_cohort_values(table, limits)
    return finding


def test_nothing_is_found_in_a_consistent_cohort() -> None:
    for seed in range(3):
        table = draw_cohort(rng=np.random.default_rng(seed)).table
        assert check_cohort_values(table, LIMITS) == []


@pytest.mark.parametrize(
    ("words", "mixed"),
    [("TRUE 0 NA yes", True), ("yes 1 no", True), ("yes true", True), ("yes no NA", False),
     ("a b yes", False), ("0 1", False)],
)  # fmt: skip
def test_a_label_of_mixed_words_is_found(words: str, mixed: bool, table: pd.DataFrame) -> None:
    cells = words.split() * len(table)
    found = check_cohort_values(table.assign(ph=cells[: len(table)]), LIMITS)
    told = [one.message for one in found if one.check == "label"]
    assert len(told) == mixed
    assert all("can be no label: write 0 and 1 in all cells" in one for one in told)


def test_one_id_of_two_sexes_is_found(table: pd.DataFrame) -> None:
    table.loc[[0, 1, 2, 3], "patient_id"] = ["A", "A", "B", "B"]
    table.loc[[0, 1, 2, 3], "sex"] = ["F", "M", "F", None]
    found = {finding.check: finding for finding in check_cohort_values(table, LIMITS)}
    assert found["two sexes"].where == ("0", "1")
    assert "1 patient has recordings of two sexes" in found["two sexes"].message
    table.loc[[0, 1], "sex"] = ["F", "female"]
    assert "two sexes" not in {one.check for one in check_cohort_values(table, LIMITS)}


def test_one_id_of_two_ages_is_found(table: pd.DataFrame) -> None:
    table.loc[[0, 1, 2, 3], "patient_id"] = ["A", "A", "B", "B"]
    table["sex"] = "F"
    table.loc[[0, 1, 2, 3], "age_years"] = [40, 61, 40, 60]
    found = {finding.check: finding for finding in check_cohort_values(table, LIMITS)}
    assert found["two ages"].where == ("0", "1")
    assert "1 patient has recordings of ages more than 20 years apart" in found["two ages"].message


@pytest.mark.parametrize("name", ["spap_mmhg", "dpap_mmhg"])
def test_swapped_pressures_are_found(table: pd.DataFrame, name: str) -> None:
    rows = table.index[:2]
    table.loc[rows, ["mpap_mmhg", name]] = table.loc[rows, [name, "mpap_mmhg"]].to_numpy()
    found = check_cohort_values(table, LIMITS)
    order = [finding for finding in found if finding.check == "pressure order"]
    assert {"0", "1"} <= {row for finding in order for row in finding.where}


def test_mean_pressure_far_from_the_rule_of_thirds_is_found(table: pd.DataFrame) -> None:
    table.loc[5, ["spap_mmhg", "dpap_mmhg", "mpap_mmhg", "pawp_mmhg"]] = [80, 20, 31.9, 10]
    finding = only(table)  # 20 + 60 / 3 = 40
    assert (finding.check, finding.where) == ("mean pressure", ("5",))
    assert "31.9 against 40.0" in finding.message
    table.loc[5, "mpap_mmhg"] = 32.1
    assert check_cohort_values(table, LIMITS) == []
    assert only(table, CohortLimits(mean_pressure_tolerance_mmhg=7.5)).where == ("5",)


def test_wedge_above_mean_pressure_is_found(table: pd.DataFrame) -> None:
    table.loc[3, "pawp_mmhg"] = table["mpap_mmhg"][3] + 1
    assert only(table).where == ("3",)


@pytest.mark.parametrize(
    ("column", "factor", "unit"),
    [
        ("mpap_mmhg", 1 / 7.50062, "kPa"),
        ("pawp_mmhg", 1 / 7.50062, "kPa"),
        ("heart_rate_bpm", 1 / 60, "Hz"),
        ("age_years", 12, "months"),
        ("bsa_m2", 1e4, "cm2"),
    ],
)
def test_column_in_another_unit_is_named_with_it(
    table: pd.DataFrame, column: str, factor: float, unit: str
) -> None:
    table[column] *= factor
    units = [f for f in check_cohort_values(table, LIMITS) if f.check == "unit"]
    assert len(units) == 1
    assert column in units[0].message
    assert unit in units[0].message


def test_height_in_metres_is_found(table: pd.DataFrame) -> None:
    table["height_cm"] = np.linspace(155, 190, len(table))
    assert check_cohort_values(table, LIMITS) == []
    table.loc[7, "height_cm"] = 1.71
    finding = only(table)
    assert (finding.check, finding.where) == ("value or unit", ("7",))
    assert "1 of 1 would be inside in m" in finding.message


def test_label_against_its_definition(table: pd.DataFrame) -> None:
    table["ph"] = (table["mpap_mmhg"] > 20).astype(float)
    limits = CohortLimits(labels={"detection": "ph"})
    assert check_cohort_values(table, limits) == []
    table.loc[[2, 9], "ph"] = 1 - table.loc[[2, 9], "ph"]
    assert only(table, limits).where == ("2", "9")
    with pytest.raises(InputError, match="task 'PH'"):
        check_cohort_values(table, CohortLimits(labels={"PH": "ph"}))


def test_label_of_another_threshold_is_found(table: pd.DataFrame) -> None:
    table["ph25"] = (table["mpap_mmhg"] > 25).astype(float)
    between = (table["mpap_mmhg"] > 20) & (table["mpap_mmhg"] <= 25)
    finding = only(table, CohortLimits(labels={"detection": "ph25"}))
    assert finding.where == tuple(map(str, table.index[between]))
    limits = CohortLimits(Thresholds(mpap_mmhg=25), labels={"detection": "ph25"})
    assert check_cohort_values(table, limits) == []


def test_repeated_patients_and_their_twins_are_told_apart(table: pd.DataFrame) -> None:
    again = table.iloc[[0, 1]].assign(record=["new1", "new2"])
    again["patient_id"] = [table["patient_id"][0], "another"]
    found = check_cohort_values(pd.concat([table, again], ignore_index=True), LIMITS)
    where = {finding.check: finding.where for finding in found}
    assert where == {"repeated patient": ("0", "80"), "twin patients": ("1", "81")}


def test_identical_waveforms_are_found_by_their_digest(table: pd.DataFrame) -> None:
    table["signal_sha256"] = [f"{number:016x}" for number in range(len(table))]
    assert check_cohort_values(table, LIMITS) == []
    table.loc[11, "signal_sha256"] = table["signal_sha256"][4]
    finding = only(table)
    assert finding == ("identical waveform", ("4", "11"),
                       "identical waveforms under different patients")  # fmt: skip


@pytest.mark.parametrize(("days", "found"), [(30, False), (31, True), (-30, False), (-31, True)])
def test_ecg_far_from_the_catheter_is_found(table: pd.DataFrame, days: int, found: bool) -> None:
    catheter = pd.Timestamp(table["rhc_date"][6])
    table.loc[6, "ecg_date"] = f"{catheter + pd.Timedelta(days=days):%Y-%m-%d}"
    findings = check_cohort_values(table, LIMITS)
    assert [finding.where for finding in findings] == ([("6",)] if found else [])
    if found:
        assert ("after" if days > 0 else "before") in findings[0].message
        assert check_cohort_values(table, CohortLimits(max_days=31)) == []


def test_missing_values_are_counted_by_column(table: pd.DataFrame) -> None:
    table.loc[[1, 2], "bsa_m2"] = np.nan
    table.loc[3, "sex"] = ""
    found = {f.message.split()[0]: f.where for f in check_cohort_values(table, LIMITS)}
    assert found == {"bsa_m2": ("1", "2"), "sex": ("3",)}


def test_group_sizes_are_compared_with_those_of_another_place() -> None:
    table = draw_cohort(rng=np.random.default_rng(0)).table
    non_ph, pre, post = GROUP_SIZES
    assert group_counts(table, Thresholds()) == {
        "records": 892, "patients": 892, "non-PH": non_ph, "PH": pre + post,
        "pre-capillary": pre, "post-capillary": post,
    }  # fmt: skip
    swapped = CohortLimits(expected={"pre-capillary": post, "post-capillary": pre, "PH": 691})
    found = check_cohort_values(table, swapped)
    assert [finding.where for finding in found] == [("pre-capillary",), ("post-capillary",)]
    with pytest.raises(InputError, match="--expected names men"):
        check_cohort_values(table, CohortLimits(expected={"men": 3}))


def test_table_without_pressures_is_checked_for_the_rest() -> None:
    table = pd.DataFrame({"record": ["a", "b"], "patient_id": ["1", "1"]})
    assert only(table).check == "repeated patient"
    assert group_counts(table, Thresholds()) == {"records": 2, "patients": 1}
