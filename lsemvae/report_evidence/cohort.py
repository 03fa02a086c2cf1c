"""Take from the store what a report shows: groups, checks, dates, other labels, leaks."""

from pathlib import Path

import numpy as np
import pandas as pd

from data_modules.cohort.checks import CohortLimits, check_cohort_values
from data_modules.cohort.columns import DATES
from data_modules.cohort.identity import plain_ids
from data_modules.cohort.labels import number_values, task_labels
from data_modules.cohort.quantities import group_sizes
from data_modules.leakage import find_leaks
from data_modules.parts import Part, fold_parts
from data_modules.reading.reasons import NOTES
from data_modules.store.mark import quarantine_list
from data_modules.store.read import EcgStore
from data_modules.trained_on import read_trained_on
from lsemvae.core.errors import InputError
from lsemvae.core.files import file_sha256
from lsemvae.core.leads import LEADS
from lsemvae.core.targets import find_target
from lsemvae.core.tasks import DEFINED_TASKS, PRESSURE_TASKS, Thresholds, find_task
from lsemvae.evaluation.kept_files import read_kept_table
from lsemvae.evaluation.report.evidence import CohortEvidence
from lsemvae.evaluation.runs import CvRun
from lsemvae.evaluation.tables.table1 import TwoGroups
from lsemvae.models import read_data_state
from lsemvae.report_evidence.flow import study_flow
from lsemvae.report_evidence.machine import machine_measurements

PREPARE_AGAIN = "remove it, or run `lsemvae prepare` again"

MPAP_MMHG = (20.0, 25.0)  # definitions of pulmonary hypertension: ESC/ERS 2022 and before
PAWP_MMHG = (12.0, 15.0, 18.0)
PVR_WU = (2.0, 3.0)  # ESC/ERS 2022, and 2015
ENCODER = "checkpoints/last.ckpt"  # of a pre-training run's folder


def cohort_evidence(
    store: EcgStore, tasks: list[str], thresholds: Thresholds, max_days: int
) -> CohortEvidence:
    """Return what a store says of its cohort.

    Args:
        store: that was cross-validated.
        tasks: of the runs; Table 1 shows their groups where there are no pressures.
        thresholds: of the runs.
        max_days: allowed days between ECG and catheter.
    """
    table = store.table
    named = table.set_axis(table["record"].to_list(), axis="index")
    limits = CohortLimits(thresholds, max_days=max_days)
    study, study_note = study_flow(store)
    return CohortEvidence(
        store={
            "label": store.label, "synthetic": store.synthetic, "sha256": store.sha256,
            "sampling rate (Hz)": f"{store.sampling_rate_hz:g}",
            "samples per lead": store.n_samples, "unit": store.unit, **store.settings,
        },
        table=table,
        flow=_flow(store),
        findings=check_cohort_values(named, limits),
        comparisons=_comparisons(table, tasks, thresholds),
        interval_days=_interval(table),
        dates=_dates(table),
        most_leads=int(store.present.sum(1).max()),
        groups=group_sizes(table, thresholds),
        missing_leads=dict(zip(LEADS, (~store.present).sum(0).tolist(), strict=True)),
        study=study,
        study_note=study_note,
        machine=machine_measurements(store),
    )  # fmt: skip


def _flow(store: EcgStore) -> list[tuple[str, int]]:
    """Count recordings listed, rejected (by reason), accepted, and of what they are warned.

    How many recordings have warnings stands in the list beside the store alone, all else in it.
    """
    told = store.reasons.get("warnings", {}) | store.reasons.get("notes", {})
    return [
        ("recordings listed", store.plan.n_listed),
        *((f"rejected: {code}", n) for code, n in store.reasons.get("rejected", {}).items()),
        ("recordings in the store", len(store)),
        ("patients in the store", store.table["patient_id"].nunique()),
        *_with_warnings(store),
        *((f"warned of: {code}", n) for code, n in told.items() if code not in NOTES),
        *((f"noted: {code}", n) for code, n in told.items() if code in NOTES),
    ]


def _with_warnings(store: EcgStore) -> list[tuple[str, int]]:
    file = quarantine_list(store.path)
    if not file.is_file():
        return []
    listed = read_kept_table(file, PREPARE_AGAIN, dtype=str, keep_default_na=False)
    warned = listed[(listed["outcome"] != "rejected") & ~listed["code"].isin(NOTES)]
    return [("recordings with warnings", warned["record"].nunique())]


def _comparisons(table: pd.DataFrame, tasks: list[str], thresholds: Thresholds) -> list[TwoGroups]:
    """Return the paper's groups where the store has their pressures, then those of other tasks."""
    comparisons = []
    names = [name for task in tasks for name in find_target(task).names]
    for task in dict.fromkeys([*PRESSURE_TASKS, *names]):
        try:
            label = task_labels(table, task, thresholds)
        except InputError:
            continue
        comparisons.append(TwoGroups(task, label, find_task(task).groups))
    return comparisons


def _interval(table: pd.DataFrame) -> pd.Series | None:
    if not set(DATES) <= set(table):
        return None
    days = (_days(table["rhc_date"]) - _days(table["ecg_date"])).dt.days.astype(float)
    return days if days.notna().any() else None


def _dates(table: pd.DataFrame) -> dict[str, tuple[str, str]]:
    known = {name: _days(table[name]).dropna() for name in DATES if name in table}
    return {
        name: (f"{days.min():%Y-%m-%d}", f"{days.max():%Y-%m-%d}")
        for name, days in known.items()
        if len(days)
    }


def _days(values: pd.Series) -> pd.Series:
    parsed = pd.to_datetime(values, format="ISO8601", errors="coerce", utc=True)
    return parsed.dt.normalize()


def other_labels(table: pd.DataFrame, run: CvRun) -> pd.DataFrame | None:
    """Return a run's label under every definition in use, None where pressures do not define it."""
    task = DEFINED_TASKS.get(run.metrics["task"])
    if task is None:
        return None
    own = Thresholds.of_settings(run.metrics)
    by_wedge, by_resistance = (name in task.columns for name in ("pawp_mmhg", "pvr_wu"))
    defined = [
        Thresholds(mpap, pawp, pvr, own.estimate_mpap)
        for mpap in sorted({*MPAP_MMHG, own.mpap_mmhg}) if not by_wedge or mpap >= own.mpap_mmhg
        for pawp in (sorted({*PAWP_MMHG, own.pawp_mmhg}) if by_wedge else [own.pawp_mmhg])
        for pvr in (sorted({*PVR_WU, own.pvr_wu}) if by_resistance else [own.pvr_wu])
    ]  # fmt: skip
    labels = {task.defined_by(one): task_labels(table, task.name, one) for one in defined}
    return pd.DataFrame({"record": table["record"], **labels})


def verify_against_store(store: EcgStore, runs: list[CvRun], pretrain: Path | None = None) -> None:
    """Compare runs with the store, and their folds with one another once more.

    Args:
        store: that was cross-validated.
        runs: on it.
        pretrain: folder of a pre-training run; the folds of the runs with its encoder are compared
            with what it has seen, too.

    Raises:
        InputError: runs of another cohort, patients or labels, or leaks that they do not admit.
    """
    foreign = [run.folder for run in runs if run.metrics["cohort_sha256"] != store.sha256]
    if foreign:
        raise InputError(
            f"{foreign[0]} was run on another cohort than {store.named}; name the store "
            "that it was run on"
        )
    sha256, seen = _pretrained_on(pretrain)
    faults = [
        f"{run.folder}: metrics.json does not say that the recordings are synthetic"
        for run in runs
        if store.synthetic and not run.metrics["synthetic"]
    ]
    faults += [
        f"{run.folder}: {fault}"
        for run in runs
        for fault in _faults(
            store.table, run, seen if run.metrics["encoder_sha256"] == sha256 else []
        )
    ]
    if faults:
        raise InputError(
            f"these runs cannot be reported: {'; '.join(faults)}. Run `lsemvae cv` again with "
            "--overwrite"
        )


def _pretrained_on(folder: Path | None) -> tuple[str, list[Part]]:
    """Return the digest of a run's encoder and what it has seen, nothing where it is not known."""
    if folder is None or not (folder / ENCODER).is_file():
        return "", []
    encoder = folder / ENCODER
    seen = read_trained_on(encoder, read_data_state(str(encoder)).sha256)
    return file_sha256(encoder), [] if seen is None else [seen]


def _faults(table: pd.DataFrame, run: CvRun, seen: list[Part]) -> list[str]:
    """Name what the store, or what the encoder has seen, contradicts in a run."""
    known = table.set_index("record")
    predictions = run.predictions.set_index("record")
    unknown = predictions.index.difference(known.index)
    if len(unknown):
        return [f"record {unknown[0]} is not in the store"]
    faults = []
    owner = plain_ids(known["patient_id"].loc[predictions.index])
    other = predictions.index[owner != plain_ids(predictions["patient_id"])]
    if len(other):
        faults.append(f"record {other[0]} is of another patient in the store")
    if run.metrics.get("permute_labels") is None:
        faults += _other_label(table, run, predictions)
    fold = table["record"].map(predictions["fold"])
    admitted = {(leak["kind"], *leak["between"]) for leak in run.metrics.get("leaks", [])}
    leaks = find_leaks([*seen, *fold_parts(table, fold)])
    return faults + [
        f"leakage: {leak}" for leak in leaks if (leak.kind, *leak.between) not in admitted
    ]


def _other_label(table: pd.DataFrame, run: CvRun, predictions: pd.DataFrame) -> list[str]:
    thresholds, target = Thresholds.of_settings(run.metrics), run.target
    if target.kind == "number":
        defined = (
            number_values(table, run.metrics["task"], thresholds).to_frame().astype(np.float32)
        )
    else:
        columns = [task_labels(table, name, thresholds) for name in target.names]
        defined = pd.concat(columns, axis=1)
    known = defined.set_axis(table["record"]).loc[predictions.index].to_numpy()
    told = predictions[target.truth].to_numpy().astype(known.dtype)
    alike = np.equal(known, told) | (np.isnan(known) & np.isnan(told))
    wrong = predictions.index[~alike.all(axis=1)]
    what = "measured value" if target.kind == "number" else "label"
    return [f"record {wrong[0]} has another {what} in the store"] if len(wrong) else []
