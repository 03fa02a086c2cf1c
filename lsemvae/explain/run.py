"""Read a finished run, choose records of it and explain them fold by fold."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from data_modules.base import StoreDataModule
from data_modules.progress import show_progress
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.files import file_sha256
from lsemvae.core.instead import run_below
from lsemvae.core.sealed_json import read_unverified
from lsemvae.core.targets import refuse_unless_binary
from lsemvae.crossval.fold_models import check_folds, load_fold
from lsemvae.evaluation.predictions import read_predictions
from lsemvae.evaluation.report.verify import run_faults
from lsemvae.evaluation.runs import AGAIN, NEEDED, PREDICTED, CvRun, read_cv_run
from lsemvae.explain.records import Explained, ExplanationSettings, explain_fold
from lsemvae.models.adapter import refuse_adapter
from lsemvae.runtime.malloc import keep_freed_memory


def read_run(folder: Path) -> tuple[dict[str, Any], pd.DataFrame]:
    """Return the metrics and the predictions of a finished run.

    Raises:
        InputError: the folder holds none.
    """
    files = [folder / "metrics.json", folder / "predictions.csv"]
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        raise InputError(
            f"{' and '.join(missing)} not found; name the folder of a finished `lsemvae cv` run, "
            f"such as {run_below(folder)}"
        )
    about, _ = read_unverified(files[0], AGAIN, needs=NEEDED)  # `sound_run` tells a changed one
    refuse_unless_binary(about, "explain")
    refuse_adapter(about, "explain")
    return {**about, PREDICTED: file_sha256(files[1])}, read_predictions(files[1])


def sound_run(folder: Path) -> CvRun:
    """Read a run whose files belong together.

    Raises:
        InputError: names everything that contradicts.
    """
    run = read_cv_run(folder)
    faults, _ = run_faults(run)
    if faults:
        raise InputError(f"{folder}: {'; '.join(faults)}; run `lsemvae cv` again with --overwrite")
    return run


def check_files(
    about: dict[str, Any], data: StoreDataModule, cohort: str, encoder: str | None
) -> None:
    """Refuse a cohort or an encoder that are not those of the run.

    Raises:
        InputError: everything that differs, in one message.
    """
    wrong = []
    if data.pool.sha256 != about["cohort_sha256"]:
        wrong.append(f"{cohort} is not the cohort of this run")
    if about["encoder_sha256"] and encoder is None:
        wrong.append(f"method {about['method']} needs --encoder, the checkpoint of this run")
    if not about["encoder_sha256"] and encoder is not None:
        wrong.append(f"method {about['method']} has no frozen encoder; leave out --encoder")
    if wrong:
        raise InputError("; ".join(wrong))


def store_rows(predictions: pd.DataFrame, data: StoreDataModule) -> "pd.Series[int]":
    """Return the row of the store that each prediction is about."""
    table = data.pool.table
    rows = table.reset_index().set_index("record")["index"]
    return predictions["record"].map(rows)


def choose_records(
    predictions: pd.DataFrame, records: int | str | list[str] | None, *, seed: int
) -> pd.DataFrame:
    """Return the rows of the predictions that are to be explained, in their order.

    Raises:
        InputError: a number below 1, or names that were not predicted.
    """
    if records is None:
        return predictions
    if isinstance(records, int):
        if records < 1:
            raise InputError(f"records must be 1 or more, or names of records; got {records}")
        n_drawn = min(records, len(predictions))
        drawn = np.random.default_rng(seed).choice(len(predictions), n_drawn, replace=False)
        return predictions.iloc[np.sort(drawn)]
    names = [part.strip() for part in records.split(",")] if isinstance(records, str) else records
    unknown = sorted(set(names) - set(predictions["record"]))
    if unknown:
        raise InputError(
            f"{counted(len(unknown), 'record was', 'records were')} not predicted in this run: "
            f"{', '.join(unknown[:5])}; its predictions.csv holds {predictions['record'].iloc[0]} "
            f"and {len(predictions) - 1} others"
        )
    return predictions[predictions["record"].isin(names)]


def explain_folds(
    folder: Path, data: StoreDataModule, encoder: str | None, predictions: pd.DataFrame,
    chosen: pd.DataFrame, *, plan: ExplanationSettings, found: Explained,
) -> None:  # fmt: skip
    """Explain each fold's share of the chosen records with that fold's model."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu":
        keep_freed_memory()
    folders = {fold: folder / f"fold_{fold}" for fold in chosen["fold"].unique()}
    check_folds(list(folders.values()))
    parts = ((len(part), (fold, part)) for fold, part in chosen.groupby("fold"))
    for fold, part in show_progress(parts, total=len(chosen), text="explaining records"):
        task = load_fold(folders[fold], encoder, data.ecg_input).to(device)
        training: np.ndarray[Any, Any] = predictions["row"][predictions["fold"] != fold].to_numpy()
        explain_fold(task, data, part, training_rows=training, plan=plan, found=found)
