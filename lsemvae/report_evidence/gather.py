"""Read and verify everything that a report is made from."""

from pathlib import Path
from typing import Any

from data_modules.cohort.group_words import check_group_columns, tell_group_words
from data_modules.progress import show_each
from data_modules.store.read import EcgStore
from lsemvae.core.errors import InputError
from lsemvae.core.files import file_sha256
from lsemvae.core.sealed_json import read_sealed
from lsemvae.core.tasks import Thresholds
from lsemvae.evaluation.kept_files import read_kept_table
from lsemvae.evaluation.report.evidence import Evidence, PretrainEvidence
from lsemvae.evaluation.report.gather import find_runs, with_statistics, with_target_statistics
from lsemvae.evaluation.report.verify import verify_runs
from lsemvae.evaluation.runs import CvRun
from lsemvae.models import read_data_state
from lsemvae.report_evidence.cohort import (
    ENCODER,
    cohort_evidence,
    other_labels,
    verify_against_store,
)

FIT_AGAIN = "run the pre-training again, or leave --pretrain out"
SUBGROUPS = ("sex", "age_years")
MOST_NAMED = 3  # methods in the title of a page


def gather_evidence(
    folders: list[str], cohort: str | None, pretrain: str | None, explain: str | None, *,
    title: str | None, reference: str, subgroups: list[str], n_resamples: int, max_days: int,
) -> Evidence:  # fmt: skip
    """Read and verify everything that a report is made from; arguments as in `report`."""
    found, notes = find_runs(folders)
    store = None if cohort is None else EcgStore(cohort)
    folder = None if pretrain is None else Path(pretrain)
    plain, permuted = _verified(found, store, notes, folder)
    table = None if store is None else store.table
    absent = [name for name in subgroups if table is not None and name not in table]
    if table is not None:
        usual = set(absent) & set(SUBGROUPS)
        check_group_columns(table, [one for one in subgroups if one not in usual], str(cohort))
        tell_group_words(table, subgroups)
    first = plain[0].metrics
    thresholds = Thresholds.of_settings(first)
    tasks = list(dict.fromkeys(run.metrics["task"] for run in plain))
    return Evidence(
        title=title or _title(plain),
        runs=[
            with_statistics(
                run, cohort=table, n_resamples=n_resamples, subgroups=subgroups,
                labels=lambda run: None if table is None else other_labels(table, run),
            )
            for run in show_each(
                [run for run in plain if run.target.kind == "binary"], text="statistics of runs"
            )
        ],
        targets=[
            with_target_statistics(run, n_resamples)
            for run in plain
            if run.target.kind != "binary"
        ],
        permuted=permuted,
        cohort=None if store is None else cohort_evidence(store, tasks, thresholds, max_days),
        pretrain=None if folder is None else _pretrain(folder, plain),
        explained=None if explain is None else Path(explain),
        reference=reference,
        n_resamples=n_resamples,
        notes=notes,
    )  # fmt: skip


def _title(runs: list[CvRun]) -> str:
    """Name the methods of a report, or count them where they are many."""
    methods = list(dict.fromkeys(run.method_title for run in runs))
    told = ", ".join(methods) if len(methods) <= MOST_NAMED else f"{len(methods)} methods"
    return f"{told}: cross-validated report"


def _verified(
    runs: list[CvRun], store: EcgStore | None, notes: list[str], pretrain: Path | None
) -> tuple[list[CvRun], list[CvRun]]:
    """Return the runs with their labels as they are and those with shuffled ones, verified.

    Raises:
        InputError: see `verify_runs` and `verify_against_store`; there is none of the former.
    """
    groups: dict[Any, list[CvRun]] = {}
    for run in runs:
        groups.setdefault(run.metrics.get("permute_labels"), []).append(run)
    for group in groups.values():
        notes += verify_runs(group)
    if store is not None:
        verify_against_store(store, runs, pretrain)
    plain = groups.pop(None, [])
    if not plain:
        raise InputError("all runs were trained on shuffled labels; name the run that they judge")
    permuted = [run for group in groups.values() for run in group]
    foreign = [run.folder for run in permuted
               if run.metrics["cohort_sha256"] != plain[0].metrics["cohort_sha256"]]  # fmt: skip
    if foreign:
        raise InputError(f"{foreign[0]} was run on another cohort than the other runs")
    return plain, permuted


def _pretrain(folder: Path, runs: list[CvRun]) -> PretrainEvidence:
    """Read a pre-training run.

    Raises:
        InputError: it has no log, or its encoder is not that of the runs.
    """
    log, encoder = folder / "metrics.csv", folder / ENCODER
    if not log.is_file():
        raise InputError(f"{log} not found; a pre-training run with a CSVLogger writes it")
    data = read_data_state(str(encoder))
    if file_sha256(encoder) not in {run.metrics["encoder_sha256"] for run in runs}:
        raise InputError(
            f"{encoder} is not the encoder that was cross-validated; name the pre-training run "
            "that it came from"
        )
    provenance = folder / "provenance.json"
    return PretrainEvidence(
        folder=folder,
        log=read_kept_table(log, FIT_AGAIN),
        data=data.label,
        synthetic=data.synthetic,
        sampling_rate_hz=data.ecg_input.sampling_rate_hz,
        calibrated=data.calibrated,
        provenance=read_sealed(provenance, FIT_AGAIN, files=[log.name])
        if provenance.is_file()
        else {},
    )
