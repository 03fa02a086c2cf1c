"""Define the tasks: what is asked, of which pressures, and how its two groups are called."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Pressures = Mapping[str, npt.NDArray[np.float64]]
Label = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Thresholds:
    """Pressures that define the two tasks of the paper (section 3).

    Attributes:
        mpap_mmhg: pulmonary hypertension is a mean pulmonary artery pressure above this.
        pawp_mmhg: post-capillary is a pulmonary artery wedge pressure above this.
    """

    mpap_mmhg: float = 20.0
    pawp_mmhg: float = 15.0


@dataclass(frozen=True)
class Task:
    """A question to recordings whose answer is yes or no.

    Attributes:
        name: as `lsemvae cv --task` takes it; also of the result folder.
        asked: the question, with the thresholds' fields in braces.
        groups: names of the negative and of the positive class.
        use: what research it serves, for a model card.
        columns: of the cohort table that it needs; the last one is its own.
        definition: the label, with thresholds in braces.
        label: (N,) 1, 0, or NaN where a recording is not part of the task; None for a task that is
            a column of the table itself.
    """

    name: str
    asked: str
    groups: tuple[str, str]
    use: str
    columns: tuple[str, ...]
    definition: str
    label: Callable[[Pressures, Thresholds], Label] | None = None

    def question(self, thresholds: Thresholds) -> str:
        """Return the question with its thresholds."""
        return self.asked.format(**vars(thresholds))

    def defined_by(self, thresholds: Thresholds) -> str:
        """Return the definition with its thresholds."""
        return self.definition.format(**vars(thresholds))


def _detection(table: Pressures, thresholds: Thresholds) -> Label:
    mpap = table["mpap_mmhg"]
    return np.where(np.isnan(mpap), np.nan, mpap > thresholds.mpap_mmhg)


def _phenotype(table: Pressures, thresholds: Thresholds) -> Label:
    mpap, pawp = table["mpap_mmhg"], table["pawp_mmhg"]
    included = (mpap > thresholds.mpap_mmhg) & ~np.isnan(pawp)
    return np.where(included, pawp > thresholds.pawp_mmhg, np.nan)


PRESSURE_TASKS = {
    task.name: task
    for task in (
        Task(
            "detection",
            "does the ECG tell patients with pulmonary hypertension (mPAP above {mpap_mmhg:g} "
            "mmHg) from those without?",
            ("non-PH", "PH"),
            "research on screening for pulmonary hypertension",
            ("mpap_mmhg",),
            "mPAP > {mpap_mmhg:g} mmHg",
            _detection,
        ),
        Task(
            "phenotype",
            "among patients with pulmonary hypertension (mPAP above {mpap_mmhg:g} mmHg), does the "
            "ECG tell post-capillary (PAWP above {pawp_mmhg:g} mmHg) from pre-capillary disease?",
            ("pre-capillary", "post-capillary"),
            "research on the phenotype of pulmonary hypertension",
            ("mpap_mmhg", "pawp_mmhg"),
            "mPAP > {mpap_mmhg:g} mmHg, PAWP > {pawp_mmhg:g} mmHg",
            _phenotype,
        ),
    )
}
"""The tasks that pressures define, by name: the paper's two."""


def find_task(name: str) -> Task:
    """Return the task of a name; any other name is that of a column of 0 and 1."""
    if name in PRESSURE_TASKS:
        return PRESSURE_TASKS[name]
    plain = name.replace("{", "{{").replace("}", "}}")  # no thresholds stand in a column's name
    return Task(
        name,
        f"does the ECG tell records with {plain} = 1 from those with {plain} = 0?",
        (f"{name} = 0", f"{name} = 1"),
        f"research on what an ECG tells of {name}",
        (name,),
        f"{plain} = 1",
    )
