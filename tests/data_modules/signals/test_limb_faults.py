"""Every single exchange or inversion that breaks the limb leads' relations is named."""

from itertools import combinations

import numpy as np
import pytest

from data_modules.signals.clean import MAX_LIMB_RESIDUAL_MV
from data_modules.signals.limb_faults import explain_limb_fault
from lsemvae.core.leads import LIMB_LEADS, limb_lead_residual
from tests.data_modules.conftest import make_ecg_mv


def limb_leads() -> np.ndarray:
    return make_ecg_mv()[:6] + np.random.default_rng(0).normal(0, 0.002, (6, 5000))


@pytest.mark.parametrize(("a", "b"), list(combinations(range(6), 2)))
def test_an_exchange_is_named(a: int, b: int) -> None:
    limb = limb_leads()
    limb[[a, b]] = limb[[b, a]]
    assert limb_lead_residual(limb) > MAX_LIMB_RESIDUAL_MV
    text = explain_limb_fault(limb, limit_mv=MAX_LIMB_RESIDUAL_MV)
    assert f"{LIMB_LEADS[a]} and {LIMB_LEADS[b]} are exchanged" in text


@pytest.mark.parametrize("lead", range(6))
def test_an_inversion_is_named(lead: int) -> None:
    limb = limb_leads()
    limb[lead] *= -1
    assert limb_lead_residual(limb) > MAX_LIMB_RESIDUAL_MV
    text = explain_limb_fault(limb, limit_mv=MAX_LIMB_RESIDUAL_MV)
    assert f"{LIMB_LEADS[lead]} is inverted" in text


def test_other_faults_are_not_explained() -> None:
    limb = limb_leads()
    limb[3] *= 1.7
    assert explain_limb_fault(limb, limit_mv=MAX_LIMB_RESIDUAL_MV) == ""
    assert explain_limb_fault(np.random.default_rng(1).normal(size=(6, 500)), limit_mv=0.02) == ""
