"""Describe a locked model, as JSON of a stated version."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from data_modules.signals.settings import SignalSettings
from lsemvae.core.chance import CHANCE
from lsemvae.core.counted import counted
from lsemvae.core.ecg_input import EcgInput
from lsemvae.core.errors import InputError
from lsemvae.core.json_text import parse_json
from lsemvae.core.made_for import MadeFor
from lsemvae.core.targets import Kind, find_target
from lsemvae.core.tasks import Thresholds, find_task
from lsemvae.model_file.cohort_summary import CohortSummary
from lsemvae.model_file.soundness import check_sound
from lsemvae.model_file.targets import (
    LabelOutput,
    NumberOutput,
    OperatingPoint,
    Recalibration,
    value_columns,
)

MOST_MEMBERS = 1000  # a study has as many as folds
FORMAT = "lsemvae-model"
VERSION = 4

BEAT_WISE = ("BeatLsEmvae",)
"""Networks whose unit is the heartbeat."""

MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {
    1: lambda found: {**found, "trained_cohort": None},  # nobody knows who they were any more
    2: lambda found: {**found, "number": None, "labels": []},  # all told one yes or no
    3: lambda found: {**found, "skill": None},
}
"""Version -> function that makes a description of that version one of the next."""


@dataclass(frozen=True)
class Skill:
    """How well the study's models ordered patients that they had not seen.

    Attributes:
        auroc: of the held-out predictions, mean over the folds.
        low: lower end of its interval of 95 %; None where there is none.
        high: upper end.
    """

    auroc: float
    low: float | None
    high: float | None

    @property
    def above_chance(self) -> bool:
        """Tell whether the whole interval lies above chance; what moves a guess means nothing."""
        return self.low is not None and self.low > CHANCE


@dataclass(frozen=True)
class Task:
    """What a head was made to tell.

    Attributes:
        name: detection, phenotype or a column of the cohort's table; several labels joined by
            commas, or the column of a number.
        positive: what a high probability means, or what is estimated, in words.
        mpap_threshold_mmhg: pulmonary hypertension is mPAP above this; None where no label used it.
        pawp_threshold_mmhg: post-capillary is PAWP above this; None where no label used it.
        pvr_threshold_wu: a raised PVR is above this; None where no label used it.
        estimate_mpap: a missing mPAP was estimated from sPAP and dPAP.
    """

    name: str
    positive: str
    mpap_threshold_mmhg: float | None
    pawp_threshold_mmhg: float | None
    pvr_threshold_wu: float | None = None
    estimate_mpap: bool = False

    @property
    def thresholds(self) -> Thresholds:
        """What defines the label; defaults where it needs none."""
        given = {name: value for name, value in asdict(self).items() if value is not None}
        return Thresholds.of_settings(given)

    @property
    def label(self) -> str:
        """How the positive class is defined, as in `MadeFor`; what is estimated of a number."""
        target = find_target(self.name)
        if target.kind == "number":
            return target.title
        return "; ".join(find_task(name).defined_by(self.thresholds) for name in target.names)


@dataclass(frozen=True)
class Description:
    """Everything but the weights and the hashes of patients and recordings.

    Attributes:
        kind: `ensemble` of a cross-validation's folds, or `refit` on all patients.
        method: see `lsemvae.models.methods`.
        networks: class and plain arguments of each network; one where the encoder is frozen.
        frozen: whether heads share a frozen encoder.
        n_members: heads whose logits are averaged.
        task: what it tells.
        leads: lead names, in canonical order.
        trained_leads: those that it was trained on; `leads` may be fewer in an exported graph.
        fewest_leads: fewest of its leads that a training recording had.
        unit: `mV`, or `NU` where amplitudes are arbitrary.
        normalisation: of the amplitudes, part of the model.
        signal: the settings that recordings are cleaned with, see `SignalSettings`.
        recalibration: fitted on inner predictions; of one yes or no.
        points: operating points by name, chosen on inner predictions; of one yes or no.
        point: the one that decisions are made at; empty where a number is estimated.
        uncertainty: where it comes from: the encoder's `posterior` (its mean log variance), the
            spread of the `members` (the standard deviation of their logits), or `none`.
        uncertainty_limit: larger uncertainty withholds the result; None where there is no limit.
        withheld_share: of the inner recordings that the limit withholds.
        hashes: whether hashes of patients and recordings are kept.
        label: name of the cohort.
        synthetic: whether any recording of training or pre-training was synthetic.
        sources: digests of cohort, folds and encoder.
        versions: of the packages.
        card: the model card, Markdown.
        trained_cohort: counts, means and standard deviations of the patients; None in models of
            format 1 and of anything but one yes or no.
        number: what is estimated; None where it is no number.
        labels: several that are told at once; none where it is one yes or no, or a number.
        skill: of the study; None in older models and of anything but one yes or no.
    """

    kind: Literal["ensemble", "refit"]
    method: str
    networks: list[dict[str, Any]]
    frozen: bool
    n_members: int
    task: Task
    leads: tuple[str, ...]
    trained_leads: tuple[str, ...]
    fewest_leads: int
    unit: str
    normalisation: str
    signal: dict[str, Any]
    recalibration: Recalibration
    points: dict[str, OperatingPoint]
    point: str
    uncertainty: Literal["posterior", "members", "none"]
    uncertainty_limit: float | None
    withheld_share: float
    hashes: bool
    label: str
    synthetic: bool
    sources: dict[str, str | None]
    versions: dict[str, str]
    card: str
    trained_cohort: CohortSummary | None = None
    number: NumberOutput | None = None
    labels: tuple[LabelOutput, ...] = ()
    skill: Skill | None = None

    @property
    def target(self) -> Kind:
        """Whether it tells one yes or no, several labels, or estimates a number."""
        return "number" if self.number else "labels" if self.labels else "binary"

    @property
    def value_columns(self) -> list[str]:
        """Columns of predictions in place of one probability; none for one yes or no."""
        return value_columns(self.number, self.labels)

    @property
    def point_names(self) -> list[str]:
        """Operating points that decisions may be made at."""
        return list(self.labels[0].points if self.labels else self.points)

    def to_json(self) -> str:
        """Return the description as text, with format and version in front."""
        return json.dumps({"format": FORMAT, "version": VERSION, **asdict(self)})

    @property
    def threshold(self) -> float:
        """The threshold of the operating point in use."""
        return self.points[self.point].threshold

    @property
    def finds_beats(self) -> bool:
        """Tell whether the network takes whole recordings and finds their heartbeats by itself."""
        return any(one["class"] in BEAT_WISE for one in self.networks)

    @property
    def made_for(self) -> MadeFor:
        """What the model may be applied to; compare with `check_made_for`."""
        return MadeFor(
            leads=self.trained_leads,
            task=self.task.name,
            label=self.task.label,
            ecg_input=ecg_input_of(self.signal, self.unit, self.normalisation),
        )


def ecg_input_of(signal: Mapping[str, Any], unit: str, normalisation: str) -> EcgInput:
    """Describe recordings by the settings that they were cleaned with."""
    settings = SignalSettings(**signal)
    return EcgInput(
        settings.sampling_rate_hz,
        settings.n_samples,
        (settings.low_hz, settings.high_hz),
        normalisation,  # type: ignore[arg-type]
        settings.segment,
        settings.powerline_hz,
        unit,
    )


def read_description(text: str, name: str) -> Description:
    """Read a description, of an older version too.

    Args:
        text: what `Description.to_json` wrote.
        name: of the file, for messages.

    Raises:
        InputError: it is none of ours, of a version that this program does not know, or damaged.
    """
    try:
        found = parse_json(text)
        if found["format"] != FORMAT:
            raise KeyError(found["format"])
        version = found["version"]
        if type(version) is not int:
            raise TypeError(version)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{name} is no model of lsemvae; make one with `lsemvae lock`") from error
    if version > VERSION:
        raise InputError(
            f"{name} is a model of version {version}, this program reads up to {VERSION}; install "
            "a newer lsemvae"
        )
    for step in range(version, VERSION):
        if step not in MIGRATIONS:
            raise InputError(f"{name} is a model of version {version}, which is no longer read")
        found = MIGRATIONS[step](found)
    try:
        description = _description(found)
        _check(description)
        check_sound(description)
        return description
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(f"{name} is damaged ({error}); copy it again or lock it again") from error


def _description(found: Mapping[str, Any]) -> Description:
    values = {field.name: found[field.name] for field in fields(Description)}
    cohort, number = values["trained_cohort"], values["number"]
    return Description(**{
        **values,
        "trained_cohort": cohort and CohortSummary.from_plain(cohort),
        "number": number and NumberOutput.from_plain(number),
        "labels": tuple(LabelOutput.from_plain(one) for one in values["labels"]),
        "skill": values["skill"] and Skill(**values["skill"]),
        "task": Task(**values["task"]),
        "leads": tuple(values["leads"]),
        "trained_leads": tuple(values["trained_leads"]),
        "recalibration": Recalibration(**values["recalibration"]),
        "points": {name: OperatingPoint(**point) for name, point in values["points"].items()},
    })  # fmt: skip


def _check(description: Description) -> None:
    """Check what networks and heads are built from, before one is.

    Raises:
        TypeError: a part is of another kind.
        ValueError: there are too many members, or not as many networks as members need.
    """
    listed, n_members = description.networks, description.n_members
    plain = isinstance(listed, list) and all(isinstance(one, dict) for one in listed)
    if not plain or not isinstance(n_members, int) or not isinstance(description.frozen, bool):
        raise TypeError("its networks or members are not stated")
    if not all(isinstance(part, dict) for part in (description.sources, description.signal)):
        raise TypeError("its sources or signal settings are no mapping")
    if not 1 <= n_members <= MOST_MEMBERS or len(listed) != (
        1 if description.frozen else n_members
    ):
        raise ValueError(f"it has {counted(len(listed), 'network')} for {n_members} members")


def refuse_unless_one_label(description: Description, command: str) -> None:
    """Refuse a model of a number or of several labels where a command takes one yes or no.

    Raises:
        InputError: names what the model tells, and the commands that take it.
    """
    if description.target != "binary":
        raise InputError(
            f"`lsemvae {command}` takes a model of one yes or no; this one tells "
            f"{description.task.positive}: `lsemvae predict` and `lsemvae export` take it"
        )
