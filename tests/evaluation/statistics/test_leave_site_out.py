import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.leave_site_out import leave_one_site_out
from tests.evaluation.simulated import logistic

RNG = np.random.default_rng(5)
N = 3000
ODDS = RNG.normal(0, 1.3, N)
LABEL = logistic(-1 + 0.6 * ODDS, RNG)  # the same fault at every site
SITE = pd.Series(np.arange(N) % 3).map({0: "a", 1: "b", 2: None})


def test_a_fault_that_all_sites_share_is_mended_by_the_others() -> None:
    found = leave_one_site_out(LABEL, expit(ODDS), None, SITE)
    assert list(found) == ["a", "b", "missing"]
    for one in found.values():
        assert one.locked is not None
        assert one.recalibrated is not None
        assert one.locked.slope.value == pytest.approx(0.6, abs=0.15)
        assert one.locked.observed_expected.high < 1
        assert one.recalibrated.slope.low < 1 < one.recalibrated.slope.high
        low, _, high = sorted(
            (one.recalibrated.intercept.low, 0.0, one.recalibrated.intercept.high)
        )
        assert low < 0 < high


def test_patients_of_the_site_are_not_among_those_that_recalibrate_it() -> None:
    # every patient of b was at a too: nobody is left to recalibrate with
    patient = np.r_[np.arange(60), np.arange(60)]
    label = np.tile([0, 1], 60)
    odds = np.linspace(-1, 1, 120)
    found = leave_one_site_out(label, expit(odds), patient, pd.Series(["a"] * 60 + ["b"] * 60))
    assert found["a"].recalibrated is None
    assert found["a"].why == "the other sites hold one class only"


def test_records_without_a_site_are_called_missing() -> None:
    site = pd.Series([""] * 5 + ["large"] * (N - 5))
    assert list(leave_one_site_out(LABEL, expit(ODDS), None, site)) == ["large", "missing"]


def test_small_sites_are_not_judged_and_one_site_is_refused() -> None:
    site = pd.Series(["tiny"] * 5 + ["large"] * (N - 5))
    found = leave_one_site_out(LABEL, expit(ODDS), None, site)
    assert found["tiny"].locked is None
    assert "at least 10 of each are needed" in found["tiny"].why
    with pytest.raises(InputError, match="all records are of one site, a"):
        leave_one_site_out(LABEL, expit(ODDS), None, pd.Series(["a"] * N))
