"""Measure what each lead moves: hide it from the model and look at the log-odds."""

from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit

from data_modules.store.content import COUNTS_PER_UNIT
from lsemvae.core.leads import lead_indices
from lsemvae.predicting.predictor import Predictor
from lsemvae.predicting.sources import Loaded


class HiddenLead(NamedTuple):
    """What one lead moves.

    Attributes:
        lead: its name.
        moved: log-odds with all leads minus log-odds without this one: above zero where the lead
            speaks for the positive class.
        probability: without this lead, recalibrated.
    """

    lead: str
    moved: float
    probability: float

    @property
    def side(self) -> str:
        """Tell in a word what the lead speaks for, as far as two digits show it."""
        if abs(self.moved) < 0.005:
            return "neither"
        return "for" if self.moved > 0 else "against"


def hide_each_lead(predictor: Predictor, loaded: Loaded) -> list[HiddenLead]:
    """Return the leads of a recording, what moves most first; none where it has one lead only.

    Any model can be asked so, as any model takes recordings with absent leads. Leads share what
    they show: where others make up for a hidden one, little moves.

    Args:
        predictor: the model.
        loaded: what it was given.
    """
    leads = predictor.description.leads
    chosen = lead_indices(leads)
    present = loaded.present[chosen]
    there = np.flatnonzero(present)
    if len(there) < 2:
        return []
    masks = np.vstack([present, np.tile(present, (len(there), 1))])
    masks[np.arange(1, len(masks)), there] = False
    ecg = (loaded.ecg[chosen] / np.float32(COUNTS_PER_UNIT)).astype(np.float32) * masks[..., None]
    odds = logit(np.clip(predictor.score(ecg, masks).probability.astype(float), 1e-9, 1 - 1e-9))
    found = [
        HiddenLead(leads[lead], float(odds[0] - without), float(expit(without)))
        for lead, without in zip(there, odds[1:], strict=True)
    ]
    return sorted(found, key=lambda one: -abs(one.moved))
