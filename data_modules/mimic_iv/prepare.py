"""Run `prepare mimic-rhc`: a cohort table from MIMIC-IV and MIMIC-IV-ECG.

What it needs is imported when it runs, so that its help appears at once.
"""

import csv
import io
import json
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from data_modules.mimic_iv.rules import EcgWindow, PressureRules
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.files import write_bytes
from lsemvae.core.outputs import check_output_file
from lsemvae.core.printable import say

FORMAT = "lsemvae-mimic-rhc-flow"
VERSION = 1
FIRST_COLUMNS = "patient_id,record,mpap_mmhg"
DEFAULT_RULES = PressureRules()
DEFAULT_WINDOW = EcgWindow()


def prepare_mimic_rhc(
    mimic_iv: str,
    mimic_ecg: str,
    out: str,
    *,
    rules: PressureRules = DEFAULT_RULES,
    ecg: EcgWindow = DEFAULT_WINDOW,
    require_wedge: bool = False,
) -> None:
    """Make a cohort table from the pulmonary artery catheters of MIMIC-IV.

    One measurement and one ECG of each patient. Beside the table OUT, OUT.flow.json counts what
    each rule removed, and OUT.patients.txt lists every patient with a charted pressure, whom
    pre-training must leave out: a list that stays the same when the rules change.

    Args:
        mimic_iv: the folder of MIMIC-IV that holds icu/ and hosp/.
        mimic_ecg: the folder of MIMIC-IV-ECG that holds record_list.csv.
        out: the table to write, e.g. data/mimic_rhc.csv; an older one is replaced.
        rules: how charted pressures become a measurement.
        ecg: when its ECG may have been recorded.
        require_wedge: keep patients with a wedge pressure only; without, those with the other three
            serve detection alone.

    Raises:
        InputError: files or columns are missing or damaged, or no patient is left.
    """
    from data_modules.mimic_iv.list_checks import check_lists
    from data_modules.mimic_iv.pressures import CHART_COLUMNS, charted_patients, measure_pressures
    from data_modules.mimic_iv.rhc import ECG_COLUMNS, PATIENT_COLUMNS, match_ecgs, read_cohort
    from data_modules.mimic_iv.tables import connect, create_view, find_tables, verify_tables

    target = _target(out)
    tables = find_tables(
        [
            (Path(mimic_iv), "icu/chartevents", CHART_COLUMNS),
            (Path(mimic_iv), "hosp/patients", PATIENT_COLUMNS),
            (Path(mimic_ecg), "record_list", ECG_COLUMNS),
        ]
    )
    size = tables[0].path.stat().st_size / 1e9
    say(f"reading {tables[0].path} ({size:.1f} GB); the full table takes minutes", flush=True)
    files = verify_tables(tables)
    with connect(target.parent) as connection:
        for name, table in zip(("chartevents", "patients", "record_list"), tables, strict=True):
            create_view(connection, name, table)
        check_lists(connection, tables[2])
        flow = measure_pressures(connection, rules, require_wedge=require_wedge)
        flow |= match_ecgs(connection, ecg)
        columns, rows = read_cohort(connection)
        charted = charted_patients(connection)
    if not rows:
        raise InputError(f"no patient is left; what the rules removed: {json.dumps(flow)}")
    settings = {"rules": asdict(rules), "ecg": asdict(ecg), "require_wedge": require_wedge}
    described = {"format": FORMAT, "version": VERSION, "files": files, "settings": settings}
    # the table comes last, so that its presence says that all three files are there
    _write(_beside(target, "flow.json"), json.dumps(described | {"flow": flow}, indent=1) + "\n")
    _write(_beside(target, "patients.txt"), "".join(f"{patient}\n" for patient in charted))
    _write(target, _csv_text(columns, rows))
    say(_describe(target, mimic_ecg, flow, rows))
    for note in _notes(flow, columns, rows):
        say(f"note: {note}")
    unverified = [file["name"] for file in files if not file["verified"]]
    if unverified:
        say(f"not verified, no SHA256SUMS.txt beside them names {', '.join(unverified)}")


def _target(out: str) -> Path:
    target = Path(out)
    if target.suffix != ".csv" or target.is_dir():
        raise InputError(f"out must name a .csv file, got {out}")
    target.parent.mkdir(parents=True, exist_ok=True)
    check_output_file(_beside(target, "flow.json"), mark=FORMAT.encode())
    check_output_file(target, mark=FIRST_COLUMNS.encode())
    return target


def _beside(target: Path, suffix: str) -> Path:
    return target.with_name(f"{target.name}.{suffix}")


def _write(path: Path, text: str) -> None:
    write_bytes(path, text.encode())


def _csv_text(columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    return f"{value:.10g}" if isinstance(value, float) else value


def _notes(
    flow: dict[str, Any], columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> list[str]:
    """Say what was left out or stays empty because of single cells of the files."""
    removed: Counter[str] = Counter()
    for by_rule in flow["readings"].values():
        removed.update({rule: n for rule, n in by_rule.items() if rule not in ("kept", "repeated")})
    listed = ", ".join(f"{rule} {n}" for rule, n in sorted(removed.items()))
    timeless = flow["ecgs_without_time"]
    ageless = sum(row[columns.index("age_years")] is None for row in rows)
    return [
        text
        for found, text in (
            (removed, f"readings that rules removed: {listed}"),
            (timeless, f"{counted(timeless, 'recording has', 'recordings have')} no time that can "
                       "be read, and were left out"),
            (ageless, f"{counted(ageless, 'patient has', 'patients have')} no age: no row in "
                      "patients, or no number in it"),
        )
        if found
    ]  # fmt: skip


def _describe(
    target: Path, mimic_ecg: str, flow: dict[str, Any], rows: Sequence[tuple[Any, ...]]
) -> str:
    """Return the lines that end the command."""
    from lsemvae.core.tasks import Thresholds

    limits = Thresholds()
    elevated = [row for row in rows if row[2] > limits.mpap_mmhg]
    wedged = [row for row in elevated if row[3] is not None]
    post = sum(row[3] > limits.pawp_mmhg for row in wedged)
    table, store = shlex.quote(str(target)), shlex.quote(str(target.with_suffix(".h5")))
    excluded = shlex.quote(str(_beside(target, "patients.txt")))
    return "\n".join(
        [
            f"{target}: {counted(len(rows), 'patient')}, one ECG each",
            f"  flow:       {counted(flow['patients_charted'], 'patient')} with charted pressures, "
            f"{flow['patients_measured']} with a measurement, {flow['patients_with_ecg']} of them "
            f"with an ECG, {len(rows)} within the window; {_beside(target, 'flow.json')}",
            f"  detection:  mPAP above {limits.mpap_mmhg:g} mmHg in {len(elevated)} of {len(rows)}",
            f"  phenotype:  PAWP above {limits.pawp_mmhg:g} mmHg in {post} of {len(wedged)}",
            f"next: lsemvae prepare cohort --table {table} --source {shlex.quote(mimic_ecg)} "
            f"--out {store} --label 'MIMIC-IV catheters'",
            "pre-train without these patients: lsemvae fit ... "
            f"--data.init_args.exclude_patients {excluded}",
        ]
    )
