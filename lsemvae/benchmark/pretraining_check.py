"""Refuse recordings for pre-training that do not go with a cohort, before anything is trained."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from data_modules.dataset import EcgPool
from data_modules.leakage import find_leaks, refuse_leaks, tell_other_names
from data_modules.near_copies import marks_of, tell_near_copies
from data_modules.parts import PRETRAINING, part_of
from lsemvae.core.errors import InputError


def check_pretraining(
    stores: Sequence[str], cohort: EcgPool, asked: npt.NDArray[np.int64], *, allow_leakage: bool
) -> None:
    """Refuse recordings for pre-training whose encoder every fold would refuse.

    Args:
        stores: for pre-training.
        cohort: the labelled recordings.
        asked: rows of it that belong to a task.
        allow_leakage: go on although patients or recordings are in both.

    Raises:
        InputError: a store is missing or prepared with other settings than the cohort, or
            patients or recordings are in both.
    """
    seen = EcgPool(stores)
    ours, theirs = (one.ecg_input._replace(unit=None) for one in (seen, cohort))
    differences = ours.differences(theirs)
    if differences:
        raise InputError(
            "the recordings of --pretrain are unlike those of --cohort "
            f"({'; '.join(differences)}); prepare both with the same settings"
        )
    alike = marks_of(seen, np.arange(len(seen)))
    tell_near_copies(cohort, asked[~_is_equal(cohort, asked, seen)], alike, seen="--pretrain")
    before = part_of(PRETRAINING, [store.table for store in seen.stores])
    own = part_of("the cohort", [cohort.table.iloc[asked]])
    tell_other_names(before, own)
    if not allow_leakage:
        refuse_leaks(find_leaks([before, own]), allow=False)


def _is_equal(
    cohort: EcgPool, asked: npt.NDArray[np.int64], seen: EcgPool
) -> npt.NDArray[np.bool_]:
    """Tell which of the rows are recordings of the pre-training itself."""
    ours, theirs = (
        np.concatenate([store.column("signal_sha256") for store in pool.stores])
        for pool in (cohort, seen)
    )
    return np.isin(ours[asked], theirs)
