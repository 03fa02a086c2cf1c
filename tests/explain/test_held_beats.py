"""Networks that look for beats are explained with the beats of the recording itself."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lsemvae.core.leads import LEADS
from lsemvae.core.types import EcgBatch
from lsemvae.explain.attribution import AttributionSettings, attribute
from lsemvae.explain.logit import MillivoltLogit, Recordings
from lsemvae.models import BeatLsEmvae
from lsemvae.nn.heart_beats import N_RHYTHM
from tests.nn.test_heart_beats import recording

FEW = AttributionSettings(n_steps=32)


class LinearHead(nn.Module):
    """A weighted sum of the features of a network."""

    def __init__(self, network: BeatLsEmvae, weight: Tensor) -> None:
        super().__init__()
        self.network, self.weight = network, weight

    def forward(self, batch: EcgBatch) -> Tensor:
        return self.network.encode(batch.ecg, batch.leads, batch.present) @ self.weight


@pytest.fixture
def network() -> BeatLsEmvae:
    torch.manual_seed(0)
    return BeatLsEmvae(1000, 4)


@pytest.fixture
def given() -> Recordings:
    torch.manual_seed(1)
    both = torch.cat([recording([100, 220, 340, 460, 580, 700, 820]), recording([130, 300, 660])])
    ecg = both + 0.02 * torch.randn_like(both)
    present = torch.ones(2, 12, dtype=torch.bool)
    return Recordings(ecg, ecg.std(-1), present, LEADS, "lead")


def test_attributions_add_up_for_a_network_that_looks_for_beats(
    network: BeatLsEmvae, given: Recordings
) -> None:
    weight = torch.randn(network.feature_dim(LEADS), generator=torch.Generator().manual_seed(2))
    weight[-N_RHYTHM:] = 5.0
    found = attribute(LinearHead(network, 0.1 * weight), given, settings=FEW)
    assert found.value.abs().sum() > 1.0
    batch = EcgBatch(
        torch.zeros_like(given.ecg_mv), given.scale, given.present, LEADS, *[torch.empty(0)] * 3
    )  # type: ignore[arg-type]
    with torch.no_grad():
        flat = LinearHead(network, 0.1 * weight)(batch)
    # The flat line's own rhythm is none: the difference to it is no sum over samples.
    assert (found.value.sum((1, 2)) - (found.logit - flat)).abs().min() > 0.1


def test_the_rhythm_belongs_to_no_sample(network: BeatLsEmvae, given: Recordings) -> None:
    weight = torch.zeros(network.feature_dim(LEADS))
    weight[-N_RHYTHM:] = 5.0
    with torch.no_grad():
        ready = (given.ecg_mv - given.ecg_mv.mean(-1, keepdim=True)) / given.scale.unsqueeze(-1)
        features = network.encode(ready, LEADS, given.present)
    assert features[:, -N_RHYTHM:].abs().sum() > 0
    found = attribute(LinearHead(network, weight), given, settings=FEW)
    torch.testing.assert_close(found.value, torch.zeros_like(found.value))


def test_beats_are_those_of_each_call_again_afterwards(
    network: BeatLsEmvae, given: Recordings
) -> None:
    before = network.encode(given.ecg_mv, LEADS)
    with network.held_at(given.ecg_mv.flip(0), given.present) as beats:
        other = network.encode(beats(given.ecg_mv), LEADS)
    assert not torch.equal(before, other)
    torch.testing.assert_close(network.encode(given.ecg_mv, LEADS), before)


def test_gradients_summed_behind_the_cut_are_those_of_the_recording(
    network: BeatLsEmvae, given: Recordings
) -> None:
    weight = torch.randn(network.feature_dim(LEADS), generator=torch.Generator().manual_seed(2))
    model, few = LinearHead(network, 0.1 * weight), AttributionSettings(n_steps=6, batch_size=5)
    logit = MillivoltLogit(model, leads=LEADS, normalisation=given.normalisation)
    baseline = 0.1 * given.ecg_mv.flip(0)
    nodes, sizes = np.polynomial.legendre.leggauss(6)
    slow = torch.zeros_like(given.ecg_mv)
    for node, size in zip(nodes.tolist(), sizes.tolist(), strict=True):  # one point at a time
        at = baseline + (node + 1) / 2 * (given.ecg_mv - baseline)
        at.requires_grad_()
        (gradient,) = torch.autograd.grad(logit(at, *given[1:3], given.ecg_mv).sum(), at)
        slow += size / 2 * gradient * (given.ecg_mv - baseline)
    found = attribute(model, given, baseline_mv=baseline, settings=few, check=False)
    assert slow.abs().max() > 1e-3
    torch.testing.assert_close(found.value, slow, rtol=1e-4, atol=1e-5)
