"""Count the patients that a study needs: to develop a model, and to measure one."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq, root
from scipy.special import expit, xlogy
from scipy.stats import norm

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.estimate import Z
from lsemvae.evaluation.statistics.hanley_mcneil import hanley_mcneil_variance

Array = npt.NDArray[np.float64]

MOST_PATIENTS = 10_000_000
NODES = 4001  # of the integrals over the linear predictor; 2001 give the same five digits
REACH_SD = 8.0
MAPE_PARAMETERS = 30  # van Smeden's simulations go no further


class LinearPredictor(NamedTuple):
    """The log odds that a calibrated model gives a population, as a weighted sample.

    Attributes:
        log_odds: (NODES,).
        weight: (NODES,), sums to 1.
    """

    log_odds: Array
    weight: Array


def normal_linear_predictor(mean: float, sd: float) -> LinearPredictor:
    """Return normally distributed log odds."""
    standard = np.linspace(-REACH_SD, REACH_SD, NODES)
    weight = norm.pdf(standard)
    return LinearPredictor(mean + sd * standard, weight / weight.sum())


def anticipated_linear_predictor(auroc: float, prevalence: float) -> LinearPredictor:
    """Return the normal log odds that have this AUROC and this mean risk.

    Source: marginal normality as in Pavlou et al. 2021, doi:10.1177/09622802211007522.

    Raises:
        InputError: AUROC outside .5..1 or prevalence outside 0..1, borders excluded.
    """
    check_anticipated(auroc, prevalence)
    start = [math.log(prevalence / (1 - prevalence)), math.sqrt(2) * float(norm.ppf(auroc))]

    def misses(parameters: Array) -> list[float]:
        predictor = normal_linear_predictor(parameters[0], math.exp(parameters[1]))
        found, risk = auroc_and_prevalence(predictor)
        return [found - auroc, risk - prevalence]

    found = root(misses, [start[0], math.log(start[1])], tol=1e-10)
    if not found.success:
        raise InputError(
            f"no normal linear predictor has AUROC {auroc:g} at prevalence {prevalence:g}; "
            "expected values nearer to the middle"
        )
    return normal_linear_predictor(float(found.x[0]), math.exp(found.x[1]))


def check_anticipated(auroc: float, prevalence: float) -> None:
    """Refuse what no useful model and no population with both classes can have.

    Raises:
        InputError: as `anticipated_linear_predictor`.
    """
    if not 0.5 < auroc < 1 or not 0 < prevalence < 1:
        raise InputError(
            f"got AUROC {auroc:g} and prevalence {prevalence:g}; expected an AUROC above .5 and "
            "below 1, a prevalence above 0 and below 1"
        )


def auroc_and_prevalence(predictor: LinearPredictor) -> tuple[float, float]:
    """Return the AUROC and the mean risk of a calibrated linear predictor in ascending order."""
    risk = expit(predictor.log_odds)
    prevalence = float(predictor.weight @ risk)
    positive = predictor.weight * risk / prevalence
    negative = predictor.weight * (1 - risk) / (1 - prevalence)
    below = np.cumsum(negative) - negative / 2
    return float(positive @ below), prevalence


def cox_snell_r2(predictor: LinearPredictor) -> float:
    """Return the Cox-Snell R2 of a calibrated model: what its likelihood gains over the mean risk.

    Source: Riley et al. 2021, doi:10.1002/sim.8806, by an integral in place of a simulation.
    """
    risk = expit(predictor.log_odds)
    mean = float(predictor.weight @ risk)
    likelihood = float(predictor.weight @ (xlogy(risk, risk) + xlogy(1 - risk, 1 - risk)))
    return -math.expm1(-2 * (likelihood - _null_likelihood(mean)))


def highest_cox_snell_r2(prevalence: float) -> float:
    """Return the largest Cox-Snell R2 that a prevalence allows."""
    return -math.expm1(2 * _null_likelihood(prevalence))


def _null_likelihood(risk: float) -> float:
    return float(xlogy(risk, risk) + xlogy(1 - risk, 1 - risk))


def patients_for_overall_risk(prevalence: float, margin: float = 0.05) -> int:
    """Return the patients for whom the mean risk is known within a margin.

    Source: Riley et al. 2020, step 1, doi:10.1136/bmj.m441.
    """
    return math.ceil((Z / margin) ** 2 * prevalence * (1 - prevalence))


def patients_for_mean_error(
    prevalence: float, n_parameters: int, error: float = 0.05
) -> int | None:
    """Return the patients for whom predicted risks are off by `error` in the mean.

    Source: van Smeden et al. 2019, doi:10.1177/0962280218784726; step 2 of doi:10.1136/bmj.m441.

    Returns:
        None above 30 parameters, where the formula was not made for.
    """
    if n_parameters > MAPE_PARAMETERS:
        return None
    terms = -0.508 + 0.259 * math.log(prevalence) + 0.504 * math.log(n_parameters)
    return math.ceil(math.exp((terms - math.log(error)) / 0.544))


def patients_for_shrinkage(r2: float, n_parameters: int, shrinkage: float = 0.9) -> int:
    """Return the patients for whom effects shrink by no more than a tenth.

    Source: Riley et al. 2019, doi:10.1002/sim.7992; step 3 of doi:10.1136/bmj.m441.

    Args:
        r2: Cox-Snell R2 to expect.
        n_parameters: candidate parameters of the regression.
        shrinkage: mean factor of the effects, 0..1.
    """
    return math.ceil(n_parameters / ((shrinkage - 1) * math.log1p(-r2 / shrinkage)))


def patients_for_optimism(
    r2: float, prevalence: float, n_parameters: int, optimism: float = 0.05
) -> int:
    """Return the patients for whom Nagelkerke's R2 is too good by no more than `optimism`.

    Source: Riley et al. 2019, doi:10.1002/sim.7992; step 4 of doi:10.1136/bmj.m441.
    """
    shrinkage = r2 / (r2 + optimism * highest_cox_snell_r2(prevalence))
    return patients_for_shrinkage(r2, n_parameters, shrinkage)


def auroc_error(auroc: float, prevalence: float, n_patients: float) -> float:
    """Return the standard error of an AUROC to expect (Hanley & McNeil 1982)."""
    positive = max(1.0, n_patients * prevalence)
    negative = max(1.0, n_patients - positive)
    return math.sqrt(hanley_mcneil_variance(auroc, positive, negative))


def slope_error(predictor: LinearPredictor, n_patients: float) -> float:
    """Return the standard error of the calibration slope to expect of a calibrated model.

    Source: Riley et al. 2021, equation 9 (Fisher's information), doi:10.1002/sim.9025.
    """
    risk = expit(predictor.log_odds)
    information = predictor.weight * risk * (1 - risk)
    i00, i01, i11 = (float(information @ predictor.log_odds**k) for k in (0, 1, 2))
    return math.sqrt(i00 / (i00 * i11 - i01**2) / n_patients)


def ratio_half_width(prevalence: float, n_patients: float) -> float:
    """Return half the width of the 95 % interval of observed / expected to expect of a ratio of 1.

    Source: Riley et al. 2021, doi:10.1002/sim.9025: the standard error of the ratio's logarithm is
    that of a share's, the expected number being known.
    """
    return math.sinh(Z * math.sqrt((1 - prevalence) / (prevalence * n_patients)))


def patients_for_ratio(prevalence: float, half_width: float) -> int:
    """Return the patients for whom the interval of observed / expected is as narrow as wanted."""
    error = math.asinh(half_width) / Z
    return math.ceil((1 - prevalence) / (prevalence * error**2) - 1e-9)


def specificity_at(predictor: LinearPredictor, sensitivity: float) -> float:
    """Return the specificity of a calibrated model where its sensitivity is as given."""
    risk = expit(predictor.log_odds)
    positive, negative = predictor.weight * risk, predictor.weight * (1 - risk)
    missed = np.cumsum(positive) / positive.sum()
    return float(np.interp(1 - sensitivity, missed, np.cumsum(negative) / negative.sum()))


def share_error(share: float, part: float, n_patients: float) -> float:
    """Return the standard error of a sensitivity or specificity to expect.

    Source: Buderer 1996, doi:10.1111/j.1553-2712.1996.tb03538.x.

    Args:
        share: the sensitivity or specificity.
        part: share of the patients whom it is measured on: the prevalence, or one less it.
        n_patients: of the whole study.
    """
    return math.sqrt(share * (1 - share) / (part * n_patients))


def patients_for_auroc(auroc: float, prevalence: float, half_width: float) -> int:
    """Return the patients for whom the AUROC's 95 % interval is as narrow as wanted.

    Raises:
        InputError: more than ten million would be needed.
    """

    def too_wide(n_patients: float) -> float:
        positive = n_patients * prevalence  # fractions keep the function continuous
        variance = hanley_mcneil_variance(auroc, positive, n_patients - positive)
        return Z * math.sqrt(variance) - half_width

    least = 2 / min(prevalence, 1 - prevalence)
    if too_wide(least) <= 0:
        return math.ceil(least)
    if too_wide(MOST_PATIENTS) > 0:
        raise InputError(f"an interval of +- {half_width:g} needs more than {MOST_PATIENTS:,}")
    return math.ceil(brentq(too_wide, least, MOST_PATIENTS))


def patients_for_error(error_of_one: float, half_width: float) -> int:
    """Return the patients for whom a 95 % interval is as narrow as wanted.

    Args:
        error_of_one: standard error times the square root of the number of patients.
        half_width: wanted half width of the interval.
    """
    return math.ceil((Z * error_of_one / half_width) ** 2 - 1e-9)
