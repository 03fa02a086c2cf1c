"""Choose the predictions of training parts: thresholds and calibration may see no others."""

import numpy as np
import pandas as pd

from lsemvae.core.errors import InputError
from lsemvae.core.targets import BINARY, Target

WORDS = {"binary": "probabilities", "number": "estimates", "labels": "probabilities"}


def inner_by_fold(
    predictions: pd.DataFrame, inner: pd.DataFrame, target: Target = BINARY
) -> dict[int, pd.DataFrame]:
    """Return the inner predictions of every outer fold, checked against what is held out.

    Args:
        predictions: out of fold, columns record, patient_id, fold, label, probability.
        inner: the same columns; `fold` is the outer fold whose training part a row belongs to.
        target: what is predicted.

    Raises:
        InputError: an outer fold without inner predictions or without one of the classes there, a
            value missing, or a record or patient of a fold among its own inner predictions.
    """
    absent = [name for name in target.columns if name not in inner]
    if absent:
        raise InputError(f"inner predictions: no column {', '.join(absent)}")
    faults = []
    parts = {}
    for fold in sorted({int(number) for number in predictions["fold"]}):
        held_out = predictions[predictions["fold"] == fold]
        part = parts[fold] = inner[inner["fold"] == fold]
        faults += [f"fold {fold}: {fault}" for fault in _faults(held_out, part, target)]
    if faults:
        raise InputError(
            f"inner predictions: {'; '.join(faults)}; predict on the training part of each fold"
        )
    return parts


def _faults(held_out: pd.DataFrame, part: pd.DataFrame, target: Target) -> list[str]:
    faults = []
    if not len(part):
        return ["none"]
    twice = part["record"][part["record"].duplicated()]
    if len(twice):
        faults.append(f"record {twice.iloc[0]} is predicted twice")
    if target.kind == "binary" and set(part["label"]) != {0, 1}:
        faults.append(f"labels {sorted(set(part['label']))}, expected 0 and 1")
    missing = int((~np.isfinite(part[target.predicted].to_numpy())).sum())
    if missing:
        faults.append(f"{missing} {WORDS[target.kind]} are missing")
    for name in ("record", "patient_id"):
        leaked = part[name][part[name].isin(held_out[name])]
        if len(leaked):
            faults.append(f"{name} {leaked.iloc[0]} is held out in this fold")
    return faults
