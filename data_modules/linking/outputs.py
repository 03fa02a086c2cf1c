"""Write a linked study without identities: cohort table, list of exceptions and flow."""

import datetime
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pandas as pd

from data_modules.cohort.flow import FLOW_NAME, write_flow
from data_modules.linking.archive import Archive, Left
from data_modules.linking.eligibility import Rule, Rules
from data_modules.linking.id_rule import LOOSEST
from data_modules.linking.match import Match
from data_modules.linking.pseudonyms import patient_name, shift_days
from data_modules.linking.table import HospitalTable
from data_modules.reading.stored.facts import MEASURED
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.files import write_text
from lsemvae.core.outputs import check_output_file
from lsemvae.core.printable import say, spreadsheet_cell
from lsemvae.core.study_flow import Exclusion, Flow, FlowStep

COHORT, EXCEPTIONS = "cohort.csv", "exceptions.csv"
Dates = Literal["shift", "keep", "drop"]


class Study(NamedTuple):
    """All that happened on the way to a cohort."""

    archive: Archive
    undated: list[Left]
    copies: list[Left]
    hospital: HospitalTable
    linked: Match
    excluded: list[tuple[Rule, list[Left]]]
    undecided: list[Left]
    rules: Rules
    options: dict[str, Any]


def cohort_table(
    pairs: pd.DataFrame, quantities: list[str], key: bytes, dates: Dates
) -> pd.DataFrame:
    """Return the table that `prepare cohort` takes.

    Args:
        pairs: linked recordings, with their `age` in years.
        quantities: columns of the hospital's table to keep.
        key: of the pseudonyms.
        dates: what becomes of dates.
    """
    kept = [name for name in quantities if name not in ("age_years", "sex")]
    # as `prepare archive` names patients, so that a study's can be left out there
    first = LOOSEST.plain(pairs.groupby("plain")["patient"].transform("min"), "files")
    cohort = pd.DataFrame(
        {"record": pairs["record"], "patient_id": [patient_name(one, key) for one in first]}
    )
    stated = pairs.get("table_sex", pd.Series("", index=pairs.index))
    cohort["sex"] = stated.where(stated != "", pairs["sex"])
    cohort["age_years"] = pairs["age"]
    if dates != "drop":
        back = [shift_days(p, key) if dates == "shift" else 0 for p in pairs["plain"]]
        taken = [datetime.date.fromisoformat(text[:10]) for text in pairs["acquired"]]
        for name, days in (("ecg_date", taken), ("rhc_date", pairs["table_rhc_date"])):
            cohort[name] = [
                str(day - datetime.timedelta(days=n)) for day, n in zip(days, back, strict=True)
            ]
    cohort["days_from_rhc"] = pairs["days"]
    for name in kept:
        cohort[name] = pairs[f"table_{name}"]
    for name in MEASURED:
        cohort[name] = [measured.get(name) for measured in pairs["measured"]]
    return cohort.dropna(axis="columns", how="all")


def refuse_among_exports(out: Path, source: Path) -> None:
    """Refuse a place for results where the next run would read them.

    Args:
        out: folder of the results.
        source: folder of the exports.

    Raises:
        InputError: the first is the second, or lies below it.
    """
    if out.resolve().is_relative_to(source.resolve()):
        raise InputError(
            f"cannot write into {out}: it is {source}, or lies in it, and all files there are read "
            "as exports; name a folder beside it with --out"
        )


def check_place(out: Path, *, source: Path, read: Sequence[str | None]) -> None:
    """Check that the folder is none of exports, and holds no files of others under our names.

    Args:
        out: the folder.
        source: folder of the exports.
        read: files that are read.

    Raises:
        InputError: names the file that would be lost, or the folder of the exports.
    """
    refuse_among_exports(out, source)
    if out.exists() and not out.is_dir():
        raise InputError(f"cannot write {out}: it is no folder; name another with --out")
    check_output_file(out / FLOW_NAME, mark=b'"format"', read=read)
    check_output_file(out / EXCEPTIONS, mark=",".join(Left._fields).encode(), read=read)
    check_output_file(out / COHORT, mark=b"record,patient_id", read=read)
    if (out / COHORT).exists() and not (out / FLOW_NAME).exists():
        raise InputError(
            f"cannot write {out / COHORT}: no {FLOW_NAME} lies beside it, so this command did not "
            "write it; name another folder with --out, or move it away"
        )


def write_study(out: Path, study: Study, cohort: pd.DataFrame, n_recordings: int) -> None:
    """Write the three files, and say in a few lines what is in them.

    Args:
        out: the folder.
        study: what happened.
        cohort: from `cohort_table`.
        n_recordings: different recordings with patient and date.

    Raises:
        InputError: nobody is left, or the folder cannot be written.
    """
    left = exceptions(study)
    write_table(out / EXCEPTIONS, left)
    if cohort.empty:
        reasons = Counter(reason for reason in left["reason"]).most_common(3)
        listed = ", ".join(f"{reason} ({n})" for reason, n in reasons)
        raise InputError(
            f"no recording is left; most often: {listed}; {out / EXCEPTIONS} says what to do"
        )
    text = csv_text(cohort)
    flow = Flow(
        _steps(study, cohort, n_recordings),
        rules=study.rules.text,
        table_sha256=hashlib.sha256(text.encode()).hexdigest(),
        synthetic=any(
            "synthetic" in line.casefold()
            for lines in study.linked.pairs["statements"]
            for line in lines
        ),
        linking=study.options,
    )
    write_flow(out / FLOW_NAME, flow)  # first: `check_place` knows our table by it
    write_text(out / COHORT, text)
    for line in describe(flow):
        say(line)
    say(
        f"{out / COHORT}: {counted(len(cohort), 'recording')} of "
        f"{counted(cohort['patient_id'].nunique(), 'patient')}"
    )
    say(f"{out / EXCEPTIONS}: {counted(len(left), 'line')}")


def exceptions(study: Study) -> pd.DataFrame:
    """Return who is not in the cohort, or in doubt: who, reason, next_step."""
    by_rule = [left for _, one in study.excluded for left in one]
    rows = [
        *study.hospital.left, *study.linked.rows_left, *by_rule, *study.undecided,
        *study.archive.left, *study.undated, *study.copies, *study.linked.files_left,
    ]  # fmt: skip
    return left_table(rows)


def left_table(rows: Iterable[Left]) -> pd.DataFrame:
    """Return what was left out as a table; names of files and cells are anybody's."""
    texts = [Left(*map(spreadsheet_cell, map(str, row))) for row in rows]
    return pd.DataFrame(texts, columns=Left._fields)


def describe(flow: Flow) -> list[str]:
    """Return the flow as lines of text."""
    lines = []
    for step in flow.steps:
        lines.append(f"{step.n:7,} {step.text}")
        lines += [f"        - {one.n:,} {one.reason}" for one in step.excluded]
    return lines


def _steps(study: Study, cohort: pd.DataFrame, n_recordings: int) -> tuple[FlowStep, ...]:
    n_files, hospital, linked = study.archive.n_files, study.hospital, study.linked
    unread = _count([*study.archive.left, *study.undated])
    n_stated = n_files - _total(unread)
    n_patients = linked.pairs["plain"].nunique()
    n_linked = len(linked.pairs)
    unit: Literal["rows", "recordings"] = "rows"
    n_rows = linked.pairs["row"].nunique()
    steps = [
        FlowStep("recordings", "files of the source folder", "recordings", n_files),
        FlowStep("recordings", "files that state patient and date", "recordings", n_stated, unread),
        FlowStep("recordings", "different recordings", "recordings", n_recordings,
                 _count(study.copies)),
        FlowStep("recordings", "recordings of a row of the table", "recordings", n_linked,
                 _count(linked.files_left)),
        FlowStep("table", "rows of the table", "rows", hospital.n_rows),
        FlowStep("table", "rows with patient, date and sound values", "rows", len(hospital.rows),
                 _count(hospital.left), hospital.rows["patient"].nunique()),
        FlowStep("table", "rows with a recording", "rows", n_rows, _count(linked.rows_left),
                 n_patients),
    ]  # fmt: skip
    if n_linked != n_rows:
        unit = "recordings"
    steps.append(FlowStep("study", "linked recordings", unit, n_linked, (), n_patients))
    by_rule = tuple(Exclusion(rule.reason, len(left), rule.text) for rule, left in study.excluded)
    patients = int(cohort["patient_id"].nunique())
    steps.append(
        FlowStep("study", "recordings of the cohort", unit, len(cohort), by_rule, patients)
    )
    return tuple(steps)


def _count(left: Iterable[Left]) -> tuple[Exclusion, ...]:
    counted = Counter(one.reason for one in left)
    return tuple(Exclusion(reason, n) for reason, n in counted.most_common())


def _total(excluded: Iterable[Exclusion]) -> int:
    return sum(one.n for one in excluded)


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a CSV file in one step."""
    write_text(path, csv_text(table))


def csv_text(table: pd.DataFrame) -> str:
    """Return a table as CSV, with the line ends of all systems but one."""
    return str(table.to_csv(index=False, lineterminator="\n"))
