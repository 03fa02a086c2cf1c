"""Settle on inner predictions what a locked model puts out, whatever its task predicts."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lsemvae.core.errors import InputError
from lsemvae.core.tasks import Thresholds, find_task
from lsemvae.deployment.inner_choices import choose, choose_on_inner, inner_of
from lsemvae.deployment.members import Members
from lsemvae.evaluation.runs import CvRun
from lsemvae.evaluation.statistics.prediction_interval import NOMINAL, conformal_half_width
from lsemvae.model_file.targets import LabelOutput, NumberOutput, OperatingPoint, Recalibration

AS_IT_IS = Recalibration(0.0, 1.0)


class Settled(NamedTuple):
    """What inner predictions decide.

    Attributes:
        recalibration: of one yes or no; the identity of anything else.
        points: of one yes or no.
        log_odds: (N,) recalibrated, of one yes or no; None of anything else.
        half_width: of the interval of a number; None where there is none.
        labels: of several labels.
    """

    recalibration: Recalibration = AS_IT_IS
    points: Mapping[str, OperatingPoint] = MappingProxyType({})
    log_odds: npt.NDArray[np.float64] | None = None
    half_width: float | None = None
    labels: tuple[LabelOutput, ...] = ()

    @property
    def point_names(self) -> list[str]:
        """Operating points to choose from; none of a number."""
        return list(self.labels[0].points if self.labels else self.points)


def settle(run: CvRun) -> Settled:
    """Choose recalibration and points, or the width of an interval, on the inner predictions.

    Args:
        run: a finished cross-validation.

    Raises:
        InputError: it has no inner predictions, or they order the classes no better than chance.
    """
    if run.target.kind == "binary":
        choices = choose_on_inner(run)
        return Settled(choices.recalibration, choices.points, choices.log_odds)
    if run.target.kind == "labels":
        return Settled(labels=tuple(_label(run, name) for name in run.target.names))
    inner = inner_of(run)
    width = conformal_half_width(inner["estimated"] - inner["measured"], inner["patient_id"])
    return Settled(half_width=width if np.isfinite(width) else None)


def _label(run: CvRun, name: str) -> LabelOutput:
    """Settle one of several labels on the inner records of which it is known."""
    inner = inner_of(run).dropna(subset=[f"label:{name}"])
    where = f"{run.folder}, label {name}"
    try:
        found = choose(inner[f"label:{name}"], inner[f"probability:{name}"], where)
    except InputError as error:
        raise error if where in str(error) else InputError(f"{where}: {error}") from error
    task = find_task(name)
    positive = f"{task.groups[1]} ({task.defined_by(Thresholds.of_settings(run.metrics))})"
    return LabelOutput(name, positive, found.recalibration, found.points)


def number_output(run: CvRun, settled: Settled, members: Members) -> NumberOutput | None:
    """Return what is estimated; None where it is no number."""
    if run.target.kind != "number":
        return None
    number = run.target.number
    return NumberOutput(number.title, number.unit, members.scale, settled.half_width, NOMINAL)
