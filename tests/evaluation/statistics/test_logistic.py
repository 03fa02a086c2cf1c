import numpy as np
import pytest
import statsmodels.api as sm

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.logistic import check_slope_exists, fit_logistic
from tests.evaluation.simulated import logistic


def test_fit_equals_statsmodels() -> None:
    rng = np.random.default_rng(0)
    predictor, offset = rng.normal(size=(2, 300))
    label = logistic(0.3 + 1.4 * predictor + offset, rng)
    design = np.stack([np.ones(300), predictor], axis=1)
    fit = fit_logistic(label == 1, design, offset=offset)
    expected = sm.GLM(label, design, family=sm.families.Binomial(), offset=offset).fit(tol=1e-12)
    np.testing.assert_allclose(fit.coefficients, expected.params, atol=1e-7)
    np.testing.assert_allclose(fit.covariance, expected.cov_params(), rtol=1e-5)


def test_covariance_by_patient_equals_statsmodels() -> None:
    rng = np.random.default_rng(1)
    patient = np.arange(400) // 4
    predictor = np.repeat(rng.normal(size=100), 4) + 0.1 * rng.normal(size=400)
    label = logistic(predictor + np.repeat(rng.normal(size=100), 4), rng)
    design = np.stack([np.ones(400), predictor], axis=1)
    fit = fit_logistic(label == 1, design, codes=patient)
    model = sm.Logit(label, design).fit(
        disp=0, tol=1e-12, cov_type="cluster",
        cov_kwds={"groups": patient, "use_correction": False},
    )  # fmt: skip
    np.testing.assert_allclose(fit.covariance, model.cov_params() * 100 / 99, rtol=1e-5)


def test_far_predictors_are_fitted() -> None:
    predictor = np.array([-16.6, -16.6, -1.0, 0.5, 16.6, 16.6])
    label = np.array([False, True, False, True, True, True])
    design = np.stack([np.ones(6), predictor], axis=1)
    fit = fit_logistic(label, design)
    expected = sm.Logit(label.astype(float), design).fit(disp=0, tol=1e-12)
    np.testing.assert_allclose(fit.coefficients, expected.params, atol=1e-5)


def test_a_slope_without_a_finite_value_is_refused() -> None:
    label = np.array([False, False, True, True])
    for predictor, said in (
        ([1.0, 1.0, 1.0, 1.0], "all probabilities are equal"),
        ([0.0, 1.0, 2.0, 3.0], "separate the classes"),
        ([0.0, 2.0, 2.0, 3.0], "separate the classes"),
        ([3.0, 2.0, 2.0, 0.0], "separate the classes"),
    ):
        with pytest.raises(InputError, match=said):
            check_slope_exists(label, np.array(predictor))
    check_slope_exists(label, np.array([0.0, 2.0, 1.0, 3.0]))
