import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from lsemvae.heads.logistic import fit_logistic_ridges, rotate


@pytest.mark.parametrize(("n_records", "n_features"), [(120, 8), (40, 200), (60, 60)])
def test_ridges_are_those_of_scikit_learn(n_records: int, n_features: int) -> None:
    random = np.random.default_rng(n_features)
    features = random.normal(size=(n_records, n_features))
    label = (features[:, 0] + random.normal(size=n_records) > 0.8).astype(float)
    weight = np.ones((3, n_records))
    weight[1, ::4] = 0.0
    strength = np.array([0.003, 0.3, 30.0])
    rotation = rotate(features)
    fits = fit_logistic_ridges(rotation.scores, label, weight, strength)
    for number, (kept, c) in enumerate(zip(weight, strength, strict=True)):
        theirs = LogisticRegression(C=c, tol=1e-10, max_iter=10_000)
        theirs.fit(features[kept > 0], label[kept > 0])
        ours = rotation.axes @ fits.weights[:, number]
        np.testing.assert_allclose(rotation.on_features(fits.weights[:, number]), ours, atol=1e-12)
        np.testing.assert_allclose(ours, theirs.coef_[0], atol=2e-4)
        assert fits.intercept[number] == pytest.approx(theirs.intercept_[0], abs=2e-4)


def test_features_lose_nothing_on_their_axes() -> None:
    features = np.random.default_rng(0).normal(size=(20, 50))
    features[:, 7] = features[:, 3]
    rotation = rotate(features)
    np.testing.assert_allclose(rotation.scores @ rotation.axes.T, features, atol=1e-10)
    gram = rotation.scores.T @ rotation.scores
    np.testing.assert_allclose(gram, np.diag(np.diag(gram)), atol=1e-9)


def test_separable_classes_and_a_weak_penalty_still_end() -> None:
    features = np.linspace(-1, 1, 30)[:, None]
    label = (features[:, 0] > 0).astype(float)
    fits = fit_logistic_ridges(features, label, np.ones((1, 30)), np.array([1e6]))
    theirs = LogisticRegression(C=1e6, tol=1e-12, max_iter=100_000).fit(features, label)
    assert fits.weights[0, 0] == pytest.approx(theirs.coef_[0, 0], rel=1e-3)
