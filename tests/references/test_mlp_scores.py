import numpy as np
import torch

from lsemvae.heads.mlp import MlpSettings, train_heads
from lsemvae.references.mlp_scores import mlp_scores
from lsemvae.references.probing import trainings
from lsemvae.references.rows import PCA, Row
from tests.references.test_probing import FEW, planted

QUICK = MlpSettings(epochs=3, lr=0.01)


def test_few_labels_are_those_of_the_linear_probes_draws() -> None:
    cohort, features = planted()
    found = mlp_scores([Row("pretrained", features)], cohort, QUICK, draws=FEW)
    assert {key: scores.shape for key, scores in found.items()} == {
        ("pretrained", 1.0): (1, 1, 90), ("pretrained", 0.5): (1, 3, 90),
    }  # fmt: skip
    label, fold = (torch.tensor(cohort[name].to_numpy()) for name in ("label", "fold"))
    for one in trainings(cohort, FEW):
        part = torch.tensor(features)[fold != one.fold]
        scaled = (torch.tensor(features) - part.mean(0)) / part.std(0)
        alone = train_heads(scaled[None], label.float(), [one.rows], QUICK)[0]
        mine = found["pretrained", one.fraction][0, one.draw, one.held_out]
        np.testing.assert_allclose(mine, alone.numpy()[one.held_out], atol=1e-4)


def test_the_label_of_a_held_out_record_has_no_say_in_its_score() -> None:
    cohort, features = planted()
    rows = [Row("pretrained", features), Row(PCA, features, n_components=3)]
    before = mlp_scores(rows, cohort, QUICK, draws=FEW)
    changed = cohort.assign(label=cohort["label"].where(cohort["fold"] != 1, 1 - cohort["label"]))
    after = mlp_scores(rows, changed, QUICK, draws=FEW)
    mine = (cohort["fold"] == 1).to_numpy()
    for key, scores in before.items():
        np.testing.assert_array_equal(scores[..., mine], after[key][..., mine])
        assert not np.array_equal(scores[..., ~mine], after[key][..., ~mine])
        assert np.isfinite(scores).all()
