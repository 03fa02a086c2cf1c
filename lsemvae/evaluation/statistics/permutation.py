"""Compute AUROC when labels mean nothing: of given predictions, and of a run on shuffled labels."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from lsemvae.evaluation.statistics.binary_arrays import Labels, check_binary, patient_codes
from lsemvae.evaluation.statistics.estimate import CONFIDENCE

N_PERMUTATIONS = 2000
ALPHA = 0.01  # one honest run in a hundred is accused
CHUNK_LABELS = 4_000_000  # labels held at a time: 32 MB


class PermutationNull(NamedTuple):
    """The AUROC that was seen beside those of shuffled labels.

    Attributes:
        auroc: with the labels as they are.
        mean: of the shuffled AUROCs.
        low: 2.5 % of them are below.
        high: 2.5 % of them are above.
        p: share that reach the one seen, itself counted (Phipson & Smyth 2010,
            doi:10.2202/1544-6115.1585); one-sided.
        n_permutations: how many.
    """

    auroc: float
    mean: float
    low: float
    high: float
    p: float
    n_permutations: int


class PermutedTraining(NamedTuple):
    """Verdict on a run that was trained and tested on shuffled labels.

    Attributes:
        null: its AUROC beside further shuffles.
        leak: whether the AUROC is above what shuffled labels allow.
        statement: one sentence for the report.
    """

    null: PermutationNull
    leak: bool
    statement: str


def permutation_null(
    label: npt.ArrayLike,
    score: npt.ArrayLike,
    patient_id: npt.ArrayLike | None = None,
    *,
    n_permutations: int = N_PERMUTATIONS,
    seed: int = 0,
) -> PermutationNull:
    """Return the pooled AUROC of given predictions under shuffled labels.

    Labels are swapped between patients with equally many records, all labels of a patient
    together, which keeps the likeness of a patient's records out of the null.

    Args:
        label: (N,), 0 or 1, both present.
        score: (N,).
        patient_id: (N,); None means one record per patient.
        n_permutations: how many.
        seed: of the shuffles.

    Raises:
        InputError: see `check_binary`.
    """
    labels, scores = check_binary(label, score)
    blocks = _blocks(patient_codes(patient_id, len(labels)))
    ranks = rankdata(scores)
    random = np.random.default_rng(seed)
    size = max(1, CHUNK_LABELS // len(labels))
    shuffled = np.concatenate(
        [
            _rank_auroc(_shuffle(labels, blocks, min(size, n_permutations - start), random), ranks)
            for start in range(0, n_permutations, size)
        ]
    )
    seen = float(_rank_auroc(labels[None], ranks)[0])
    # 1e-12: equal AUROCs may differ by a rounding error.
    p = (1 + int((shuffled >= seen - 1e-12).sum())) / (1 + n_permutations)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(shuffled, (tail, 1 - tail))
    return PermutationNull(seen, float(shuffled.mean()), float(low), float(high), p, n_permutations)


def shuffled_labels(
    label: npt.ArrayLike, patient_id: npt.ArrayLike | None = None, *, seed: int = 0
) -> npt.NDArray[np.float64]:
    """Return labels that mean nothing, (N,), swapped between patients as in `permutation_null`.

    Args:
        label: (N,), 0 or 1.
        patient_id: (N,); None means one record per patient.
        seed: of the shuffle.
    """
    labels = np.asarray(label, dtype=np.float64) == 1
    blocks = _blocks(patient_codes(patient_id, len(labels)))
    shuffled = _shuffle(labels, blocks, 1, np.random.default_rng(seed))[0]
    return np.asarray(shuffled, dtype=np.float64)


def judge_permuted_training(
    label: npt.ArrayLike,
    score: npt.ArrayLike,
    patient_id: npt.ArrayLike | None = None,
    *,
    seed: int = 0,
) -> PermutedTraining:
    """Judge a whole run, training included, whose labels were shuffled beforehand.

    Such a run has nothing to learn; an AUROC above chance means that it saw its test records.

    Args:
        label: (N,), the shuffled labels that it was trained and tested with.
        score: (N,), its out-of-fold predictions.
        patient_id: (N,); None means one record per patient.
        seed: of the further shuffles.

    Note:
        Below chance is no leak: a training part with fewer positives leaves more of them to its
        test fold, which pulls pooled out-of-fold AUROCs below one half.
    """
    null = permutation_null(label, score, patient_id, seed=seed)
    leak = null.p <= ALPHA
    statement = (
        f"Trained on shuffled labels the AUROC is {null.auroc:.3f}; shuffles alone give "
        f"{null.low:.3f} to {null.high:.3f} (p = {null.p:.3g}; {ALPHA:g} or less "
        "is called a leak): " + ("the run has seen its test records." if leak else "none is seen.")
    )
    return PermutedTraining(null, leak, statement)


def _blocks(codes: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """Return the (P, n) rows of the patients that have n records, for every n."""
    order = np.argsort(codes, kind="stable")
    counts = np.bincount(codes)
    starts = np.cumsum(counts) - counts
    return [order[starts[counts == n][:, None] + np.arange(n)] for n in np.unique(counts)]


def _shuffle(
    label: Labels,
    blocks: list[npt.NDArray[np.int64]],
    n_permutations: int,
    random: np.random.Generator,
) -> Labels:
    """Return (R, N) labels."""
    shuffled = np.empty((n_permutations, len(label)), dtype=np.bool_)
    for rows in blocks:
        order = random.permuted(np.tile(np.arange(len(rows)), (n_permutations, 1)), axis=1)
        shuffled[:, rows] = label[rows][order]
    return shuffled


def _rank_auroc(label: Labels, ranks: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return (R,) AUROCs of (R, N) labels from the midranks of the scores (Mann-Whitney)."""
    n_positive = label.sum(axis=1)
    above = label @ ranks - n_positive * (n_positive + 1) / 2
    return np.asarray(above / (n_positive * (label.shape[1] - n_positive)))
