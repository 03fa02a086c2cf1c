"""Read finished runs and compute their statistics."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import entr

from lsemvae.core.errors import InputError
from lsemvae.core.instead import found_instead
from lsemvae.evaluation.projection import read_projection
from lsemvae.evaluation.report.evidence import ENTROPY, POSTERIOR, RunEvidence
from lsemvae.evaluation.runs import CvRun, read_cv_run
from lsemvae.evaluation.statistics.labels_summary import summarise_labels
from lsemvae.evaluation.statistics.summary import summarise_run
from lsemvae.evaluation.tables.number_table import number_summary

FIRST = "run `lsemvae cv` first"


def find_runs(folders: Sequence[str]) -> tuple[list[CvRun], list[str]]:
    """Read runs from their own folders or from folders above them.

    Args:
        folders: of runs (OUT/TASK/METHOD/LEADS), or OUT, whose finished runs are all taken; OUT of
            a benchmark too.

    Returns:
        The runs, and a sentence for each one below a folder that is not finished.

    Raises:
        InputError: folders that hold no finished run, all of them named.
    """
    found: dict[Path, CvRun] = {}
    notes, faults = [], []
    for name in folders:
        folder = Path(name)
        own = [folder] if _is_run(folder) else []
        below = own or _folders_with(folder, "metrics.json")
        unfinished = set(_folders_with(folder, "fold_0")) - set(below)
        notes += [f"{part} is not finished and was left out" for part in sorted(unfinished)]
        lacking = [part for part in below if not (part / "predictions.csv").is_file()]
        faults += [f"{part} has no predictions.csv; {FIRST}" for part in lacking]
        if not below:
            instead = "" if folder.is_file() else found_instead(folder, folder=True)
            whole = next((one for one in folder.parents if _is_run(one)), None)
            step = f"it is a part of the run {whole}: name that" if whole else FIRST
            faults.append(f"no finished cross-validation below {folder}{instead}; {step}")
        found |= {part.resolve(): read_cv_run(part) for part in below if part not in lacking}
    if faults:
        raise InputError("; ".join(faults))
    return list(found.values()), notes


def _is_run(folder: Path) -> bool:
    return (folder / "metrics.json").is_file()


def _folders_with(above: Path, name: str) -> list[Path]:
    """Return the folders below that hold something, as OUT, OUT/TASK and OUT/TASK/METHOD do.

    A benchmark's folder has its runs in `cv`.
    """
    patterns = (f"*/{name}", f"*/*/{name}", f"*/*/*/{name}", f"cv/*/*/*/{name}")
    return sorted(found.parent for pattern in patterns for found in above.glob(pattern))


def with_statistics(
    run: CvRun,
    *,
    cohort: pd.DataFrame | None,
    labels: Callable[[CvRun], pd.DataFrame | None],
    subgroups: Sequence[str],
    n_resamples: int,
) -> RunEvidence:
    """Return a run with its statistics.

    Args:
        run: whose files have been verified.
        cohort: the store's table.
        labels: gives further definitions of a run's label, see `summarise_run`.
        subgroups: columns of the cohort.
        n_resamples: of every bootstrap.
    """
    run, source = with_uncertainty(run)
    summary = summarise_run(
        run.predictions, run.inner, cohort=cohort, subgroups=subgroups, labels=labels(run),
        n_resamples=n_resamples,
    )  # fmt: skip
    return RunEvidence(run, summary, source, read_projection(run.folder))


def with_target_statistics(run: CvRun, n_resamples: int) -> RunEvidence:
    """Return a run of a number or of several labels with its statistics.

    Args:
        run: whose files have been verified.
        n_resamples: of every bootstrap.
    """
    if run.target.kind == "labels":
        return RunEvidence(run, summarise_labels(run.predictions, run.target))
    return RunEvidence(run, number_summary(run, n_resamples))


def with_uncertainty(run: CvRun) -> tuple[CvRun, str]:
    """Return a run whose predictions have an uncertainty, and where it comes from."""
    table = run.predictions
    if "uncertainty" in table and table["uncertainty"].notna().all():
        return run, POSTERIOR
    probability = table["probability"].to_numpy(dtype=np.float64)
    uncertainty = entr(probability) + entr(1 - probability)
    return replace(run, predictions=table.assign(uncertainty=uncertainty)), ENTROPY
