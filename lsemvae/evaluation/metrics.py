"""Metrics of the paper's Table 2, from labels and probabilities."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torchmetrics.functional.classification import (
    binary_accuracy,
    binary_auroc,
    binary_matthews_corrcoef,
)

THRESHOLD = 0.5  # fixed before any data is seen


class Metrics(NamedTuple):
    """AUROC, accuracy and Matthews correlation coefficient at a probability of one half."""

    auroc: float
    accuracy: float
    mcc: float


def binary_metrics(
    label: npt.NDArray[np.floating], probability: npt.NDArray[np.floating]
) -> Metrics:
    """Return the three metrics of Table 2.

    Args:
        label: (N,), 0 or 1, both present.
        probability: (N,), of the positive class.

    Raises:
        ValueError: only one class is present, where AUROC has no value.
    """
    if len(np.unique(label)) != 2:
        raise ValueError("AUROC needs both classes among the labels")
    score = torch.from_numpy(np.array(probability, dtype=np.float64))
    target = torch.from_numpy(np.array(label, dtype=np.int64))
    return Metrics(
        auroc=float(binary_auroc(score, target)),
        accuracy=float(binary_accuracy(score, target, threshold=THRESHOLD)),
        mcc=float(binary_matthews_corrcoef(score, target, threshold=THRESHOLD)),
    )


def base_rate_accuracy(label: npt.NDArray[np.floating]) -> float:
    """Return the accuracy of always naming the larger class."""
    positive = float(np.mean(label))
    return max(positive, 1.0 - positive)
