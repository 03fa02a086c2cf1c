from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import torch
from scipy.special import expit

from data_modules.normalise import normalise
from data_modules.rhc_cohort import RhcCohort
from lsemvae.cli import main
from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS
from lsemvae.core.types import EcgBatch
from lsemvae.crossval.fold_models import load_fold
from lsemvae.deployment.model_file import read_model
from lsemvae.models import load_pretrained
from lsemvae.tasks import Classifier
from tests.conftest import cv

METHOD = ["--method", "ls_emvae_lead_means"]
RUN = "detection/ls_emvae_lead_means/12L"


@pytest.fixture(scope="module")
def runs(cohort: Path, encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of two methods that read one checkpoint by different features."""
    out = tmp_path_factory.mktemp("features")
    assert cv(cohort, encoder, out) == 0
    assert cv(cohort, encoder, out, *METHOD, "--epochs", "20", "--lr", "0.01") == 0
    return out


def _recordings(cohort: Path) -> EcgBatch:
    data = RhcCohort(str(cohort), normalisation="record")
    batch: EcgBatch = data.dataset(np.arange(len(data.pool))).__getitems__([*range(60)])
    return normalise(batch, "record")


def _features_by_hand(encoder: Path, batch: EcgBatch) -> npt.NDArray[np.float32]:
    """Return the mean of each lead's own expert, lead by lead in canonical order, (N, 12 D)."""
    network = load_pretrained(str(encoder)).network
    assert list(batch.leads) == list(LEADS)
    with torch.inference_mode():
        both = network.get_submodule("encoders")(batch.ecg, batch.leads)
    return both[..., : both.shape[-1] // 2].flatten(1).numpy()


def _kept(runs: Path) -> Sequence[Path]:
    files = (runs / "features").glob("*.npy")
    return [file for file in files if not file.name.endswith(".uncertainty.npy")]


def test_methods_that_read_one_checkpoint_differently_share_no_features(
    runs: Path, cohort: Path, encoder: Path
) -> None:
    kept = {np.load(file).shape[1]: np.load(file) for file in _kept(runs)}
    latent_dim = load_pretrained(str(encoder)).network.feature_dim(LEADS)
    assert sorted(kept) == [latent_dim, 12 * latent_dim]
    by_hand = _features_by_hand(encoder, _recordings(cohort))
    np.testing.assert_allclose(kept[12 * latent_dim], by_hand, rtol=1e-4, atol=1e-5)


def test_a_locked_model_predicts_with_the_feature_of_its_run(
    runs: Path, cohort: Path, encoder: Path, tmp_path: Path
) -> None:
    model, out = tmp_path / "model.safetensors", tmp_path / "predictions.csv"
    files = ["--cohort", str(cohort), "--encoder", str(encoder), "--out", str(model)]
    assert main(["lock", str(runs / RUN), *files, "--withhold", "0"]) == 0
    assert main(["predict", str(model), str(cohort), "--out", str(out), "--allow_trained_on"]) == 0

    batch = _recordings(cohort)
    features = torch.from_numpy(_features_by_hand(encoder, batch))
    ecg_input = RhcCohort(str(cohort), normalisation="record").ecg_input
    tasks = [load_fold(runs / RUN / f"fold_{k}", str(encoder), ecg_input) for k in range(3)]
    with torch.inference_mode():
        logit = torch.stack([task.head(features) for task in tasks]).mean(0).squeeze(-1).numpy()
    line = read_model(model).network.description.recalibration
    expected = expit(line.intercept + line.slope * logit)
    np.testing.assert_allclose(pd.read_csv(out)["probability"], expected, atol=1e-5)


def test_a_head_is_not_put_on_another_feature_of_its_encoder(encoder: Path) -> None:
    means = Classifier(encoder=str(encoder), feature="lead_means", leads="II")
    checkpoint = {"state_dict": means.state_dict()}
    means.on_save_checkpoint(checkpoint)
    other = Classifier(encoder=str(encoder), leads="II")  # as many features, of another meaning
    with pytest.raises(InputError, match="trained on the feature lead_means"):
        other.on_load_checkpoint(checkpoint)


def test_the_feature_of_the_pretraining_is_the_same_said_or_not(encoder: Path) -> None:
    own = Classifier(encoder=str(encoder), feature="mixture_mean")
    checkpoint = {"state_dict": own.state_dict()}
    own.on_save_checkpoint(checkpoint)
    plain = Classifier(encoder=str(encoder))
    plain.on_load_checkpoint(checkpoint)  # the feature that it was trained with, said or not
    assert plain.encoder_feature is None
