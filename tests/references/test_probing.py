import numpy as np
import pandas as pd
import pytest

from data_modules.cohort.splits import Splits
from lsemvae.core.errors import InputError
from lsemvae.references.label_draws import check_fractions, draw_patients
from lsemvae.references.probing import ProbeSettings, labelled_folds, linear_scores, trainings
from lsemvae.references.rows import PCA, Row

FEW = ProbeSettings(fractions=(1.0, 0.5), n_draws=3)


def planted(n_records: int = 90, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Return a cohort in three folds, two records a patient, and features that show the label."""
    random = np.random.default_rng(seed)
    patient = np.repeat(np.arange(n_records // 2), 2)
    label = (random.uniform(size=n_records // 2) < 0.4)[patient].astype(float)
    features = random.normal(size=(n_records, 6)).astype(np.float32)
    features[:, 0] += 2 * label
    cohort = pd.DataFrame(
        {
            "record": [f"r{number}" for number in range(n_records)],
            "patient_id": patient.astype(str),
            "label": label,
            "row": np.arange(n_records),
        }
    )
    fold = dict(zip(cohort["record"], (patient % 3).tolist(), strict=True))
    return labelled_folds(cohort, Splits("t", 3, 0, "", fold)), features


def test_the_label_of_a_held_out_record_has_no_say_in_its_score() -> None:
    cohort, features = planted()
    rows = [Row("pretrained", features), Row(PCA, features, n_components=3)]
    before = linear_scores(rows, cohort, FEW)
    changed = cohort.assign(label=cohort["label"].where(cohort["fold"] != 1, 1 - cohort["label"]))
    after = linear_scores(rows, changed, FEW)
    mine = (cohort["fold"] == 1).to_numpy()
    for key, scores in before.items():
        np.testing.assert_array_equal(scores[..., mine], after[key][..., mine])
        assert not np.array_equal(scores[..., ~mine], after[key][..., ~mine])
        assert np.isfinite(scores).all()


def test_scores_have_a_place_for_every_seed_and_draw() -> None:
    cohort, features = planted()
    rows = [Row("untrained", features), Row("untrained", features[:, ::-1]), Row("pca", features)]
    scores = linear_scores(rows, cohort, FEW)
    assert scores["untrained", 1.0].shape == (2, 1, 90)
    assert scores["untrained", 0.5].shape == (2, 3, 90)
    assert scores["pca", 0.5].shape == (1, 3, 90)
    np.testing.assert_allclose(scores["untrained", 0.5][0], scores["untrained", 0.5][1], atol=1e-3)
    assert not np.allclose(scores["pca", 0.5][0, 0], scores["pca", 0.5][0, 1])


def test_every_training_keeps_patients_whole_and_out_of_the_held_out_fold() -> None:
    cohort, _ = planted()
    patient = cohort["patient_id"].to_numpy()
    for one in trainings(cohort, FEW):
        assert not set(patient[one.rows]) & set(patient[one.held_out])
        for name in set(patient[one.rows]):
            assert (patient[one.rows] == name).sum() == 2


def test_smaller_draws_lie_within_larger_ones_and_keep_two_patients_of_each_class() -> None:
    patient = np.arange(100)
    label = (patient < 12).astype(float)
    tenth, quarter = (draw_patients(label, patient, share, seed=4) for share in (0.05, 0.25))
    assert (quarter[tenth]).all()
    assert quarter.sum() == 3 + 22
    assert tenth[:12].sum() == 2
    assert tenth[12:].sum() == 4
    assert not np.array_equal(tenth, draw_patients(label, patient, 0.05, seed=5))
    assert draw_patients(label, patient, 1.0, seed=0).all()


@pytest.mark.parametrize("fractions", [(0.5, 0.1), (1.0, 0.0), (), (1.0, 1.5)])
def test_fractions_outside_of_their_range_are_refused(fractions: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="fractions must be in"):
        check_fractions(fractions)


def test_a_recording_without_features_is_named() -> None:
    cohort, features = planted()
    features[7] = np.nan
    with pytest.raises(InputError, match="the first at position 7"):
        linear_scores([Row("pretrained", features)], cohort, FEW)
