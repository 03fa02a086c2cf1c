"""Describe the outcome of each recording in one row: a result, or why there is none."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from data_modules.cohort.plain_id import plain_id
from data_modules.reading.reasons import RecordError
from data_modules.signals.likeness import as_counts, fingerprints
from data_modules.signals.near_marks import are_near
from data_modules.store.content import patient_hashes, signal_hashes
from lsemvae.core.leads import LEADS, lead_indices
from lsemvae.core.tasks import DEFINED_TASKS
from lsemvae.model_file.description import Description
from lsemvae.model_file.trained_on import TrainedOn
from lsemvae.predicting.kept_findings import DOUBTFUL
from lsemvae.predicting.sources import Loaded

RESULT, WITHHELD, ERROR = "result", "withheld", "error"
TRAINED_ON = "trained_on"
NEARLY_TRAINED_ON = "nearly_trained_on"
TRAINING = "the model's training"
DETECTION = "detection"
WITHIN_DISEASE = "phenotype_without_detection"
WITHHELD_FOR = {
    TRAINED_ON: "the model was trained on this recording, or on a patient with this id",
    "leads_missing": "fewer leads are usable than in any recording of the training",
    "limb_leads_inconsistent": "limb leads look swapped, inverted or scaled",
    "leads_scaled_separately": "the leads' amplitudes are not those of a heart",
    "uncertain": "the model is less sure of it than the limit allows",
}
"""Why a sound recording gets no probability, by code."""


class Row(NamedTuple):
    """What is written of a recording; None is an empty cell.

    Attributes:
        recording: its name.
        outcome: `result`, `withheld` or `error`.
        code: why there is no result: a key of `WITHHELD_FOR`, or of the readers' `REASONS`.
        probability: recalibrated.
        decision: 1 at or above the threshold, else 0.
        point: name of the operating point.
        threshold: of the operating point.
        uncertainty: as the model measures it.
        leads: those that the model was given.
        findings: codes of what was repaired or is doubtful.
        message: the code in words.
        values: of a number or of several labels, as `Description.value_columns` names them.
    """

    recording: str
    outcome: str
    code: str = ""
    probability: float | None = None
    decision: int | None = None
    point: str = ""
    threshold: float | None = None
    uncertainty: float | None = None
    leads: str = ""
    findings: str = ""
    message: str = ""
    values: Sequence[Any] = ()

    def named(self, values: Sequence[str] = ()) -> dict[str, Any]:
        """Return the cells by the names of their columns.

        Args:
            values: names of the values, where there are some in place of one probability.
        """
        cells = self._asdict()
        told = cells.pop("values") or [None] * len(values)
        if not values:
            return cells
        known = dict(zip(values, told, strict=True))
        for name in ("probability", "decision", "threshold"):
            del cells[name]
        return {name: cells.pop(name) for name in ("recording", "outcome", "code")} | known | cells

    def to_json(self, values: Sequence[str] = ()) -> dict[str, Any]:
        """Return the row with leads and findings as lists."""
        lists = {"leads": self.leads.split(), "findings": self.findings.split()}
        return {**self.named(values), **lists}


def error_row(name: str, error: RecordError) -> Row:
    """Return the row of a recording that could not be read or used."""
    return Row(name, ERROR, error.code, message=error.problem)


def judged_row(
    name: str, loaded: Loaded, description: Description, seen: TrainedOn, fewest_leads: int
) -> Row:
    """Return a row without a probability: withheld, or to be completed by `with_score`."""
    chosen = lead_indices(description.leads)
    leads = [LEADS[lead] for lead in chosen if loaded.present[lead]]
    codes = list(dict.fromkeys(code for code, _ in loaded.findings))
    if len(description.leads) < len(description.trained_leads):
        codes.append("leads_fewer_than_trained")
    known = is_known(loaded, seen)
    if not known and is_near(loaded, description, seen):
        codes.append(NEARLY_TRAINED_ON)
    row = Row(name, RESULT, leads=" ".join(leads), findings=" ".join(codes))
    doubt = [code for code in codes if code in DOUBTFUL]
    if known:
        return _withheld(row, TRAINED_ON)
    if len(leads) < max(fewest_leads, 1):
        return _withheld(row, "leads_missing")
    return _withheld(row, doubt[0]) if doubt else row


def is_near(loaded: Loaded, model: Description, seen: TrainedOn) -> bool:
    """Tell whether a recording is nearly one that a model has seen, as altered copies are."""
    if not len(seen.near):
        return False
    rate = float(model.signal["sampling_rate_hz"])
    found = as_counts(fingerprints(loaded.ecg[None], sampling_rate_hz=rate))
    return bool(are_near(found, loaded.present[None], seen.near)[0])


def is_known(loaded: Loaded, seen: TrainedOn) -> bool:
    """Tell whether a model has seen a recording or its patient."""
    known = bool(seen.knows(signal_hashes([loaded.signal]), "signal")[0])
    if loaded.patient is not None and not known:
        spellings = [loaded.patient, plain_id(loaded.patient)]
        known = bool(seen.knows(patient_hashes(spellings), "patient").any())
    return known


def with_score(
    row: Row, score: npt.NDArray[np.floating], uncertainty: float, model: Description
) -> Row:
    """Complete a row; a recording that the model is unsure of is withheld.

    Args:
        row: that may have a score.
        score: (), a probability or an estimate; (K,) probabilities of several labels.
        uncertainty: NaN where the model cannot say.
        model: whose score it is.
    """
    known = None if np.isnan(uncertainty) else float(uncertainty)
    limit = model.uncertainty_limit
    if known is not None and limit is not None and known > limit:
        return _withheld(row._replace(uncertainty=known), "uncertain")
    if model.target != "binary":
        told = row._replace(values=_values(score, model), point=model.point, uncertainty=known)
        return told._replace(findings=" ".join([*told.findings.split(), *_outside(score, model)]))
    probability = float(score)
    return row._replace(
        probability=probability,
        decision=int(probability >= model.threshold),
        point=model.point,
        threshold=model.threshold,
        uncertainty=known,
    )


def _values(score: npt.NDArray[np.floating], model: Description) -> list[Any]:
    """Return what stands in the value columns: an estimate and its interval, or each label."""
    if model.number is not None:
        estimated, half = float(score), model.number.half_width
        ends = [None, None] if half is None else [estimated - half, estimated + half]
        return [estimated, *ends, model.number.unit]
    values: list[Any] = []
    for one, probability in zip(model.labels, map(float, score), strict=True):
        threshold = one.points[model.point].threshold
        values += [probability, int(probability >= threshold), threshold]
    return values


def _outside(score: npt.NDArray[np.floating], model: Description) -> list[str]:
    """Return the finding of a kind of the disease where the disease is below its threshold."""
    names = [one.name for one in model.labels]
    if DETECTION not in names or len(DEFINED_TASKS.keys() & names) == 1:
        return []
    place = names.index(DETECTION)
    threshold = model.labels[place].points[model.point].threshold
    return [] if float(score[place]) >= threshold else [WITHIN_DISEASE]


def _withheld(row: Row, code: str) -> Row:
    return row._replace(outcome=WITHHELD, code=code, message=WITHHELD_FOR[code])


def count_outcomes(rows: Sequence[Row]) -> dict[str, int]:
    """Count results, withheld results and errors."""
    return {name: sum(row.outcome == name for row in rows) for name in (RESULT, WITHHELD, ERROR)}
