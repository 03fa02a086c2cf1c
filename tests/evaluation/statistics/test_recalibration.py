import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.calibration import (
    calibration_slope,
    expected_calibration_error,
    log_odds,
)
from lsemvae.evaluation.statistics.recalibration import (
    Recalibration,
    fit_recalibration,
    recalibrate,
)
from tests.evaluation.simulated import inner_of, predictions


def timid(n_records: int, seed: int = 0):
    """Return predictions whose log-odds are a third of the true ones."""
    table = predictions(n_records, seed=seed)
    squeezed = log_odds(table["probability"].to_numpy()) / 3
    return table.assign(probability=1 / (1 + np.exp(-squeezed)))


def test_logistic_equals_unpenalised_sklearn() -> None:
    table = timid(300)
    probability = table["probability"].to_numpy()
    ours = fit_recalibration(table["label"].to_numpy() == 1, probability, "logistic")
    reference = LogisticRegression(C=np.inf, tol=1e-10).fit(
        log_odds(probability)[:, None], table["label"]
    )
    new = np.linspace(0.01, 0.99, 20)
    expected = reference.predict_proba(log_odds(new)[:, None])[:, 1]
    np.testing.assert_allclose(ours(new), expected, atol=1e-5)


@pytest.mark.parametrize("kind", ["logistic", "isotonic"])
def test_recalibration_mends_timid_probabilities(kind: Recalibration) -> None:
    table = timid(3000)
    inner = inner_of(table.assign(uncertainty=0.0))
    mended = recalibrate(table, inner, kind)
    before = expected_calibration_error(table["label"], table["probability"])
    assert expected_calibration_error(table["label"], mended) < before / 3
    assert calibration_slope(table["label"], table["probability"]).low > 2.5
    if kind == "logistic":
        slope = calibration_slope(table["label"], mended)
        assert slope.low < 1 < slope.high


def test_each_fold_is_mapped_by_its_own_training_part() -> None:
    table = timid(200)
    mapped = recalibrate(table, inner_of(table), "isotonic")
    for fold in range(5):
        rows = (table["fold"] == fold).to_numpy()
        training = table[~rows]
        reference = IsotonicRegression(out_of_bounds="clip").fit(
            training["probability"], training["label"]
        )
        np.testing.assert_allclose(mapped[rows], reference.predict(table["probability"][rows]))


@pytest.mark.parametrize("kind", ["logistic", "isotonic"])
def test_held_out_labels_change_nothing(kind: Recalibration) -> None:
    table, inner = timid(200), inner_of(timid(200))
    turned = table.assign(label=1 - table["label"])
    np.testing.assert_array_equal(recalibrate(table, inner, kind), recalibrate(turned, inner, kind))
    # ... and inner labels do, or the test above could not fail.
    other = inner.assign(label=1 - inner["label"])
    assert (recalibrate(table, other, kind) != recalibrate(table, inner, kind)).any()


def test_logistic_keeps_the_order_of_the_records_of_a_fold() -> None:
    table = timid(200)
    rows = table["fold"] == 2
    mapped = recalibrate(table, inner_of(table))[rows]
    assert (np.argsort(mapped) == np.argsort(table["probability"][rows])).all()


def test_what_cannot_be_fitted_is_refused() -> None:
    label = np.array([False, True])
    with pytest.raises(InputError, match="separate the classes"):
        fit_recalibration(label, np.array([0.2, 0.8]), "logistic")
    with pytest.raises(InputError, match="must be logistic or isotonic, got beta"):
        fit_recalibration(label, np.array([0.2, 0.8]), "beta")  # type: ignore[arg-type]
