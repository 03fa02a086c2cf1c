"""Measure what each lead moves: hide it from the model and look at the log-odds."""

import numpy as np

from lsemvae.predicting.predictor import Predictor
from lsemvae.predicting.sources import Loaded
from lsemvae.serving.hidden import Given, Hidden, given, moved_by


def hide_each_lead(predictor: Predictor, loaded: Loaded) -> list[Hidden]:
    """Return the leads of a recording, what moves most first; none where it has one lead only.

    Any model can be asked so, as any model takes recordings with absent leads. Leads share what
    they show: where others make up for a hidden one, little moves.

    Args:
        predictor: the model.
        loaded: what it was given.
    """
    whole = given(predictor, loaded)
    there = np.flatnonzero(whole.present)
    if len(there) < 2:
        return []
    masks = [whole.present & (np.arange(len(whole.present)) != lead) for lead in there]
    without = [Given(whole.ecg * mask[:, None], mask) for mask in masks]
    names = [predictor.description.leads[lead] for lead in there]
    found = moved_by(predictor, whole, names, without)
    return sorted(found, key=lambda one: -abs(one.moved))
