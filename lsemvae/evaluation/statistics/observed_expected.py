"""Compare the number of positives with the number that the probabilities expect."""

import math

import numpy as np
import numpy.typing as npt

from lsemvae.evaluation.statistics.binary_arrays import check_binary, patient_codes
from lsemvae.evaluation.statistics.estimate import Estimate, Z


def observed_expected(
    label: npt.ArrayLike, probability: npt.ArrayLike, patient_id: npt.ArrayLike | None = None
) -> Estimate:
    """Return observed / expected positives; 1 is right, below 1 the probabilities are too high.

    A ratio of two sums over patients: its variance is that of the patients' residuals
    `O_c - ratio * E_c` (Cochran, Sampling Techniques, 3rd edition, section 6.3), and the interval
    is symmetric for the logarithm (Debray et al. 2017, doi:10.1136/bmj.i6460).

    Args:
        label: (N,), 0 or 1, both present.
        probability: (N,), in 0..1.
        patient_id: (N,); None means one record per patient.
    """
    labels, scores = check_binary(label, probability, probabilities=True)
    codes = patient_codes(patient_id, len(labels))
    observed, expected = float(labels.sum()), float(scores.sum())
    ratio = observed / expected
    residual = np.bincount(codes, labels - ratio * scores)
    n_patients = len(residual)
    variance = float(residual @ residual) * n_patients / (n_patients - 1)
    factor = math.exp(Z * math.sqrt(variance) / observed)
    return Estimate(ratio, ratio / factor, ratio * factor, "ratio by patient, log scale")
