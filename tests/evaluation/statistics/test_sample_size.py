"""Sample sizes against published examples and simulation."""

import math

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics import sample_size as plan
from lsemvae.evaluation.statistics.estimate import Z
from lsemvae.evaluation.statistics.hanley_mcneil import half_width


def test_development_of_a_model_for_pre_eclampsia_as_published() -> None:
    # Riley et al. 2020, doi:10.1136/bmj.m441: risk .05, 30 parameters, R2 .05 (15 % of .33).
    assert plan.patients_for_overall_risk(0.05) == 73
    assert plan.patients_for_mean_error(0.05, 30) == 544
    assert plan.patients_for_shrinkage(0.05, 30) == 5249
    assert plan.highest_cox_snell_r2(0.05) == pytest.approx(0.33, abs=0.005)


def test_development_of_a_model_with_24_parameters_as_published() -> None:
    # Riley et al. 2019, doi:10.1002/sim.7992: prevalence .174, R2 .288: 623, 662 and 221 patients.
    assert plan.patients_for_shrinkage(0.288, 24) == 623
    assert plan.patients_for_optimism(0.288, 0.174, 24) == 662
    assert plan.patients_for_overall_risk(0.174) == 221


def test_information_on_the_slope_is_that_of_a_logistic_regression() -> None:
    # The example of section 3.2.4 of doi:10.1002/sim.9025: log odds of mean -1.75 and SD 1.47.
    predictor = plan.normal_linear_predictor(-1.75, 1.47)
    rng = np.random.default_rng(0)
    slopes = []
    for _ in range(300):
        log_odds = rng.normal(-1.75, 1.47, 600)
        label = rng.random(600) < expit(log_odds)
        model = LogisticRegression(C=np.inf).fit(log_odds[:, None], label)
        slopes.append(model.coef_[0, 0])
    assert np.std(slopes) == pytest.approx(plan.slope_error(predictor, 600), rel=0.12)


def test_anticipated_linear_predictor_has_its_auroc_and_prevalence() -> None:
    predictor = plan.anticipated_linear_predictor(0.85, 0.3)
    rng = np.random.default_rng(1)
    log_odds = rng.choice(predictor.log_odds, 200_000, p=predictor.weight)
    label = rng.random(200_000) < expit(log_odds)
    assert label.mean() == pytest.approx(0.3, abs=0.004)
    assert roc_auc_score(label, log_odds) == pytest.approx(0.85, abs=0.003)


def test_r2_of_an_anticipated_model_is_that_of_its_likelihood() -> None:
    predictor = plan.anticipated_linear_predictor(0.8, 0.2)
    rng = np.random.default_rng(2)
    log_odds = rng.choice(predictor.log_odds, 400_000, p=predictor.weight)
    label = rng.random(400_000) < expit(log_odds)
    risk = expit(log_odds)
    gained = np.where(label, np.log(risk / label.mean()), np.log((1 - risk) / (1 - label.mean())))
    assert plan.cox_snell_r2(predictor) == pytest.approx(
        1 - math.exp(-2 * gained.mean()), abs=0.004
    )


@pytest.mark.parametrize(("auroc", "prevalence"), [(0.7, 0.1), (0.85, 0.4), (0.95, 0.77)])
def test_patients_for_an_auroc_give_the_interval_that_was_wanted(
    auroc: float, prevalence: float
) -> None:
    n_patients = plan.patients_for_auroc(auroc, prevalence, 0.05)
    assert half_width(auroc, n_patients, prevalence) == pytest.approx(0.05, rel=0.01)


def test_patients_for_a_sensitivity_as_by_hand() -> None:
    # Buderer 1996: n = 1.96^2 .9 (1 - .9) / (.1^2 .2) = 172.9 -> 173 patients.
    error = plan.share_error(0.9, 0.2, 1)
    assert plan.patients_for_error(error, 0.1) == 173


def test_patients_for_observed_by_expected_as_by_hand() -> None:
    # The valve example of doi:10.1002/sim.9025: prevalence .018, an interval 1 wide. By hand:
    # exp(1.96 e) - exp(-1.96 e) = 1 at e = .2455, and .982 / (.018 .2455^2) = 905.
    assert plan.patients_for_ratio(0.018, 0.5) == pytest.approx(905, abs=1)
    assert plan.ratio_half_width(0.018, 905) == pytest.approx(0.5, abs=0.001)


def test_the_error_of_observed_by_expected_is_that_of_many_studies() -> None:
    observed = np.random.default_rng(0).binomial(400, 0.3, 20_000)
    low, high = np.quantile(observed / (400 * 0.3), [0.025, 0.975])
    assert (high - low) / 2 == pytest.approx(plan.ratio_half_width(0.3, 400), rel=0.03)


def test_wanted_precision_is_reached_and_not_exceeded_by_much() -> None:
    predictor = plan.anticipated_linear_predictor(0.8, 0.3)
    n_patients = plan.patients_for_error(plan.slope_error(predictor, 1), 0.2)
    assert (
        Z * plan.slope_error(predictor, n_patients)
        <= 0.2
        < Z * plan.slope_error(predictor, n_patients - 1)
    )


def test_mean_error_is_not_said_beyond_its_formula() -> None:
    assert plan.patients_for_mean_error(0.2, 31) is None


@pytest.mark.parametrize(("auroc", "prevalence"), [(0.5, 0.2), (1.0, 0.2), (0.8, 0.0), (0.8, 1.0)])
def test_impossible_populations_are_refused(auroc: float, prevalence: float) -> None:
    with pytest.raises(InputError, match="expected an AUROC above"):
        plan.anticipated_linear_predictor(auroc, prevalence)
