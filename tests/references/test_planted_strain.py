"""Labels that need what recordings alone can teach: the probe must see the gap, and no other.

First with the encoder that ships, which saw real recordings, on SYNTHETIC ones. Then with the
closed form of a linear autoencoder of simulated median beats without labels, whose twin is the same
linear map with random weights.
"""

import numpy as np
import pandas as pd
import pytest
import torch

from data_modules.signals.median_beat import median_beat
from data_modules.simulation.ecg import simulate_ecg
from data_modules.simulation.heart import draw_patients
from lsemvae.core.leads import LEADS
from lsemvae.evaluation.worth import LINEAR, worth_sentence, worth_table
from lsemvae.models import EcgNetwork, load_pretrained
from lsemvae.models.untrained import untrained_network
from lsemvae.references.probing import ProbeSettings, linear_scores
from lsemvae.references.rows import Row

N_UNLABELLED, N_LABELLED, N_FEATURES = 150, 300, 4
RATE_HZ, NOISE_MV = 100.0, 0.2
FEW = ProbeSettings(fractions=(1.0, 0.05), n_draws=6)


def simulated(random: np.random.Generator, n_patients: int) -> tuple[np.ndarray, np.ndarray]:
    """Return recordings (N, 12, T) of right-ventricular strain 0 to 1, and the strain."""
    strain = random.uniform(size=n_patients)
    patients = draw_patients(
        random.normal(65, 5, n_patients), rv_strain=strain,
        left_strain=0.3 * random.random(n_patients), age_years=np.full(n_patients, 60.0),
        atrial_fibrillation=np.zeros(n_patients, bool), rng=random,
    )  # fmt: skip
    return simulate_ecg(patients, sampling_rate_hz=RATE_HZ, duration_s=3.0, rng=random), strain


@pytest.fixture(scope="module")
def strained() -> tuple[np.ndarray, np.ndarray]:
    """Return beats (N, 12 T) of such patients, and the strain."""
    random = np.random.default_rng(0)
    ecg, strain = simulated(random, N_UNLABELLED + N_LABELLED)
    beats = np.stack([median_beat(one, np.ones(12, bool), RATE_HZ) for one in ecg])
    noisy = beats + NOISE_MV * random.normal(size=beats.shape)
    return noisy.reshape(len(beats), -1), strain


def encoders(beats: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return features of the trained linear map and of an untrained one, (N, F) each."""
    centred = beats - beats[:N_UNLABELLED].mean(0)
    _, _, axes = np.linalg.svd(centred[:N_UNLABELLED], full_matrices=False)
    random = np.random.default_rng(seed).normal(size=(beats.shape[1], N_FEATURES))
    labelled = centred[N_UNLABELLED:]
    return (labelled @ axes[:N_FEATURES].T).astype(np.float32), (labelled @ random).astype(
        np.float32
    )


def labelled_cohort(strain: np.ndarray) -> pd.DataFrame:
    number = np.arange(len(strain))
    return pd.DataFrame(
        {"patient_id": number.astype(str), "row": number, "fold": number % 5,
         "label": (strain > 0.5).astype(float)}
    )  # fmt: skip


def features_of(network: EcgNetwork, ecg: torch.Tensor) -> np.ndarray:
    with torch.inference_mode():
        return network.encode(ecg, LEADS).numpy()


def test_the_shipped_encoder_is_worth_something_at_five_per_cent_of_the_labels() -> None:
    random = np.random.default_rng(0)
    ecg, strain = simulated(random, 200)
    recordings = torch.from_numpy(ecg + NOISE_MV * random.normal(size=ecg.shape)).float()
    recordings = recordings - recordings.mean(-1, keepdim=True)
    recordings /= recordings[:, :6].square().mean((1, 2), keepdim=True).sqrt()
    shipped = load_pretrained("public").network
    short = type(shipped).from_plain({**shipped.init_args, "n_samples": ecg.shape[-1]}).eval()
    short.load_state_dict(shipped.state_dict())
    rows = [Row("pretrained", features_of(short, recordings))]
    rows += [
        Row("untrained", features_of(untrained_network(short, seed), recordings))
        for seed in range(5)
    ]
    cohort = labelled_cohort(strain)
    few = ProbeSettings(fractions=(0.05,), n_draws=6)
    table = worth_table(cohort, {LINEAR: linear_scores(rows, cohort, few)}).set_index("row")
    assert table.loc["untrained", "difference_low"] > 0
    assert table.loc["pretrained", "auroc"] > 0.9


def test_what_recordings_alone_can_teach_is_worth_something_at_five_per_cent_of_the_labels(
    strained: tuple[np.ndarray, np.ndarray],
) -> None:
    beats, strain = strained
    cohort = labelled_cohort(strain[N_UNLABELLED:])
    twins = [Row("untrained", encoders(beats, seed)[1]) for seed in range(5)]
    rows = [Row("pretrained", encoders(beats, 0)[0]), *twins]
    table = worth_table(cohort, {LINEAR: linear_scores(rows, cohort, FEW)})
    few = table[table["fraction"] == 0.05].set_index("row")
    assert few.loc["untrained", "difference_low"] > 0
    assert "5 % of the training patients' labels pre-training was worth +" in worth_sentence(
        table, "12L", "simulated (SYNTHETIC)"
    )


def test_an_encoder_that_learned_nothing_is_worth_nothing(
    strained: tuple[np.ndarray, np.ndarray],
) -> None:
    beats, strain = strained
    cohort = labelled_cohort(strain[N_UNLABELLED:])
    twins = [Row("untrained", encoders(beats, seed)[1]) for seed in range(5)]
    rows = [Row("pretrained", encoders(beats, 77)[1]), *twins]
    table = worth_table(cohort, {LINEAR: linear_scores(rows, cohort, FEW)})
    lows, highs = (
        table[table["row"] == "untrained"][name].to_numpy()
        for name in ("difference_low", "difference_high")
    )
    assert ((lows <= 0) & (highs >= 0)).all()
