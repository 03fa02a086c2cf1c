"""Define what a task predicts: one yes or no, a number of the catheter, or several labels."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from lsemvae.core.errors import InputError
from lsemvae.core.tasks import Thresholds

Kind = Literal["binary", "number", "labels"]
LONGEST_FOLDER = 150  # bytes; file systems take 255, a report adds to it
LABEL = "label:"
"""Begins the columns of several labels."""
LOW, HIGH = "low", "high"
"""Columns of the prediction interval of a number."""


class Number(NamedTuple):
    """A number of the catheter that is estimated in its own unit.

    Attributes:
        title: as people write it.
        unit: of the column.
        threshold: field of `Thresholds` above which it is raised.
        classifier: the task that asks whether it is raised, empty where there is none.
    """

    title: str
    unit: str
    threshold: str
    classifier: str


NUMBERS = {
    "mpap_mmhg": Number("mPAP", "mmHg", "mpap_mmhg", "detection"),
    "pawp_mmhg": Number("PAWP", "mmHg", "pawp_mmhg", "phenotype"),
    "pvr_wu": Number("PVR", "WU", "pvr_wu", ""),
}
"""What is estimated, by the column of the cohort table, which is also the task's name."""


@dataclass(frozen=True)
class Target:
    """What a task predicts of each recording.

    Attributes:
        kind: one yes or no; a number in its unit; or several labels at once.
        names: of the task, of the number's column, or of the labels.
    """

    kind: Kind
    names: tuple[str, ...]

    @property
    def truth(self) -> list[str]:
        """Columns of predictions.csv that hold what is known."""
        if self.kind == "labels":
            return [f"{LABEL}{name}" for name in self.names]
        return ["measured" if self.kind == "number" else "label"]

    @property
    def predicted(self) -> list[str]:
        """Columns of predictions.csv that hold what is predicted."""
        if self.kind == "labels":
            return [f"probability:{name}" for name in self.names]
        return ["estimated" if self.kind == "number" else "probability"]

    @property
    def columns(self) -> list[str]:
        """Columns that every gathered predictions.csv has."""
        return ["record", "patient_id", "fold", *self.truth, *self.predicted]

    @property
    def number(self) -> Number:
        """What is estimated, where the target is a number."""
        return NUMBERS[self.names[0]]

    @property
    def title(self) -> str:
        """What is predicted, as people write it."""
        if self.kind == "number":
            return f"{self.number.title} ({self.number.unit})"
        return ", ".join(self.names)

    def raised_above(self, thresholds: Thresholds) -> float:
        """Return the threshold above which the number is raised."""
        return float(getattr(thresholds, self.number.threshold))

    def described(self) -> dict[str, Any] | None:
        """Return plain values for the settings of a run, None for one yes or no."""
        if self.kind == "binary":
            return None
        return {"kind": self.kind, "names": list(self.names)}


BINARY = Target("binary", ())
"""One yes or no, whatever its name."""


def find_target(task: str) -> Target:
    """Return what a task predicts: names joined by commas are several labels at once.

    Raises:
        InputError: a name is empty, stands twice, or is that of a number.
    """
    names = tuple(task.split(","))
    if len(names) == 1:
        return Target("number" if task in NUMBERS else "binary", names)
    wrong = sorted({name for name in names if names.count(name) > 1 or name != name.strip()
                    or not name or name in NUMBERS})  # fmt: skip
    if wrong:
        raise InputError(
            f"task {task!r} joins labels by commas, each a yes or no that stands there once and "
            f"without blanks; look at {', '.join(map(repr, wrong))}"
        )
    return Target("labels", names)


def task_folder(task: str) -> str:
    """Return the name of the folder of a task's results: a long one is cut and told by a digest."""
    if len(task.encode()) <= LONGEST_FOLDER:
        return task
    digest = hashlib.sha256(task.encode()).hexdigest()[:8]
    first, *others = task.split(",")
    return f"{first[:40]} and {len(others)} more, {digest}"


def refuse_unless_binary(settings: Mapping[str, Any], command: str) -> None:
    """Refuse a run, or a task, of something else than a yes or no.

    Args:
        settings: of a run, with its task.
        command: that cannot take it.

    Raises:
        InputError: names the task and who can take it.
    """
    if target_of(settings).kind != "binary":
        raise InputError(
            f"`lsemvae {command}` takes tasks with a yes or no, {settings['task']} is none; "
            "`lsemvae cv`, `benchmark` and `report` take it"
        )


def target_of(settings: Mapping[str, Any]) -> Target:
    """Return what a run predicts, from its settings; runs of before have one yes or no."""
    kept = settings.get("target")
    if kept is None:
        return Target("binary", (str(settings.get("task", "")),))
    return Target(kept["kind"], tuple(kept["names"]))
