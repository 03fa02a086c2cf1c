"""Describe the outcome of each recording in one row: a result, or why there is none."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from data_modules.reading.reasons import RecordError
from data_modules.store.content import patient_hashes, signal_hashes
from lsemvae.core.leads import LEADS, lead_indices
from lsemvae.model_file.description import Description
from lsemvae.model_file.trained_on import TrainedOn
from lsemvae.predicting.sources import Loaded

RESULT, WITHHELD, ERROR = "result", "withheld", "error"
WITHHELD_FOR = {
    "trained_on": "the model was trained on this recording or on this patient",
    "leads_missing": "fewer leads are usable than in any recording of the training",
    "limb_leads_inconsistent": "limb leads look swapped, inverted or scaled",
    "leads_scaled_separately": "the leads' amplitudes are not those of a heart",
    "uncertain": "the model is less sure of it than the limit allows",
}
"""Why a sound recording gets no probability, by code."""

DOUBTFUL = ("limb_leads_inconsistent", "leads_scaled_separately")


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

    def to_json(self) -> dict[str, Any]:
        """Return the row with leads and findings as lists."""
        lists = {"leads": self.leads.split(), "findings": self.findings.split()}
        return {**self._asdict(), **lists}


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
    row = Row(name, RESULT, leads=" ".join(leads), findings=" ".join(codes))
    doubt = [code for code in codes if code in DOUBTFUL]
    if is_known(loaded, seen):
        return _withheld(row, "trained_on")
    if len(leads) < max(fewest_leads, 1):
        return _withheld(row, "leads_missing")
    return _withheld(row, doubt[0]) if doubt else row


def is_known(loaded: Loaded, seen: TrainedOn) -> bool:
    """Tell whether a model has seen a recording or its patient."""
    known = bool(seen.knows(signal_hashes([loaded.signal]), "signal")[0])
    if loaded.patient is not None and not known:
        known = bool(seen.knows(patient_hashes([loaded.patient]), "patient")[0])
    return known


def with_score(row: Row, probability: float, uncertainty: float, model: Description) -> Row:
    """Complete a row; a recording that the model is unsure of is withheld."""
    known = None if np.isnan(uncertainty) else float(uncertainty)
    limit = model.uncertainty_limit
    if known is not None and limit is not None and known > limit:
        return _withheld(row._replace(uncertainty=known), "uncertain")
    return row._replace(
        probability=float(probability),
        decision=int(probability >= model.threshold),
        point=model.point,
        threshold=model.threshold,
        uncertainty=known,
    )


def _withheld(row: Row, code: str) -> Row:
    return row._replace(outcome=WITHHELD, code=code, message=WITHHELD_FOR[code])


def count_outcomes(rows: Sequence[Row]) -> dict[str, int]:
    """Count results, withheld results and errors."""
    return {name: sum(row.outcome == name for row in rows) for name in (RESULT, WITHHELD, ERROR)}
