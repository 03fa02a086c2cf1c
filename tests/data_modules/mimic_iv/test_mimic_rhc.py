"""`prepare mimic-rhc`: charted pressures become a cohort table by rules that are counted."""

import csv
from pathlib import Path
from typing import Any

import pytest
from catheter_tables import A, B, cohort, flow, run
from mimic_files import MimicFiles


@pytest.mark.parametrize("zipped", [True, False])
def test_medians_around_the_wedge_and_the_age_at_the_ecg(
    files: MimicFiles, tmp_path: Path, zipped: bool
) -> None:
    assert run(files.write(tmp_path, zipped=zipped)) == 0
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [
        {
            "patient_id": str(A),
            "record": f"files/p1000/p{A}/s1/1",
            "mpap_mmhg": "30",  # of 26, 30, 31; 10:30 is too early
            "pawp_mmhg": "14",
            "spap_mmhg": "44",
            "dpap_mmhg": "20",
            "age_years": "62",  # 60 in 2148
            "sex": "F",
            "ecg_date": "2150-03-09 12:00:00",
            "rhc_date": "2150-03-10 12:00:00",
            "ecg_to_rhc_days": "1",
            "n_pressure_readings": "3",
            "n_wedge_readings": "1",
            "stay_id": "30000001",
        }
    ]
    assert (tmp_path / "out.csv.patients.txt").read_text() == f"{A}\n"
    counted = flow(tmp_path)
    assert counted["readings"] == {name: {"kept": 4} for name in ("spap", "dpap", "mpap")} | {
        "pawp": {"kept": 1}
    }
    assert counted["pressure_moments"] == {"kept": 4}
    assert counted["wedge_moments"] == {"kept": 1}
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_every_charted_patient_is_kept_from_pre_training(files: MimicFiles, tmp_path: Path) -> None:
    files.read(B, "10 12:00", "pawp", 0)  # out of range, so the patient is in no cohort
    assert len(cohort(files, tmp_path)) == 1
    assert (tmp_path / "out.csv.patients.txt").read_text() == f"{A}\n{B}\n"


def test_an_even_number_of_readings_gives_the_middle(files: MimicFiles, tmp_path: Path) -> None:
    files.read(A, "10 12:30", "pawp", 17)
    (row,) = cohort(files, tmp_path)
    assert (row["pawp_mmhg"], row["n_wedge_readings"]) == ("15.5", "2")


def test_the_window_is_a_parameter(files: MimicFiles, tmp_path: Path) -> None:
    (row,) = cohort(files, tmp_path, "--rules.window_hours", "1.5")
    assert (row["mpap_mmhg"], row["n_pressure_readings"]) == ("30.5", "4")  # of 26, 30, 31, 60
    (row,) = cohort(files, tmp_path, "--rules.window_hours", "0.5")
    assert (row["mpap_mmhg"], row["n_pressure_readings"]) == ("30", "1")


@pytest.mark.parametrize(
    ("value", "options", "rule"),
    [
        ("___", {}, "no_number"),
        ("", {}, "no_number"),
        ("nan", {}, "no_number"),
        (28, {"unit": "kPa"}, "unit_not_mmhg"),
        (28, {"unit": ""}, "unit_not_mmhg"),
        (28, {"warning": 1}, "warned"),
        (3.9, {}, "out_of_range"),
        (120.5, {}, "out_of_range"),
        (28, {"stay": ""}, "no_stay"),
    ],
)
def test_a_reading_is_removed_by_a_rule_that_is_counted(
    files: MimicFiles, tmp_path: Path, value: Any, options: dict[str, Any], rule: str
) -> None:
    files.read(A, "10 12:00", "mpap", value, **options)
    (row,) = cohort(files, tmp_path)
    assert row["mpap_mmhg"] == "30"
    assert flow(tmp_path)["readings"]["mpap"] == {"kept": 4, rule: 1}


def test_a_reading_without_a_time_is_removed(files: MimicFiles, tmp_path: Path) -> None:
    files.chart.append((A, 1, 30_000_001, 1, "", "", 220061, 90, 90, "mmHg", 0))
    cohort(files, tmp_path)
    assert flow(tmp_path)["readings"]["mpap"] == {"kept": 4, "no_time": 1}


def test_a_repeated_reading_counts_once_and_two_values_give_their_median(
    files: MimicFiles, tmp_path: Path
) -> None:
    files.read(A, "10 12:00", "pawp", 14)
    files.read(A, "10 12:00", "pawp", 18)
    (row,) = cohort(files, tmp_path)
    assert (row["pawp_mmhg"], row["n_wedge_readings"]) == ("16", "1")
    assert flow(tmp_path)["readings"]["pawp"] == {"kept": 2, "repeated": 1}


def test_warned_readings_and_ranges_are_parameters(files: MimicFiles, tmp_path: Path) -> None:
    files.read(A, "10 12:10", "pawp", 20, warning=1)
    (row,) = cohort(files, tmp_path, "--rules.keep_warned", "true")
    assert row["pawp_mmhg"] == "17"
    (row,) = cohort(files, tmp_path, "--rules.spap_mmhg", "[10, 45]")
    assert (row["spap_mmhg"], row["n_pressure_readings"]) == ("42", "2")  # of 40, 44
    assert flow(tmp_path)["pressure_moments"] == {"incomplete": 2, "kept": 2}


@pytest.mark.parametrize(
    ("pressures", "rule"),
    [((30, 31, 20), "order"), ((40, 19, 20), "order"), ((40, 30, ""), "incomplete")],
)
def test_a_moment_counts_with_three_pressures_in_order(
    files: MimicFiles, tmp_path: Path, pressures: tuple[Any, Any, Any], rule: str
) -> None:
    files.pressures(A, "10 12:30", *pressures)
    (row,) = cohort(files, tmp_path)
    assert (row["mpap_mmhg"], row["n_pressure_readings"]) == ("30", "3")
    assert flow(tmp_path)["pressure_moments"] == {"kept": 4, rule: 1}


def test_equal_pressures_are_in_order(files: MimicFiles, tmp_path: Path) -> None:
    files.pressures(A, "10 12:30", 30, 30, 30)
    cohort(files, tmp_path)
    assert flow(tmp_path)["pressure_moments"] == {"kept": 5}


def test_a_wedge_above_the_mean_leaves_the_patient_to_detection(
    files: MimicFiles, tmp_path: Path
) -> None:
    files.chart = [row for row in files.chart if row[6] != 223771]
    files.read(A, "10 12:00", "pawp", 31)
    (row,) = cohort(files, tmp_path)
    # the first moment at 10:30, median of 60 and 26 within one hour
    assert (row["pawp_mmhg"], row["mpap_mmhg"], row["n_wedge_readings"]) == ("", "43", "0")
    assert flow(tmp_path)["wedge_moments"] == {"wedge_above_mean": 1}
    (row,) = cohort(files, tmp_path, "--rules.wedge_above_mean_mmhg", "1")
    assert (row["pawp_mmhg"], row["mpap_mmhg"]) == ("31", "30")


def test_a_required_wedge_leaves_nobody_without_one(
    files: MimicFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files.chart = [row for row in files.chart if row[6] != 223771]
    assert run(files.write(tmp_path), "--require_wedge", "true") == 2
    assert "no patient is left" in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()


def test_too_few_pressures_around_a_wedge_are_counted(files: MimicFiles, tmp_path: Path) -> None:
    (row,) = cohort(files, tmp_path, "--rules.min_readings", "3")
    assert row["pawp_mmhg"] == "14"
    files.read(A, "10 18:00", "pawp", 12)
    cohort(files, tmp_path)
    assert flow(tmp_path)["wedge_moments"] == {"kept": 1, "too_few_pressures": 1}


def test_stays_are_not_mixed(files: MimicFiles, tmp_path: Path) -> None:
    files.pressures(A, "10 12:00", 90, 70, 50, stay=31_000_000)
    (row,) = cohort(files, tmp_path)
    assert (row["mpap_mmhg"], row["stay_id"]) == ("30", "30000001")


def test_a_wedge_is_preferred_and_then_the_first_measurement(
    files: MimicFiles, tmp_path: Path
) -> None:
    files.pressures(A, "14 12:00", 60, 40, 30)
    files.read(A, "14 12:00", "pawp", 22)
    (row,) = cohort(files, tmp_path)
    assert row["rhc_date"] == "2150-03-10 12:00:00"  # not the pressures of 10:30 before it
    files.ecgs.clear()
    files.ecg(A, "12 12:00", 2)
    (row,) = cohort(files, tmp_path)
    assert (row["rhc_date"], row["pawp_mmhg"]) == ("2150-03-14 12:00:00", "22")


@pytest.mark.parametrize(
    ("times", "options", "chosen"),
    [
        (["08 12:00", "10 11:00", "10 12:30"], [], "1"),  # the nearest before
        (["08 12:00", "10 11:00", "10 12:30"], ["--ecg.days_after", "1"], "2"),
        (["08 12:00", "10 11:00", "10 13:00"], ["--ecg.days_after", "1"], "1"),  # equally near
        (["10 12:00"], [], "0"),  # at the very moment
        (["03 12:00"], [], "0"),  # seven days to the minute
        (["03 11:59"], [], None),
        (["03 11:59"], ["--ecg.days_before", "8"], "0"),
        (["10 13:30"], [], None),
        (["10 12:30"], ["--ecg.days_before", "0", "--ecg.days_after", "0.5"], "0"),
        (["09 12:00", "09 12:00"], [], "0"),  # two paths of one moment: the first by name
    ],
)
def test_the_ecg_is_the_nearest_one_in_the_window(
    files: MimicFiles, tmp_path: Path, times: list[str], options: list[str], chosen: str | None
) -> None:
    files.chart = [row for row in files.chart if "10:30" not in row[4] and "11:00" not in row[4]]
    files.ecgs.clear()
    for study, time in enumerate(times):
        files.ecg(A, time, study)
    if chosen is None:
        files.pressures(B, "10 12:00", 40, 30, 20)  # somebody must be left
        files.ecg(B, "10 12:00", 9)
    rows = {row["patient_id"]: row["record"] for row in cohort(files, tmp_path, *options)}
    assert rows.get(str(A), "s").rpartition("/")[2] == (chosen or "s")


def test_other_windows_are_counted(files: MimicFiles, tmp_path: Path) -> None:
    for subject, day in ((B, "05"), (B + 1, "01")):
        files.pressures(subject, "10 12:00", 40, 30, 20)
        files.ecg(subject, f"{day} 12:00", subject)
    files.pressures(B + 2, "10 12:00", 40, 30, 20)
    cohort(files, tmp_path)
    counted = flow(tmp_path)
    by_days = {"1": 1, "3": 1, "7": 2, "30": 3, "90": 3}
    assert counted["patients_by_days_before"] == by_days
    names = ("patients_charted", "patients_measured", "patients_with_ecg", "patients_in_cohort")
    assert [counted[name] for name in names] == [4, 4, 3, 2]
    assert counted["patients_with_wedge"] == 1
    assert counted["patients_unlisted"] == 1  # B has no row in patients, so neither age nor sex


def test_ecgs_without_a_time_are_counted(files: MimicFiles, tmp_path: Path) -> None:
    files.ecgs.append((A, 5, 5, "", "files/5"))
    cohort(files, tmp_path)
    assert flow(tmp_path)["ecgs_without_time"] == 1
