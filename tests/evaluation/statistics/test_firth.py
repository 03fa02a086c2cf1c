import numpy as np
import pytest
import statsmodels.api as sm
from scipy.optimize import minimize
from scipy.special import expit

from lsemvae.evaluation.statistics.firth import fit_lines

RNG = np.random.default_rng(0)
X = RNG.normal(-0.5, 1.2, 80)
Y = RNG.random(80) < expit(0.4 + 0.7 * X)


def by_search(label: np.ndarray, odds: np.ndarray, weight: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    """Return the maximum of the likelihood times Jeffreys' prior, without any formula for it."""
    design = np.stack([np.ones(len(odds)), odds], axis=1)

    def loss(line: np.ndarray) -> float:  # type: ignore[type-arg]
        share = expit(design @ line)
        likelihood = weight @ np.where(label, np.log(share), np.log1p(-share))
        information = design.T @ (design * (weight * share * (1 - share))[:, None])
        return float(-likelihood - np.linalg.slogdet(information)[1] / 2)

    exact = {"xatol": 1e-8, "fatol": 1e-12, "maxiter": 4000}
    return np.asarray(minimize(loss, [0.0, 1.0], method="Nelder-Mead", options=exact).x)


def test_without_penalty_the_line_is_that_of_statsmodels() -> None:
    weight = RNG.integers(0, 4, (3, 80)).astype(float)
    found = fit_lines(Y, X, weight, slope=True, penalised=False)
    for line, w in zip(found, weight, strict=True):
        model = sm.GLM(Y, sm.add_constant(X), family=sm.families.Binomial(), freq_weights=w)
        np.testing.assert_allclose(line, model.fit().params, atol=1e-6)


def test_intercept_alone_takes_the_log_odds_as_offset() -> None:
    model = sm.GLM(Y, np.ones(80), family=sm.families.Binomial(), offset=X)
    found = fit_lines(Y, X, np.ones((1, 80)), slope=False, penalised=False)
    np.testing.assert_allclose(found[0], [model.fit().params[0], 1], atol=1e-6)


def test_penalised_intercept_of_s_in_n_is_that_of_half_a_case_added() -> None:
    weight = np.zeros((2, 80))
    weight[0, :10], weight[1, Y.argmin()] = 1, 6
    found = fit_lines(Y, np.zeros(80), weight, slope=False)
    s = int(Y[:10].sum())
    expected = [np.log((s + 0.5) / (10 - s + 0.5)), np.log(0.5 / 6.5)]
    np.testing.assert_allclose(found[:, 0], expected, atol=1e-6)


@pytest.mark.parametrize("few", [8, 15, 80])
def test_penalised_line_maximises_likelihood_times_jeffreys_prior(few: int) -> None:
    weight = np.arange(80) < few
    found = fit_lines(Y, X, weight[None].astype(float), slope=True)
    np.testing.assert_allclose(found[0], by_search(Y, X, weight.astype(float)), atol=1e-4)


def test_a_flat_likelihood_gives_its_line_after_many_steps() -> None:
    """One negative of ten, the lowest but for a hair: each step goes a twentieth of the way."""
    odds = np.array([0.726, 0.779, 1.15, 1.388, 1.688, 2.055, 2.437, 2.443, 3.251, 5.41])
    label = np.arange(10) > 0
    found = fit_lines(label, odds, np.ones((1, 10)), slope=True)
    np.testing.assert_allclose(found[0], by_search(label, odds, np.ones(10)), atol=1e-4)


def test_separated_and_one_sided_samples_have_a_line_too() -> None:
    label = np.array([False, False, True, True])
    weight = np.array([[1.0, 1, 1, 1], [1, 1, 0, 0]])
    found = fit_lines(label, np.array([-2.0, -1, 1, 2]), weight, slope=True)
    assert np.isfinite(found).all()
    assert found[0, 1] > 0
    # two records, two parameters: each record's leverage is 1, so its share is (0 + 1/2) / (1 + 1)
    np.testing.assert_allclose(found[1], [np.log(1 / 3), 0], atol=1e-6)
