"""Check that what a model says about itself can be, and fits together."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from data_modules.signals.settings import SignalSettings
from lsemvae.core.leads import LEADS
from lsemvae.core.targets import find_target
from lsemvae.core.tasks import DEFINED_TASKS
from lsemvae.model_file.targets import NumberOutput, OperatingPoint, Recalibration

if TYPE_CHECKING:
    from lsemvae.model_file.description import Description, Task

UNITS, NORMALISATIONS = ("mV", "NU"), ("millivolt", "record", "lead")
UNCERTAINTIES = ("posterior", "members", "none")


def check_sound(model: "Description") -> None:
    """Refuse a description that no lock wrote: it would be applied as it says, and be wrong.

    Raises:
        ValueError: names everything that cannot be.
    """
    wrong = [
        *_leads(model),
        *_choices(model),
        *_input(model),
        *_task(model.task),
        *_outputs(model),
    ]
    if wrong:
        raise ValueError("; ".join(wrong))


def _leads(model: "Description") -> Iterator[str]:
    for name, leads in (("leads", model.leads), ("trained_leads", model.trained_leads)):
        if not leads or list(leads) != [lead for lead in LEADS if lead in leads]:
            yield f"{name} {','.join(map(str, leads))} are not standard leads in their order"
    foreign = [lead for lead in model.leads if lead not in model.trained_leads]
    if foreign:
        yield f"it was not trained on {', '.join(map(str, foreign))}"
    if not _is_whole(model.fewest_leads) or not 1 <= model.fewest_leads <= len(model.leads):
        yield f"fewest_leads {model.fewest_leads} of {len(model.leads)}"


def _choices(model: "Description") -> Iterator[str]:
    allowed: Mapping[str, Sequence[Any]] = {
        "kind": ("ensemble", "refit"),
        "unit": UNITS,
        "normalisation": NORMALISATIONS,
        "uncertainty": UNCERTAINTIES,
        "synthetic": (True, False),
        "hashes": (True, False),
    }
    for name, values in allowed.items():
        if getattr(model, name) not in values:
            yield f"{name} {getattr(model, name)!r}"
    limit = model.uncertainty_limit
    if limit is not None and not _is_number(limit):
        yield f"uncertainty_limit {limit!r}"


def _input(model: "Description") -> Iterator[str]:
    """Name networks that take another length than the recordings are brought to."""
    wanted = SignalSettings(**model.signal).n_samples
    for one in model.networks:
        arguments = one.get("init_args")
        built = arguments.get("n_samples", wanted) if isinstance(arguments, dict) else wanted
        if built != wanted:
            yield f"its network takes {built} samples, its signal settings make {wanted}"


def _task(task: "Task") -> Iterator[str]:
    for name in find_target(task.name).names:
        needed = DEFINED_TASKS[name].columns if name in DEFINED_TASKS else ()
        for column in needed:
            threshold = column.replace("_", "_threshold_", 1)
            if getattr(task, threshold) is None:
                yield f"task {name} without {threshold}"
    task.thresholds  # noqa: B018  refuses what no threshold can be


def _outputs(model: "Description") -> Iterator[str]:
    kind = find_target(model.task.name).kind
    if kind != model.target:
        yield f"task {model.task.name} is of kind {kind}, its outputs are of kind {model.target}"
    if model.number is not None:
        yield from _number(model.number, model.n_members)
        return
    named = [(one.name, one.recalibration, one.points) for one in model.labels] or [
        (model.task.name, model.recalibration, model.points)
    ]
    if model.labels and [name for name, *_ in named] != list(find_target(model.task.name).names):
        yield f"labels {', '.join(name for name, *_ in named)} of task {model.task.name}"
    for name, line, points in named:
        yield from _calibrated(name, line, points)
        if model.point not in points:
            yield f"{name} has no operating point {model.point!r}"


def _number(number: NumberOutput, n_members: int) -> Iterator[str]:
    if len(number.scale) != n_members:
        yield f"{len(number.scale)} scales of {n_members} members"
    if not all(_is_number(mean) and _is_number(sd) and sd > 0 for mean, sd in number.scale):
        yield f"scale {number.scale}"
    half = number.half_width
    if half is not None and not (_is_number(half) and half > 0):
        yield f"half_width {half!r}"


def _calibrated(
    name: str, line: Recalibration, points: Mapping[str, OperatingPoint]
) -> Iterator[str]:
    if not (_is_number(line.intercept) and _is_number(line.slope)):
        yield f"recalibration of {name}: {line.intercept!r}, {line.slope!r}"
    for point, one in points.items():
        if not _is_number(one.threshold) or not 0 <= one.threshold <= 1:
            yield f"threshold {one.threshold!r} of {name}, {point}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
