"""Refuse runs whose files do not belong together, everything wrong in one message."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.json_text import parse_json
from lsemvae.core.made_with import differences
from lsemvae.core.sealed_json import read_json
from lsemvae.core.targets import Target
from lsemvae.core.tasks import SETTINGS, Thresholds
from lsemvae.evaluation.predictions import summarise
from lsemvae.evaluation.runs import CvRun
from lsemvae.evaluation.statistics.inner_predictions import inner_by_fold
from lsemvae.evaluation.statistics.json_values import to_json

SHARED = ("cohort_sha256", *SETTINGS.values())
FINISHED = "finished.json"
SHOWN = 6  # figures named in a message
TOLERANCE = 1e-6  # metrics.json and predictions.csv are written with all their digits


def verify_runs(runs: Sequence[CvRun]) -> list[str]:
    """Check that every run is whole and that all of them are of the same data.

    Args:
        runs: whose labels are as they are, or all shuffled with the same seed.

    Returns:
        What could not be checked, one sentence each.

    Raises:
        InputError: missing folds, a record or patient predicted twice, predictions that are not
            those of metrics.json or of the frozen folds, or runs of other data or folds.
    """
    faults, notes = [], []
    for run in runs:
        found, unchecked = run_faults(run)
        found = found or _other_inner_numbers(run)
        faults += [f"{run.folder}: {fault}" for fault in found]
        notes += [f"{run.folder}: {note}" for note in unchecked]
    faults += _mixed(runs)
    if faults:
        raise InputError(
            f"these runs cannot be reported: {'; '.join(faults)}. Run `lsemvae cv` again with "
            "--overwrite, or report runs of other data apart"
        )
    return notes


def run_faults(run: CvRun) -> tuple[list[str], list[str]]:
    """Return what is wrong with a run, and what its files do not allow to check."""
    table, metrics = run.predictions, run.metrics
    absent = [name for name in run.target.columns if name not in table]
    if absent:
        return [f"predictions.csv has no column {', '.join(absent)}"], []
    faults = _fold_faults(table, len(metrics["folds"]), run.target)
    twice = table["record"][table["record"].duplicated()]
    if len(twice):
        faults.append(f"record {twice.iloc[0]} is predicted twice")
    several = table.groupby("patient_id")["fold"].nunique()
    torn = several[several > 1].index
    if len(torn):
        faults.append(f"patient {torn[0]} is in several folds")
    if not faults:
        faults += _other_numbers(run) + _other_repeats(run)
    more, notes = _against_splits(run)
    faults += more + _other_settings(run)
    if run.inner is not None and not faults:
        try:
            inner_by_fold(table, run.inner, run.target)
        except InputError as error:
            faults.append(str(error))
    if not faults:
        faults += [f"{name} is not as the run wrote it" for name in run.changed_files]
    return faults, notes


def _fold_faults(table: pd.DataFrame, n_folds: int, target: Target) -> list[str]:
    missing = sorted(set(range(n_folds)) - set(table["fold"]))
    if missing:
        return [f"fold {', '.join(map(str, missing))} is missing in predictions.csv"]
    known = np.isfinite(table[target.predicted].to_numpy(np.float64)).all(axis=1)
    unusable = table["record"][~known]
    what = "estimate" if target.kind == "number" else "probability"
    return [f"record {unusable.iloc[0]} has no {what}"] if len(unusable) else []


def _other_numbers(run: CvRun) -> list[str]:
    """Name figures of metrics.json that predictions.csv does not give."""
    try:
        again = to_json(summarise(run.predictions, run.target))
    except InputError as error:
        return [str(error)]
    return _named("predictions.csv", _differing(again, run.metrics))


def _other_inner_numbers(run: CvRun) -> list[str]:
    """Name figures of metrics.json that inner_predictions.csv does not give."""
    kept = run.metrics.get("inner")
    if run.inner is None or kept is None:
        return []
    again = to_json(summarise(run.inner, run.target))
    figures = _differing({name: again[name] for name in kept}, kept, "inner")
    return _named("inner_predictions.csv", figures)


def _named(file: str, figures: Iterable[str]) -> list[str]:
    other = [name.removeprefix("pooled.") for name in figures]
    return [f"metrics.json is not of {file} ({', '.join(other[:SHOWN])})"] if other else []


def _differing(again: Any, kept: Any, name: str = "") -> Iterator[str]:
    """Yield the dotted names of numbers that are not those measured again."""
    if isinstance(again, Mapping) and isinstance(kept, Mapping):
        for key, value in again.items():
            yield from _differing(value, kept.get(key), f"{name}.{key}".lstrip("."))
    elif isinstance(again, list) and isinstance(kept, list) and len(again) == len(kept):
        for number, (value, before) in enumerate(zip(again, kept, strict=True)):
            yield from _differing(value, before, f"{name}.{number}")
    elif isinstance(again, int | float) and isinstance(kept, int | float):
        if _differ(again, kept):
            yield name
    elif again != kept:
        yield name


def _other_repeats(run: CvRun) -> list[str]:
    """Name metrics of repeats.csv whose first row is not the run itself."""
    if run.repeats is None:
        return []
    first, own = run.repeats.iloc[0], run.metrics["pooled"]
    other = [name for name, value in own.items() if _differ(_none_for_nan(first.get(name)), value)]
    return [f"repeats.csv is of another run ({', '.join(other)})"] if other else []


def _none_for_nan(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else float(value)


def _differ(value: float | None, kept: float | None) -> bool:
    if value is None or kept is None:
        return value is not kept
    return abs(value - kept) > TOLERANCE * max(1.0, abs(value))


def _other_settings(run: CvRun) -> list[str]:
    """Name settings of metrics.json that are not those of the folds, where their files are."""
    for file in sorted(run.folder.glob(f"fold_*/{FINISHED}")):
        kept = read_json(file, "run `lsemvae cv` again", needs=("method",))
        shared = {name: run.metrics[name] for name in kept if name in run.metrics}
        other = differences(kept, shared)
        if other:
            return [f"settings are not those of {file.parent.name} ({'; '.join(other)})"]
    return []


def _against_splits(run: CvRun) -> tuple[list[str], list[str]]:
    """Compare the folds with the frozen ones, where their file is where `lsemvae cv` puts it."""
    file = run.folder.absolute().parents[1] / "splits.json"
    if not file.is_file():
        return [], [f"{file.name} is not beside the run, so its folds were not compared with it"]
    try:
        frozen = parse_json(file.read_text())
        fold_of, task = frozen["fold"], frozen.get("task", run.metrics["task"])
    except (ValueError, KeyError, TypeError) as error:
        return [f"{file} is damaged ({error})"], []
    if splits_digest(fold_of) != run.metrics["splits_sha256"]:
        return [f"{file} holds other folds than those of the run"], []
    if task != run.metrics["task"]:
        return [f"metrics.json is of {run.metrics['task']}, {file} of {task}"], []
    expected = run.predictions["record"].map(fold_of)
    wrong = run.predictions["record"][expected != run.predictions["fold"]]
    faults = [f"record {wrong.iloc[0]} is predicted in a fold not its own"] if len(wrong) else []
    lacking = sorted(set(fold_of) - set(run.predictions["record"]))
    if lacking:
        faults.append(
            f"{counted(len(lacking), 'record lacks', 'records lack')} a prediction, as {lacking[0]}"
        )
    return faults, []


def splits_digest(fold_of: Mapping[str, int]) -> str:
    """Return the SHA-256 of which record is in which fold, as the folds' file defines it."""
    return hashlib.sha256(json.dumps(fold_of, sort_keys=True).encode()).hexdigest()


def _mixed(runs: Sequence[CvRun]) -> list[str]:
    """Name what all runs, and all runs of a task, must have in common and have not."""
    faults = [
        f"they differ in {name}: {_listed(runs, name)}"
        for name in SHARED
        if len({_shared(run, name) for run in runs}) > 1
    ]
    for task in dict.fromkeys(run.metrics["task"] for run in runs):
        mine = [run for run in runs if run.metrics["task"] == task]
        if len({run.metrics["splits_sha256"] for run in mine}) > 1:
            faults.append(f"runs of {task} have other folds: {_listed(mine, 'splits_sha256')}")
    keys = [(run.metrics["task"], run.metrics["method"], run.leads) for run in runs]
    several = dict.fromkeys(key for key in keys if keys.count(key) > 1)
    return faults + [f"{'/'.join(key)} was given {keys.count(key)} times" for key in several]


def _shared(run: CvRun, name: str) -> Any:
    return (Thresholds().as_settings() | run.metrics)[name]


def _listed(runs: Sequence[CvRun], name: str) -> str:
    values: dict[str, str] = {}
    for run in runs:
        values.setdefault(str(_shared(run, name))[:12], str(run.folder))
    return ", ".join(f"{value} ({folder})" for value, folder in values.items())
