"""Define the tasks: what is asked, of which pressures, and how its two groups are called."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lsemvae.core.errors import InputError

Pressures = Mapping[str, npt.NDArray[np.float64]]
Label = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Thresholds:
    """What defines the tasks: pressures of the paper (section 3), resistance of ESC/ERS 2022.

    Attributes:
        mpap_mmhg: pulmonary hypertension is a mean pulmonary artery pressure above this.
        pawp_mmhg: post-capillary is a pulmonary artery wedge pressure above this.
        pvr_wu: a pulmonary vascular resistance above this is raised, in Wood units.
        estimate_mpap: a missing mean pressure is estimated as (sPAP + 2 dPAP) / 3.
    """

    mpap_mmhg: float = 20.0
    pawp_mmhg: float = 15.0
    pvr_wu: float = 2.0
    estimate_mpap: bool = False

    def __post_init__(self) -> None:
        """Refuse what no threshold can be.

        Raises:
            InputError: names all that are out of range.
        """
        wrong = [
            f"{SETTINGS[name]} must be above 0 and below {highest}, got {getattr(self, name):g}"
            for name, highest in HIGHEST.items()
            if not 0 < getattr(self, name) < highest
        ]
        if wrong:
            raise InputError("; ".join(wrong))

    @classmethod
    def of_settings(cls, settings: Mapping[str, Any]) -> "Thresholds":
        """Return those of a run's settings; runs of before PVR have the defaults for it."""
        return cls(**{field: settings[name] for field, name in SETTINGS.items()
                      if name in settings})  # fmt: skip

    def as_settings(self) -> dict[str, Any]:
        """Return them under the names that a run's settings have."""
        return {name: getattr(self, field) for field, name in SETTINGS.items()}


SETTINGS = {
    "mpap_mmhg": "mpap_threshold_mmhg",
    "pawp_mmhg": "pawp_threshold_mmhg",
    "pvr_wu": "pvr_threshold_wu",
    "estimate_mpap": "estimate_mpap",
}
"""For each threshold its name in the settings of a run."""

HIGHEST = {"mpap_mmhg": 150, "pawp_mmhg": 80, "pvr_wu": 60}
"""What nobody's pressure or resistance reaches; a threshold there makes all alike."""

ESTIMATED = "a missing mPAP is estimated as (sPAP + 2 dPAP) / 3"


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
        note = f" (Here {ESTIMATED}.)" if self._estimates(thresholds) else ""
        return self.asked.format(**vars(thresholds)) + note

    def defined_by(self, thresholds: Thresholds) -> str:
        """Return the definition with its thresholds."""
        note = f"; {ESTIMATED}" if self._estimates(thresholds) else ""
        return self.definition.format(**vars(thresholds)) + note

    def _estimates(self, thresholds: Thresholds) -> bool:
        return thresholds.estimate_mpap and self.label is not None


def _detection(table: Pressures, thresholds: Thresholds) -> Label:
    mpap = table["mpap_mmhg"]
    return np.where(np.isnan(mpap), np.nan, mpap > thresholds.mpap_mmhg)


def _phenotype(table: Pressures, thresholds: Thresholds) -> Label:
    mpap, pawp = table["mpap_mmhg"], table["pawp_mmhg"]
    included = (mpap > thresholds.mpap_mmhg) & ~np.isnan(pawp)
    return np.where(included, pawp > thresholds.pawp_mmhg, np.nan)


def haemodynamic_group(table: Pressures, thresholds: Thresholds) -> Label:
    """Return the group of ESC/ERS 2022 by its place in `GROUPS`, shape (N,).

    Humbert et al., Eur Heart J 2022;43:3618-3731, table 5. NaN where there is no pulmonary
    hypertension, or PAWP or PVR is not known.
    """
    mpap, pawp, pvr = (table[name] for name in RESISTANCE_COLUMNS)
    included = (mpap > thresholds.mpap_mmhg) & ~np.isnan(pawp) & ~np.isnan(pvr)
    wedge, resistance = pawp > thresholds.pawp_mmhg, pvr > thresholds.pvr_wu
    place = np.where(wedge, np.where(resistance, 2, 1), np.where(resistance, 0, 3))
    return np.where(included, place, np.nan)


RESISTANCE_COLUMNS = ("mpap_mmhg", "pawp_mmhg", "pvr_wu")
GROUPS = (
    "pre-capillary",
    "isolated post-capillary",
    "combined post- and pre-capillary",
    "unclassified",
)


def _group_task(name: str, place: int, wedge: str, resistance: str) -> Task:
    """Return the task that tells one group from all other pulmonary hypertension."""

    def label(table: Pressures, thresholds: Thresholds) -> Label:
        group = haemodynamic_group(table, thresholds)
        return np.where(np.isnan(group), np.nan, group == place)

    shown = f"PAWP {wedge} {{pawp_mmhg:g}} mmHg and PVR {resistance} {{pvr_wu:g}} WU"
    return Task(
        name,
        "among patients with pulmonary hypertension (mPAP above {mpap_mmhg:g} mmHg), does the ECG "
        f"tell {GROUPS[place]} disease ({shown}; ESC/ERS 2022) from all other?",
        (f"not {GROUPS[place]} (by PVR)", f"{GROUPS[place]} (by PVR)"),
        "research on the phenotype of pulmonary hypertension",
        RESISTANCE_COLUMNS,
        f"mPAP > {{mpap_mmhg:g}} mmHg, {shown.replace(' and', ',')}",
        label,
    )


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

RESISTANCE_TASKS = {
    task.name: task
    for task in (
        _group_task("pre_capillary", 0, "<=", ">"),
        _group_task("isolated_post_capillary", 1, ">", "<="),
        _group_task("combined_post_capillary", 2, ">", ">"),
    )
}
"""The tasks that need the vascular resistance too, by name: groups of ESC/ERS 2022."""

DEFINED_TASKS = PRESSURE_TASKS | RESISTANCE_TASKS
"""All tasks that a catheter defines."""


def find_task(name: str) -> Task:
    """Return the task of a name; any other name is that of a column of 0 and 1."""
    if name in DEFINED_TASKS:
        return DEFINED_TASKS[name]
    plain = name.replace("{", "{{").replace("}", "}}")  # no thresholds stand in a column's name
    return Task(
        name,
        f"does the ECG tell records with {plain} = 1 from those with {plain} = 0?",
        (f"{name} = 0", f"{name} = 1"),
        f"research on what an ECG tells of {name}",
        (name,),
        f"{plain} = 1",
    )
