from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lsemvae.heads.linear_probe import LinearProbe
from lsemvae.heads.mlp import MlpSettings
from lsemvae.references import mlp_scores as mlp
from lsemvae.references import probing
from lsemvae.references.mlp_scores import mlp_scores
from lsemvae.references.probing import ProbeSettings, linear_scores
from lsemvae.references.rows import Row
from tests.references.test_probing import FEW, planted

QUICK = MlpSettings(epochs=2)


def refuse(*_: object) -> None:
    raise AssertionError("computed again")


def test_a_row_that_was_scored_is_not_scored_again_and_another_one_is_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cohort, features = planted()
    first, second = Row("pretrained", features), Row("pca", features[:, ::-1].copy())
    linear = linear_scores([first, second], cohort, FEW, kept=tmp_path)
    trained = mlp_scores([first, second], cohort, QUICK, kept=tmp_path)
    monkeypatch.setattr(probing, "_row_scores", refuse)
    monkeypatch.setattr(mlp, "train_heads", refuse)
    # another order, another name: the same features are the same row
    renamed = Row("untrained", features)
    again = linear_scores([second, renamed], cohort, FEW, kept=tmp_path)
    np.testing.assert_array_equal(again["untrained", 0.5], linear["pretrained", 0.5])
    np.testing.assert_array_equal(again["pca", 1.0], linear["pca", 1.0])
    once_more = mlp_scores([renamed], cohort, QUICK, kept=tmp_path)
    np.testing.assert_array_equal(once_more["untrained", 1.0], trained["pretrained", 1.0])


@pytest.mark.parametrize("change", ["label", "fold", "patient_id", "features", "settings", "pca"])
def test_what_scores_follow_from_names_them(change: str, tmp_path: Path) -> None:
    cohort, features = planted()
    linear_scores([Row("pretrained", features)], cohort, FEW, kept=tmp_path)
    row, settings, other = Row("pretrained", features), FEW, cohort
    if change == "label":
        other = cohort.assign(label=1 - cohort["label"])
    elif change == "fold":
        other = cohort.assign(fold=(cohort["fold"] + 1) % 3)
    elif change == "patient_id":
        other = cohort.assign(patient_id=cohort["record"])
    elif change == "features":
        row = Row("pretrained", features + np.float32(1e-3))
    elif change == "settings":
        settings = ProbeSettings(FEW.fractions, FEW.n_draws, (0.1,))
    else:
        row = Row("pretrained", features, n_components=3)
    linear_scores([row], other, settings, kept=tmp_path)
    assert len(list(tmp_path.glob("*.npz"))) == 4


def test_scores_that_are_not_what_was_written_are_computed_anew(tmp_path: Path) -> None:
    cohort, features = planted()
    row = Row("pretrained", features)
    every = ProbeSettings((1.0,))
    before = linear_scores([row], cohort, every, kept=tmp_path)
    (file,) = tmp_path.glob("*.npz")
    file.write_bytes(file.read_bytes()[:-40])
    after = linear_scores([row], cohort, every, kept=tmp_path)
    np.testing.assert_array_equal(before["pretrained", 1.0], after["pretrained", 1.0])
    assert len(file.read_bytes()) > 40


def test_another_share_of_the_labels_costs_that_share_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cohort, features = planted()
    row = Row("pretrained", features)
    alone = linear_scores([row], cohort, ProbeSettings((1.0, 0.25), 3), kept=None)
    linear_scores([row], cohort, FEW, kept=tmp_path)
    fitted: list[int] = []
    fit = probing.fit_linear_probe

    def counted(features: np.ndarray, *rest: Any) -> LinearProbe:
        fitted.append(len(features))
        return fit(features, *rest)

    monkeypatch.setattr(probing, "fit_linear_probe", counted)
    more = linear_scores([row], cohort, ProbeSettings((1.0, 0.25), 3), kept=tmp_path)
    assert len(fitted) == 3 * 3
    for key, scores in alone.items():
        np.testing.assert_array_equal(more[key], scores)
