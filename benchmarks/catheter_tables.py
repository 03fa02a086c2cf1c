"""Measure what `prepare mimic-rhc` costs: `python -m benchmarks.catheter_tables`.

Writes tables in MIMIC-IV's layout, all invented: 1.5 % of chartevents are pressures of the right
heart. Runs the command in a process of its own; the table of docs/mimic_rhc.md.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import duckdb

from benchmarks.machine import describe_machine, write_results

ROWS_OF_PATIENT = 4000
# Of 268 readings the first four are the pressures, charted at one minute.
CHART = f"""
SELECT
    10000000 + r // {ROWS_OF_PATIENT} AS subject_id, 20000000 + r // {ROWS_OF_PATIENT} AS hadm_id,
    30000000 + r // {ROWS_OF_PATIENT} AS stay_id, 123 AS caregiver_id, charttime,
    charttime AS storetime, itemid, value, value AS valuenum,
    CASE WHEN r % 268 < 4 THEN 'mmHg' ELSE 'bpm' END AS valueuom, 0 AS warning
FROM (
    SELECT r,
        strftime(TIMESTAMP '2150-03-05 10:00:00' + to_minutes(r % {ROWS_OF_PATIENT} // 268),
                 '%Y-%m-%d %H:%M:%S') AS charttime,
        CASE r % 268 WHEN 0 THEN 220059 WHEN 1 THEN 220060 WHEN 2 THEN 220061 WHEN 3 THEN 223771
            ELSE 220179 + hash(r) % 50 END AS itemid,
        CASE r % 268 WHEN 0 THEN 45 WHEN 1 THEN 20 WHEN 2 THEN 30 WHEN 3 THEN 14
            ELSE 40 + hash(r + 1) % 120 END AS value
    FROM range({{rows}}) AS t(r)
)
"""
PATIENTS = "SELECT 10000000 + i AS subject_id, 'F' AS gender, 60 AS anchor_age, 2150 AS anchor_year"
PATH = "'files/p1000/p' || (10000000 + i) || '/s' || (40000000 + i) || '/' || (40000000 + i)"
ECGS = (
    "SELECT 10000000 + i AS subject_id, 40000000 + i AS study_id, "
    f"'2150-03-04 09:00:00' AS ecg_time, {PATH} AS path"
)


class Cost(NamedTuple):
    """What a run needed."""

    cpu_s: float
    peak_mb: float


def write_tables(folder: Path, rows: int, ending: str) -> Path:
    """Write the three tables; return chartevents."""
    n = -(-rows // ROWS_OF_PATIENT)
    tables = {
        f"iv/icu/chartevents{ending}": CHART.format(rows=rows),
        "iv/hosp/patients.csv": f"{PATIENTS} FROM range({n}) AS t(i)",
        "ecg/record_list.csv": f"{ECGS} FROM range({n}) AS t(i)",
    }
    for name, query in tables.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        duckdb.sql(f"COPY ({query}) TO '{folder / name}' (HEADER)")
    return folder / f"iv/icu/chartevents{ending}"


def run(folder: Path) -> Cost:
    """Run the command.

    Raises:
        RuntimeError: it failed.
    """
    command = [
        sys.executable, "-m", "lsemvae", "prepare", "mimic-rhc", "--mimic_iv", str(folder / "iv"),
        "--mimic_ecg", str(folder / "ecg"), "--out", str(folder / "out.csv"),
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(command)} ended with {status}")
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, nargs="+", default=[6_000_000, 24_000_000])
    parser.add_argument("--endings", nargs="+", default=[".csv.gz", ".csv"])
    parser.add_argument("--out", type=Path, default=Path("reports/catheter_tables.json"))
    parser.add_argument("--page", type=Path, help="Markdown file whose marked part is replaced")
    options = parser.parse_args(arguments)
    results: dict[str, Any] = {"machine": describe_machine(), "rows": []}
    lines = [
        f"DuckDB {duckdb.__version__}.",
        "",
        "| chartevents | rows | CPU time | rows per CPU second | peak memory |",
        "|---|---|---|---|---|",
    ]
    for rows in options.rows:
        for ending in options.endings:
            with TemporaryDirectory() as folder:
                chart = write_tables(Path(folder), rows, ending)
                gigabytes, cost = chart.stat().st_size / 1e9, run(Path(folder))
            results["rows"].append({"rows": rows, "gigabytes": gigabytes} | cost._asdict())
            lines.append(
                f"| `{ending}`, {gigabytes:.2f} GB | {rows / 1e6:g} million | {cost.cpu_s:.1f} s | "
                f"{rows / cost.cpu_s / 1e6:.1f} million | {cost.peak_mb:.0f} MB |"
            )
    write_results(options.out, results, "\n".join([*lines, ""]), page=options.page,
                  program="benchmarks.catheter_tables")  # fmt: skip


if __name__ == "__main__":
    main()
