"""`lsemvae.EcgEncoder` within scikit-learn."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks

import lsemvae
from lsemvae import EcgEncoder, encode
from lsemvae.core.errors import InputError

# scikit-learn draws tables of a few columns for all other checks, which are no recordings
APPLICABLE = (
    "check_estimator_cloneable", "check_estimator_repr", "check_no_attributes_set_in_init",
    "check_parameters_default_constructible", "check_get_params_invariance", "check_set_params",
    "check_estimator_tags_renamed", "check_valid_tag_types", "check_mixin_order",
    "check_do_not_raise_errors_in_init_or_set_params",
)  # fmt: skip


@pytest.mark.parametrize("name", APPLICABLE)
def test_the_estimator_checks_of_scikit_learn_that_apply_pass(name: str) -> None:
    getattr(estimator_checks, name)("EcgEncoder", EcgEncoder())


def test_scikit_learn_itself_leaves_out_the_checks_on_tables() -> None:
    with pytest.warns(UserWarning, match="Can't test estimator EcgEncoder which requires input"):
        results = estimator_checks.check_estimator(EcgEncoder())
    assert {one["status"] for one in results} == {"passed"}


def test_transform_is_encode(recordings_array: tuple[np.ndarray, float], encoder: Path) -> None:
    ecg, rate = recordings_array
    found = EcgEncoder(rate, encoder=str(encoder)).fit_transform(ecg)
    np.testing.assert_array_equal(found, encode(ecg, rate, 12, encoder=str(encoder)))


def test_a_pipeline_is_cross_validated_by_patient(
    recordings_array: tuple[np.ndarray, float], encoder: Path
) -> None:
    ecg, rate = recordings_array
    label = np.arange(len(ecg)) % 2
    model = make_pipeline(
        EcgEncoder(rate, encoder=str(encoder)), StandardScaler(), LogisticRegression()
    )
    scores = cross_val_score(
        model, ecg, label, groups=np.arange(len(ecg)) // 2, cv=GroupKFold(3), scoring="roc_auc"
    )
    assert scores.shape == (3,)
    assert np.isfinite(scores).all()


def test_a_clone_and_a_pickle_give_the_same_features(
    recordings_array: tuple[np.ndarray, float], encoder: Path
) -> None:
    ecg, rate = recordings_array
    fitted = EcgEncoder(rate, encoder=str(encoder)).fit(ecg)
    expected = fitted.transform(ecg[:3])
    kept = pickle.dumps(fitted)
    assert len(kept) < 5000  # without weights
    np.testing.assert_array_equal(pickle.loads(kept).transform(ecg[:3]), expected)
    np.testing.assert_array_equal(clone(fitted).fit(ecg).transform(ecg[:3]), expected)
    names = fitted.get_feature_names_out()
    assert len(names) == expected.shape[1] == fitted.n_features_out_


def test_it_is_refused_unfitted_and_on_tables(encoder: Path) -> None:
    with pytest.raises(NotFittedError):
        EcgEncoder(encoder=str(encoder)).transform(np.zeros((1, 12, 5000)))
    with pytest.raises(InputError, match=r"expected recordings \(N, L, T\)"):
        EcgEncoder(encoder=str(encoder)).fit(np.zeros((3, 4)))


def test_importing_the_package_imports_no_torch() -> None:
    code = ("import sys, lsemvae; dir(lsemvae); from lsemvae import prepare, cv; "
            "assert 'torch' not in sys.modules and callable(prepare)")  # fmt: skip
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_verbs_are_there_and_nothing_else() -> None:
    assert set(lsemvae.__all__) <= set(dir(lsemvae))
    for name in lsemvae.__all__:
        assert callable(getattr(lsemvae, name))
    with pytest.raises(AttributeError, match="has no attribute 'train'"):
        _ = lsemvae.train
