"""Describe a locked model, as JSON of a stated version."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from data_modules.signals.settings import SignalSettings
from lsemvae.core.ecg_input import EcgInput
from lsemvae.core.errors import InputError
from lsemvae.core.made_for import MadeFor
from lsemvae.core.tasks import Thresholds, find_task
from lsemvae.model_file.cohort_summary import CohortSummary

CHANCE = 0.5  # the AUROC of a guess
FORMAT = "lsemvae-model"
VERSION = 3

BEAT_WISE = ("BeatLsEmvae",)
"""Networks whose unit is the heartbeat."""

MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {
    1: lambda found: {**found, "trained_cohort": None},  # nobody knows who they were any more
    2: lambda found: {**found, "skill": None},
}
"""Version -> function that makes a description of that version one of the next."""


@dataclass(frozen=True)
class Recalibration:
    """Platt's recalibration: p = expit(intercept + slope * logit)."""

    intercept: float
    slope: float


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold on the recalibrated probability, and what it gave on inner predictions.

    Attributes:
        threshold: at or above it a recording is called positive.
        sensitivity: share of the inner positives that are called.
        specificity: share of the inner negatives that are not.
    """

    threshold: float
    sensitivity: float
    specificity: float


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
        name: detection, phenotype or a column of the cohort's table.
        positive: what a high probability means, in words.
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
        """How the positive class is defined, as in `MadeFor`."""
        return find_task(self.name).defined_by(self.thresholds)


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
        recalibration: fitted on inner predictions.
        points: operating points by name, chosen on inner predictions.
        point: the one that decisions are made at.
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
            format 1.
        skill: of the study; None in models of format 1 and 2.
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
    skill: Skill | None = None

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
        found = json.loads(text)
        if found["format"] != FORMAT:
            raise KeyError(found["format"])
        version = int(found["version"])
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
        return _description(found)
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{name} is damaged ({error}); copy it again or lock it again") from error


def _description(found: Mapping[str, Any]) -> Description:
    values = {field.name: found[field.name] for field in fields(Description)}
    cohort = values["trained_cohort"]
    return Description(**{
        **values,
        "trained_cohort": cohort and CohortSummary.from_plain(cohort),
        "skill": values["skill"] and Skill(**values["skill"]),
        "task": Task(**values["task"]),
        "leads": tuple(values["leads"]),
        "trained_leads": tuple(values["trained_leads"]),
        "recalibration": Recalibration(**values["recalibration"]),
        "points": {name: OperatingPoint(**point) for name, point in values["points"].items()},
    })  # fmt: skip
