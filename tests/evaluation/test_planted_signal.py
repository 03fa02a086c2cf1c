"""Patients who differ in lead II's P wave alone: the explanation must name lead II and the P."""

import numpy as np
import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from data_modules.normalise import normalise
from data_modules.signals.median_beat import median_beat
from data_modules.signals.settings import BEFORE_R_S
from data_modules.simulation.ecg import simulate_ecg
from data_modules.simulation.heart import draw_patients
from lsemvae.core.leads import LEADS
from lsemvae.core.types import EcgBatch
from lsemvae.explain.attribution import Attribution, attribute, lead_shares
from lsemvae.explain.logit import Recordings
from lsemvae.explain.randomisation import rank_agreement, with_shuffled_weights
from lsemvae.explain.waves import WAVES, wave_shares
from lsemvae.models import LsEmvae
from lsemvae.tasks import Classifier

RATE_HZ = 100.0
PLANTED_MV = 0.3
P_PEAK_S = -0.15
# By construction of the synthetic heart: first and last second of a wave around the R peak.
WAVE_S = {"P": (-0.22, -0.08), "QRS": (-0.06, 0.06), "T": (0.14, 0.42)}


def planted_beats(n_patients: int, seed: int) -> EcgBatch:
    """Return median beats in mV of alike patients; every second has a tall P wave in lead II."""
    rng = np.random.default_rng(seed)
    patients = draw_patients(
        rng.normal(60, 5, n_patients), rv_strain=0.3 * rng.random(n_patients),
        left_strain=0.3 * rng.random(n_patients), age_years=np.full(n_patients, 60.0),
        atrial_fibrillation=np.zeros(n_patients, bool), rng=rng,
    )  # fmt: skip
    ecg = simulate_ecg(patients, sampling_rate_hz=RATE_HZ, duration_s=4.0, rng=rng)
    everything = np.ones(12, bool)
    beats = np.stack([median_beat(one, everything, RATE_HZ) for one in ecg]).astype(np.float32)
    beats -= beats.mean(-1, keepdims=True)
    label = np.arange(n_patients, dtype=np.float32) % 2
    p_wave = np.exp(-0.5 * ((time_s(beats.shape[-1]) - P_PEAK_S) / 0.02) ** 2)
    beats[:, LEADS.index("II")] += PLANTED_MV * label[:, None] * p_wave
    nobody = np.empty(0, object)
    present = torch.ones(n_patients, 12, dtype=torch.bool)
    scale = torch.ones(n_patients, 1)
    return EcgBatch(
        torch.from_numpy(beats), scale, present, LEADS, torch.from_numpy(label), nobody, nobody
    )


def time_s(n_samples: int) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return np.arange(n_samples) / RATE_HZ - BEFORE_R_S


@pytest.fixture(scope="module")
def trained() -> Classifier:
    """Return a tiny LS-EMVAE, trained to find the patients with the tall P wave."""
    torch.manual_seed(0)
    batch = normalise(planted_beats(192, seed=0), "record")
    task = Classifier(LsEmvae(batch.ecg.shape[-1], 8))
    # Strong decay, so that the network forgets what the label does not depend on.
    optimiser = torch.optim.AdamW(task.parameters(), lr=3e-3, weight_decay=3.0)
    for _ in range(100):
        chosen = torch.randperm(len(batch.ecg))[:48]
        part = batch._replace(ecg=batch.ecg[chosen], present=batch.present[chosen])
        loss = binary_cross_entropy_with_logits(task(part), batch.label[chosen])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return task.eval()


@pytest.fixture(scope="module")
def held_out() -> EcgBatch:
    return planted_beats(48, seed=1)


def recordings(batch: EcgBatch) -> Recordings:
    scale = normalise(batch, "record").scale
    return Recordings(batch.ecg, scale, batch.present, LEADS, "record")


@pytest.fixture(scope="module")
def explained(trained: Classifier, held_out: EcgBatch) -> Attribution:
    return attribute(trained, recordings(held_out))


def test_planted_signal_is_learned(trained: Classifier, held_out: EcgBatch) -> None:
    right = (trained(normalise(held_out, "record")) > 0) == (held_out.label > 0)
    assert right.float().mean() > 0.95


def test_lead_with_the_planted_signal_ranks_first(
    explained: Attribution, held_out: EcgBatch
) -> None:
    share = lead_shares(explained.value, held_out.present).mean(0)
    assert LEADS[int(share.argmax())] == "II"
    assert share.max() > 2 * share.sort().values[-2]


def test_wave_with_the_planted_signal_ranks_first(
    explained: Attribution, held_out: EcgBatch
) -> None:
    time = time_s(held_out.ecg.shape[-1])
    labels = np.full((len(held_out.ecg), len(time)), WAVES.index("other"), np.int8)
    for wave, (first, last) in WAVE_S.items():
        labels[:, (time >= first) & (time <= last)] = WAVES.index(wave)
    positive = held_out.label.numpy() > 0
    share, _ = wave_shares(explained.value.numpy()[positive], labels[positive])
    by_lead_and_wave = share.mean(0)
    lead, wave = np.unravel_index(by_lead_and_wave.argmax(), by_lead_and_wave.shape)
    assert (LEADS[lead], WAVES[wave]) == ("II", "P")
    assert by_lead_and_wave.sum(0)[WAVES.index("P")] > 0.4


def test_explanation_depends_on_the_weights(
    trained: Classifier, explained: Attribution, held_out: EcgBatch
) -> None:
    shuffled = with_shuffled_weights(trained, seed=0)
    other = attribute(shuffled, recordings(held_out), check=False)
    agreement = rank_agreement(explained.value.numpy(), other.value.numpy())
    assert agreement.max() < 0.8
    share = lead_shares(other.value, held_out.present).mean(0)
    assert share[LEADS.index("II")] < 0.3
