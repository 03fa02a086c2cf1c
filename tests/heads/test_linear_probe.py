import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lsemvae.core.errors import InputError
from lsemvae.heads.linear_probe import fit_linear_probe, inner_parts


def planted(n_records: int, n_features: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    features = random.normal(3.0, 5.0, size=(n_records, n_features))
    label = (features[:, 0] + 5 * random.normal(size=n_records) > 3.0).astype(float)
    return features, label


def test_probe_is_the_pipeline_of_scikit_learn_at_the_strength_with_the_best_inner_likelihood() -> (
    None
):
    features, label = planted(150, 30)
    part = inner_parts(label, np.arange(150), 0)
    probe = fit_linear_probe(features, label, part, (0.003, 0.03, 0.3))
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=probe.strength, tol=1e-9))
    expected = pipeline.fit(features, label).decision_function(features)
    np.testing.assert_allclose(probe.logits(features), expected, atol=1e-3)
    likelihood = {}
    scaled = StandardScaler().fit_transform(features)
    for c in (0.003, 0.03, 0.3):
        logits = np.empty(150)
        for number in range(part.max() + 1):
            held_out = part == number
            fit = LogisticRegression(C=c, tol=1e-9).fit(scaled[~held_out], label[~held_out])
            logits[held_out] = fit.decision_function(scaled[held_out])
        likelihood[c] = -np.logaddexp(0, -np.where(label > 0, logits, -logits)).sum()
    assert probe.strength == max(likelihood, key=lambda c: likelihood[c])


def test_a_feature_that_never_varies_has_no_say() -> None:
    features, label = planted(60, 4)
    features[:, 2] = 7.0
    probe = fit_linear_probe(features, label, inner_parts(label, np.arange(60), 0))
    other = features.copy()
    other[:, 2] = -100.0
    np.testing.assert_array_equal(probe.logits(features), probe.logits(other))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_inner_parts_keep_patients_whole_and_both_classes_everywhere(seed: int) -> None:
    random = np.random.default_rng(seed)
    patient = random.integers(0, 40, size=80)
    label = (random.uniform(size=80) < 0.2).astype(float)
    label[patient == patient[0]] = 1.0
    label[patient == (patient[0] + 1) % 40] = 1.0
    if len(np.unique(patient[label > 0])) < 2:
        return
    part = inner_parts(label, patient, seed)
    for one in np.unique(patient):
        assert len(np.unique(part[patient == one])) == 1
    assert set(part) == set(range(part.max() + 1))
    for number in range(part.max() + 1):
        assert set(label[part != number]) == {0.0, 1.0}


def test_one_positive_patient_is_too_few() -> None:
    label = np.array([1.0, 1.0, 0.0, 0.0, 0.0])
    with pytest.raises(InputError, match="got 1 with a positive record and 3 without"):
        inner_parts(label, np.array(["a", "a", "b", "c", "d"]), 0)
