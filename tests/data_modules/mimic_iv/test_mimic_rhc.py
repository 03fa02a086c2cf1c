"""`prepare mimic-rhc`: charted pressures become a cohort table by rules that are counted."""

import csv
import hashlib
import json
import random
import shlex
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mimic_files import CHART, MimicFiles, write_csv

from data_modules.cohort.table import read_cohort_table
from data_modules.simulation.files import write_mimic
from data_modules.store.read import EcgStore
from lsemvae.cli import main

A, B = 10_000_001, 10_000_002


def run(folder: Path, *options: str) -> int:
    return main(
        ["prepare", "mimic-rhc", "--mimic_iv", str(folder / "iv"), "--mimic_ecg",
         str(folder / "ecg"), "--out", str(folder / "out.csv"), *options]
    )  # fmt: skip


def cohort(files: MimicFiles, folder: Path, *options: str) -> list[dict[str, str]]:
    """Write the files, run the command and return the rows of the table."""
    assert run(files.write(folder), *options) == 0
    with (folder / "out.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def flow(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "out.csv.flow.json").read_text())["flow"]
    return content


@pytest.fixture
def files() -> MimicFiles:
    """One patient: a wedge at noon, pressures from 10:30 on, an ECG the day before."""
    made = MimicFiles()
    made.pressures(A, "10 10:30", 90, 60, 45)
    made.pressures(A, "10 11:00", 40, 26, 18)
    made.pressures(A, "10 12:00", 50, 30, 20)
    made.pressures(A, "10 13:00", 44, 31, 25)
    made.read(A, "10 12:00", "pawp", 14)
    made.patient(A)
    made.ecg(A, "09 12:00", 1)
    return made


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


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(order=st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(order: random.Random) -> None:
    made = random_files(seed=3, n_patients=12)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cohort(made, folder)
        names = ("out.csv", "out.csv.patients.txt")
        before = [(folder / file).read_bytes() for file in names], flow(folder)
        for rows in (made.chart, made.patients, made.ecgs):
            order.shuffle(rows)
        cohort(made, folder)
        assert ([(folder / file).read_bytes() for file in names], flow(folder)) == before


def random_files(seed: int, n_patients: int) -> MimicFiles:
    """Chart patients with every kind of artefact, some without wedge or ECG."""
    rng = random.Random(seed)
    made = MimicFiles()
    for subject in range(A, A + n_patients):
        made.patient(subject, rng.choice("FM"), rng.randint(18, 91))
        for study in range(rng.randint(0, 4)):
            clock = f"{rng.randint(1, 20):02d} {rng.randint(0, 23):02d}:00"
            made.ecg(subject, clock, 10 * subject + study)
        for _ in range(rng.randint(1, 30)):
            time = f"{rng.randint(10, 12)} {rng.randint(8, 12):02d}:{rng.choice((0, 30)):02d}"
            stay = 10 * subject + rng.randint(0, 1)
            if rng.random() < 0.3:
                made.read(subject, time, "pawp", rng.randint(0, 40), stay=stay)
            base = rng.randint(5, 30)
            values = (2 * base + rng.randint(-20, 20), base + rng.randint(0, 12), base)
            made.pressures(subject, time, *values, stay=stay, warning=int(rng.random() < 0.05))
    return made


@pytest.mark.parametrize("seed", range(4))
def test_a_slow_reference_chooses_the_same(tmp_path: Path, seed: int) -> None:
    made = random_files(seed, n_patients=25)
    found = {
        row["patient_id"]: [
            row["record"], row["rhc_date"], row["mpap_mmhg"], row["pawp_mmhg"], row["spap_mmhg"],
            row["dpap_mmhg"],
        ]
        for row in cohort(made, tmp_path)
    }  # fmt: skip
    expected = slow_cohort(made)
    assert len(expected) > 5
    assert any(row[3] == "" for row in expected.values())
    assert any(row[3] != "" for row in expected.values())
    assert found == expected


def slow_cohort(made: MimicFiles) -> dict[str, list[str]]:
    """Apply the default rules by loops over moments, as the documentation states them."""
    from datetime import datetime, timedelta
    from statistics import median

    limits = {220059: (5, 200), 220060: (1, 100), 220061: (4, 120), 223771: (1, 60)}
    values: dict[Any, dict[int, set[float]]] = {}
    for row in made.chart:
        low, high = limits[row[6]]
        if row[10] == 0 and low <= float(row[8]) <= high:
            moment = (row[0], row[2], datetime.fromisoformat(row[4]))
            values.setdefault(moment, {}).setdefault(row[6], set()).add(float(row[8]))
    moments = {
        key: {item: median(found) for item, found in items.items()} for key, items in values.items()
    }

    def in_order(items: dict[int, float]) -> bool:
        return len(items.keys() - {223771}) == 3 and (
            items[220059] >= items[220061] >= items[220060]
        )

    best: dict[str, tuple[Any, list[str]]] = {}
    for (subject, stay, time), items in moments.items():
        near = [
            other
            for (who, where, when), other in moments.items()
            if (who, where) == (subject, stay) and abs(when - time) <= timedelta(hours=1)
        ]
        sets = [other for other in near if in_order(other)]
        if not sets:
            continue
        spap, dpap, mpap = (
            median(other[item] for other in sets) for item in (220059, 220060, 220061)
        )
        wedges = [other[223771] for other in near if 223771 in other]
        kinds = []
        if 223771 in items and median(wedges) <= mpap:
            kinds.append((False, f"{median(wedges):g}"))
        if in_order(items):
            kinds.append((True, ""))
        for without, pawp in kinds:
            for row in made.ecgs:
                gap = time - datetime.fromisoformat(row[3])
                if row[0] == subject and timedelta(0) <= gap <= timedelta(days=7):
                    rank = (without, time, stay, gap, row[4])
                    chosen = [row[4], str(time), f"{mpap:g}", pawp, f"{spap:g}", f"{dpap:g}"]
                    known = best.get(str(subject))
                    if known is None or rank < known[0]:
                        best[str(subject)] = (rank, chosen)
    return {subject: chosen for subject, (_, chosen) in sorted(best.items())}


def test_the_printed_command_prepares_the_cohort(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = write_mimic(tmp_path / "ecg", n_patients=2, seed=1)
    made = MimicFiles()
    for subject, stamp in listed.groupby("subject_id")["ecg_time"].max().items():
        for itemid, value in ((220059, 50), (220060, 20), (220061, 30), (223771, 15)):
            made.chart.append((subject, 1, 2, 3, stamp, stamp, itemid, value, value, "mmHg", 0))
        made.patients.append((subject, "M", 70, int(stamp[:4]), "2014 - 2016", ""))
    write_csv(tmp_path / "iv/icu/chartevents.csv.gz", CHART, made.chart)
    write_csv(
        tmp_path / "iv/hosp/patients.csv.gz",
        ("subject_id", "gender", "anchor_age", "anchor_year", "anchor_year_group", "dod"),
        made.patients,
    )
    assert run(tmp_path) == 0
    printed = capsys.readouterr().out
    assert "2 patients, one ECG each" in printed
    assert "mPAP above 20 mmHg in 2 of 2" in printed
    assert "PAWP above 15 mmHg in 0 of 2" in printed
    (line,) = [line for line in printed.splitlines() if line.startswith("next: lsemvae ")]
    assert main(shlex.split(line)[2:]) == 0
    store = EcgStore(tmp_path / "out.h5")
    assert len(store) == 2
    assert store.table["age_years"].tolist() == [70.0, 70.0]
    assert store.label == "MIMIC-IV catheters"


def test_the_table_has_no_problem_and_no_warning(files: MimicFiles, tmp_path: Path) -> None:
    cohort(files, tmp_path)
    assert read_cohort_table(tmp_path / "out.csv").warnings == []


def test_all_missing_files_and_columns_are_listed_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_csv(tmp_path / "iv/icu/chartevents.csv", ("subject_id", "itemid", "itemid"), [])
    (tmp_path / "ecg").mkdir()
    (tmp_path / "ecg/record_list.csv.gz").write_bytes(b"not gzip")
    assert run(tmp_path) == 2
    error = capsys.readouterr().err
    assert "4 problem(s)" in error
    assert "lacks the columns stay_id, charttime, valuenum, valueuom, warning" in error
    assert "names the columns itemid more than once" in error
    assert "there is neither" in error
    assert "patients.csv.gz nor patients.csv" in error
    assert "record_list.csv.gz cannot be read" in error


def test_a_file_that_ends_early_is_one_line(
    files: MimicFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for value in range(20_000):
        files.read(B, "10 12:00", "mpap", value % 97)
    path = files.write(tmp_path) / "iv/icu/chartevents.csv.gz"
    path.write_bytes(path.read_bytes()[:-2000])
    assert run(tmp_path) == 2
    error = capsys.readouterr().err
    assert "Unexpected end of GZIP stream" in error
    assert "is the file whole, the disk full?" in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "out.csv").exists()


def test_files_are_compared_with_the_published_digests(
    files: MimicFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = files.write(tmp_path) / "iv/icu/chartevents.csv.gz"
    published = hashlib.sha256(path.read_bytes()).hexdigest()
    (tmp_path / "iv/SHA256SUMS.txt").write_text(f"{published} icu/chartevents.csv.gz\n")
    assert run(tmp_path) == 0
    assert "names hosp/patients.csv.gz, record_list.csv\n" in capsys.readouterr().out
    described = json.loads((tmp_path / "out.csv.flow.json").read_text())["files"]
    assert [file["verified"] for file in described] == [True, False, False]
    assert described[0]["sha256"] == published
    # DuckDB itself reads a file whose checksum at its end is wrong without a word
    path.write_bytes(path.read_bytes()[:-6] + b"\0\0" + path.read_bytes()[-4:])
    assert run(tmp_path) == 2
    assert f"published was {published[:12]}; download again" in capsys.readouterr().err


def test_a_ragged_row_is_named(
    files: MimicFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files.chart.append((A, 1, 2))
    assert run(files.write(tmp_path)) == 2
    error = capsys.readouterr().err
    assert "Expected Number of Columns: 11 Found: 3" in error
    assert "strict_mode" not in error


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--rules.mpap_mmhg", "[50, 10]"], "mpap_mmhg must be a lower and a higher pressure"),
        (["--rules.window_hours", "0"], "window_hours must be above 0"),
        (["--rules.min_readings", "0"], "min_readings must be 1 or more"),
        (["--ecg.days_before", "-1"], "days_before and days_after must be in 0 to 3650"),
        (["--ecg.days_before", "0"], "not both 0"),
        (["--out", "x.txt"], "out must name a .csv file"),
    ],
)
def test_wrong_options_are_named(
    files: MimicFiles,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    try:
        code: Any = run(files.write(tmp_path), *options)
    except SystemExit as stopped:
        code = stopped.code
    assert code == 2
    assert message in capsys.readouterr().err


def test_a_chart_without_catheters_and_a_patient_listed_twice_are_named(
    files: MimicFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files.patient(A)
    assert run(files.write(tmp_path)) == 2
    assert f"patients lists subject {A} more than once" in capsys.readouterr().err
    files.chart.clear()
    assert run(files.write(tmp_path)) == 2
    assert "chartevents holds no row with the itemids 220059" in capsys.readouterr().err


def test_without_duckdb_the_extra_is_named(
    files: MimicFiles,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert run(files.write(tmp_path)) == 2
    assert "pip install -e '.[mimic]'" in capsys.readouterr().err
