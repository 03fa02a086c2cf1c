"""Find the confusion matrices that fit a published accuracy, MCC and group sizes."""

import itertools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog

FloatArray = npt.NDArray[np.float64]
MAX_CELLS = 5_000_000  # their moments take 0.2 GB
REACHED = 1e-7  # of a distance: the solver's tolerance


class Published(NamedTuple):
    """A mean and, where it is given, an SD over folds, as rounded as they were printed.

    Attributes:
        mean: over the folds.
        sd: over the folds; None where none was printed.
        mean_error: half a unit of the last printed digit of the mean.
        sd_error: the same of the SD.
    """

    mean: float
    sd: float | None = None
    mean_error: float = 0.0005
    sd_error: float = 0.005


def accuracy_and_mcc(n_positive: int, n_negative: int) -> tuple[FloatArray, FloatArray]:
    """Return accuracy and MCC of every confusion matrix of two group sizes.

    MCC = (TP TN - FP FN) / sqrt((TP + FP)(TP + FN)(TN + FP)(TN + FN)), 0 where a factor is 0.

    Returns:
        Two arrays (n_positive + 1, n_negative + 1), by true positives and true negatives.
    """
    tp, tn = np.meshgrid(np.arange(n_positive + 1.0), np.arange(n_negative + 1.0), indexing="ij")
    return (tp + tn) / (n_positive + n_negative), _mcc(tp, tn, n_positive, n_negative)


def _mcc(tp: FloatArray, tn: FloatArray, n_positive: int, n_negative: int) -> FloatArray:
    fn, fp = n_positive - tp, n_negative - tn
    below = np.sqrt((tp + fp) * (tn + fn) * n_positive * n_negative)
    above = tp * tn - fp * fn
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def mcc_range(accuracy: Published, n_positive: int, n_negative: int) -> tuple[float, float]:
    """Return the smallest and the largest MCC that one confusion matrix of an accuracy can have.

    An accuracy that is a mean over folds lies between two counts of correct answers; both count.
    """
    n = n_positive + n_negative
    room = accuracy.mean_error * n + 0.5 + 1e-9
    fewest = max(int(np.ceil(accuracy.mean * n - room)), 0)
    most = min(int(np.floor(accuracy.mean * n + room)), n)
    found = [np.inf, -np.inf]
    for correct in range(fewest, most + 1):
        tp = np.arange(max(0, correct - n_negative), min(n_positive, correct) + 1.0)
        mcc = _mcc(tp, correct - tp, n_positive, n_negative)
        found = [min(found[0], mcc.min()), max(found[1], mcc.max())]
    return float(found[0]), float(found[1])


def folds_can_have(
    accuracy: Published, mcc: Published, n_positive: int, n_negative: int, n_folds: int = 5
) -> bool:
    """Tell whether any folds have this mean and SD of the accuracy and of the MCC together.

    Some weights of all confusion matrices of a fold have to sum to one and give the four printed
    moments. Weights need not be multiples of 1 / n_folds, so that False is proof for
    folds stratified by class and True is none. Larger folds than `MAX_CELLS` are not judged: True.

    Args:
        accuracy: as printed.
        mcc: as printed.
        n_positive: in all folds together.
        n_negative: in all folds together.
        n_folds: stratified folds.
    """
    sizes = list(
        itertools.product(_fold_sizes(n_positive, n_folds), _fold_sizes(n_negative, n_folds))
    )
    if sum((p + 1) * (n + 1) for p, n in sizes) > MAX_CELLS:
        return True
    cells = [accuracy_and_mcc(*size) for size in sizes]
    columns = [np.concatenate([part[i].ravel() for part in cells]) for i in (0, 1)]
    points, box = [], []
    for values, printed in zip(columns, (accuracy, mcc), strict=True):
        for power, ends in enumerate(_moments(printed, n_folds), start=1):
            points.append(values**power)
            box.append(ends)
    return mean_reaches(np.stack(points, axis=1), np.array(box))


def mean_reaches(points: FloatArray, box: FloatArray) -> bool:
    """Tell whether any weighted mean of points lies in a box.

    Column generation: a linear programme over few of the points finds the mean that is nearest to
    the box (sum of the distances along the axes). Its prices tell how much nearer each other point
    could bring it at the most; the best one joins, until the box is reached or cannot be.

    Args:
        points: (n, k).
        box: lowest and highest value of each coordinate, (k, 2).
    """
    few = sorted({*points.argmin(axis=0).tolist(), *points.argmax(axis=0).tolist()})
    while True:
        distance, prices, offset = _nearest_mean(points[few], box)
        gains = points @ prices + offset
        best = int(gains.argmax())
        if distance <= REACHED or distance - gains[best] > REACHED or best in few:
            return distance <= REACHED
        few.append(best)


def _nearest_mean(points: FloatArray, box: FloatArray) -> tuple[float, FloatArray, float]:
    """Return how far the nearest mean of points is off a box, and what a point could gain.

    Returns:
        The sum of the distances along the axes; prices (k,) and an offset: a point x could lessen
        it by x @ prices + offset at the most.
    """
    (n, k), one = points.shape, np.eye(points.shape[1])
    rows = np.block([[-points.T, -one, 0 * one], [points.T, 0 * one, -one]])
    limits = np.concatenate([-box[:, 0], box[:, 1]])
    weights = np.concatenate([np.ones(n), np.zeros(2 * k)])[None]
    found = linprog(1 - weights[0], A_ub=rows, b_ub=limits, A_eq=weights, b_eq=[1.0])
    prices, offset = found.ineqlin.marginals, float(found.eqlin.marginals[0])
    below, above = prices.reshape(2, k)
    return float(limits @ prices) + offset, above - below, offset  # by duality


def _fold_sizes(n: int, n_folds: int) -> set[int]:
    return {n // n_folds, -(-n // n_folds)}


def _moments(printed: Published, n_folds: int) -> list[tuple[float, float]]:
    """Return the bounds of the mean and, where an SD is printed, of the mean square.

    The SD may have been taken with n or with n - 1 in its denominator.
    """
    low, high = printed.mean - printed.mean_error, printed.mean + printed.mean_error
    if printed.sd is None:
        return [(low, high)]
    least, most = max(printed.sd - printed.sd_error, 0.0), printed.sd + printed.sd_error
    squares = sorted((low**2, high**2))
    smallest_square = 0.0 if low < 0 < high else squares[0]
    sample = (n_folds - 1) / n_folds
    return [(low, high), (smallest_square + sample * least**2, squares[1] + most**2)]
