"""Check published tables and cohorts for what contradicts itself."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from data_modules.store.mark import quarantine_list, quarantined
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.findings import Finding, FindingsFoundError, describe_findings, write_findings
from lsemvae.core.outputs import check_output_file
from lsemvae.core.printable import say

if TYPE_CHECKING:
    import pandas as pd

    from data_modules.store.read import EcgStore

SIGNAL_DOUBTS = ("limb_leads_inconsistent", "leads_identical", "rate_doubtful",
                 "arm_leads_doubtful", "signal_alike")  # fmt: skip


def check_published(
    *, table1: str | None = None, table2: str | None = None, out: str | None = None
) -> None:
    """List what contradicts itself in published tables, by default in the paper's own.

    Group sizes and accuracies, MCC and accuracy, pooled columns, pressures, p-values, and what the
    paper's text says of its tables. Findings are no error: the exit code is 0. It is 2 where a
    table cannot be read.

    Args:
        table1: another table of characteristics, a CSV file in the form of the package's
            evaluation/tables/paper_tables/table1.csv; its group sizes serve table 2 too.
        table2: another table of results, in the form of evaluation/tables/paper_tables/table2.csv.
        out: CSV file for the findings.
    """
    from lsemvae.evaluation.tables.paper import paper_table
    from lsemvae.evaluation.tables.table_checks import check_tables, read_published

    first, second = (
        paper_table(name) if path is None else read_published(Path(path), name)
        for name, path in (("table1", table1), ("table2", table2))
    )
    counts, gains = paper_table("text_counts"), paper_table("text_gains")
    if table1 is not None:
        counts = counts[:0]
    if table2 is not None:
        gains = gains[:0]
    show(check_tables(first, second, counts, gains), out, read=(table1, table2))


def check_cohort(
    *,
    table: str | None = None,
    store: str | None = None,
    columns: dict[str, str] | None = None,
    sheet: str | None = None,
    labels: dict[str, str] | None = None,
    expected: dict[str, int] | None = None,
    mpap_threshold_mmhg: float = 20.0,
    pawp_threshold_mmhg: float = 15.0,
    pvr_threshold_wu: float = 2.0,
    estimate_mpap: bool = False,
    mean_pressure_tolerance_mmhg: float = 8.0,
    max_days: int = 30,
    out: str | None = None,
) -> None:
    """List what looks wrong in a table of patients or in a store, all at once.

    Units, pressures in an impossible order, labels against their definition, repeated patients and
    waveforms, patient ids that differ only as they are written, columns that look like names or
    birth dates, amplitudes that speak for a wrong gain, what `prepare` doubted in the signals, days
    between ECG and catheter, missing values, group sizes. The exit code is 0 where nothing was
    found, 1 where something was, and 2 where the table cannot be read or an option is wrong.

    Args:
        table: the table, as `lsemvae prepare cohort` takes it; or else
        store: a store, whose waveforms are compared too.
        columns: the table's own column names where they differ.
        sheet: of a workbook, where several have rows.
        labels: columns of 0 and 1 to compare with the definition of a task, for example
            --labels.detection=PH.
        expected: sizes that another place gives of records, patients, non-PH, PH, pre-capillary or
            post-capillary, for example --expected.PH=691.
        mpap_threshold_mmhg: pulmonary hypertension is mPAP above this.
        pawp_threshold_mmhg: post-capillary is PAWP above this.
        pvr_threshold_wu: a vascular resistance above this is raised (2 or 3 are in use).
        estimate_mpap: estimate a missing mPAP as (sPAP + 2 dPAP) / 3; every table then says so.
        mean_pressure_tolerance_mmhg: allowed distance of mPAP from dPAP + (sPAP - dPAP) / 3; that
            rule errs by 1.6 mmHg (SD) with the best catheters.
        max_days: allowed days between ECG and catheter, in either order.
        out: CSV file for the findings.
    """
    from data_modules.cohort.checks import CohortLimits, check_cohort_values, group_counts
    from data_modules.cohort.identity import identity_columns
    from lsemvae.core.tasks import Thresholds

    if (table is None) == (store is None):
        raise InputError("give either --table or --store, and not both")
    if sheet is not None and table is None:
        raise InputError("--sheet is of a workbook; give it with --table, or leave it out")
    values, findings = (
        _read_table(table, columns, sheet) if table is not None else _read_store(store)
    )
    thresholds = Thresholds(
        mpap_threshold_mmhg, pawp_threshold_mmhg, pvr_threshold_wu, estimate_mpap
    )
    limits = CohortLimits(
        thresholds, mean_pressure_tolerance_mmhg, max_days, labels or {}, expected or {}
    )
    findings += [Finding("identity", ("header",), line) for line in identity_columns(values)]
    findings += check_cohort_values(values, limits)
    counted = group_counts(values, thresholds).items()
    say(f"{table or store}: " + ", ".join(f"{n} {name}" for name, n in counted))
    show(findings, out, read=(table, store))
    if findings:
        raise FindingsFoundError


def _read_table(
    path: str, columns: dict[str, str] | None, sheet: str | None
) -> "tuple[pd.DataFrame, list[Finding]]":
    """Read a table as far as it can be read, rows named as a spreadsheet numbers them."""
    from data_modules.cohort.table import inspect_cohort_table

    table, problems, notes = inspect_cohort_table(path, columns, sheet=sheet)
    for note in notes:
        say(f"note: {note}")
    named = table.set_axis([f"row {number}" for number in table.index], axis="index")
    return named, [_as_finding(problem) for problem in problems]


def _as_finding(problem: str) -> Finding:
    """Part a problem into its row and the rest; what concerns no row concerns the header."""
    row, _, text = problem.partition(": ")
    return Finding("cell", (row,), text) if text else Finding("cell", ("header",), problem)


def _read_store(path: str | None) -> "tuple[pd.DataFrame, list[Finding]]":
    """Read a store's table, rows named by their records, and judge its amplitudes."""
    from data_modules.store.read import EcgStore

    opened = EcgStore(str(path))
    table = opened.table
    named = table.set_axis(table["record"].to_list(), axis="index")
    return named, _gain_findings(opened, table["record"]) + _signal_findings(opened)


def _signal_findings(store: "EcgStore") -> list[Finding]:
    """Return what `prepare` doubted in the signals; what a recording merely lacks is no finding."""
    from data_modules.reading.reasons import REASONS

    told, listed = store.reasons.get("warnings", {}), quarantined(store.path)
    found = []
    for code in (one for one in SIGNAL_DOUBTS if one in told):
        names = tuple(row["record"] for row in listed if row["code"] == code)
        text = f"{code} in {counted(told[code], 'recording')}: {REASONS[code]}"
        found.append(Finding("signal", names or ("records",), text))
    return found


def _gain_findings(store: "EcgStore", records: "pd.Series[str]") -> list[Finding]:
    """Judge the amplitudes of a store; where every lead was scaled by itself they mean nothing."""
    from data_modules.signals.gains import gain_doubts, store_amplitudes

    n_scaled = store.reasons.get("warnings", {}).get("leads_scaled_separately", 0)
    if 2 * n_scaled > len(store):
        text = (
            f"{n_scaled} of {counted(len(store), 'recording')} have leads that were scaled one by "
            "one, so amplitudes mean nothing: prepare the set again with --amplitude arbitrary"
        )
        return [Finding("gain", ("all records",), text)]
    doubts = gain_doubts(store_amplitudes(store))
    outlying = _doubted_before(store) | {
        records.iloc[row]: text for row, text in doubts.outlying.items()
    }
    found = [Finding("gain", (record,), text) for record, text in outlying.items()]
    n_told = store.reasons.get("warnings", {}).get("gain_doubtful", 0)
    of_all = [doubts.cohort] if doubts.cohort else []
    if len(outlying) < n_told:
        beside = quarantine_list(store.path).name
        of_all.append(
            f"`lsemvae prepare` doubted the gain of {counted(n_told, 'recording')}, and the list "
            f"beside the store does not name them all; prepare again, or copy {beside} to it"
        )
    return found + [Finding("gain", ("all records",), text) for text in of_all]


def _doubted_before(store: "EcgStore") -> dict[str, str]:
    """Return what `prepare` saw in the recordings' ADC steps, which a store does not keep."""
    if "gain_doubtful" not in store.reasons.get("warnings", {}):
        return {}
    return {row["record"]: row["message"] for row in quarantined(store.path)
            if row["code"] == "gain_doubtful"}  # fmt: skip


def show(findings: Sequence[Finding], out: str | None, *, read: Sequence[str | None] = ()) -> None:
    """Print findings and write them to a CSV file where one is named.

    Raises:
        InputError: the file is one of those that were read, or not of this command.
    """
    say(describe_findings(findings))
    if out is not None:
        check_output_file(Path(out), mark=",".join(Finding._fields).encode(), read=read)
        write_findings(findings, Path(out))
        say(f"written: {out}")
