import json
from typing import Any

import numpy as np
import pytest
import torch

from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS, LIMB_LEADS
from lsemvae.core.types import EcgInput
from lsemvae.models.resnet1d import ResNet1d
from tests.nn.plain_residual import plain_resnet1d
from tests.nn.random_norms import numpy_state, randomise_norms

UNDER_CONTRACT = {"ResNet1d": {"width": 8}}

N_SAMPLES = 120


def small(n_samples: int = N_SAMPLES, **arguments: Any) -> ResNet1d:
    """Return a narrow network with every batch normalisation away from its start."""
    torch.manual_seed(0)
    network = ResNet1d(n_samples, **{"width": 4, **arguments})
    randomise_norms(network)
    return network.eval()


@pytest.mark.parametrize(("leads", "count"), [(12, 18_322_498), (6, 18_319_810)])
def test_published_size_with_the_head(leads: int, count: int) -> None:
    with torch.device("meta"):
        network = ResNet1d(leads=leads)
        head = network.own_head(2)
    parameters = [*network.parameters(), *head.parameters()]
    assert sum(parameter.numel() for parameter in parameters) == count


@pytest.mark.parametrize(("n_samples", "stride", "n_blocks"), [(20, 3, 10), (41, 2, 6), (7, 3, 3)])
def test_network_equals_the_plain_one(n_samples: int, stride: int, n_blocks: int) -> None:
    leads = ["I", "II", "V2"]
    network = small(n_samples, leads=leads, width=2, stride=stride, n_blocks=n_blocks).double()
    ecg = torch.randn(2, 3, n_samples, dtype=torch.double)
    features = network.encode(ecg, leads).detach().numpy()
    assert (features.std(0) > 0).any()
    for record, feature in zip(ecg.numpy(), features, strict=True):
        expected = plain_resnet1d(numpy_state(network), record, stride, n_blocks)
        np.testing.assert_allclose(feature, expected, rtol=1e-9, atol=1e-12)


def test_every_second_block_strides_and_every_fourth_doubles_the_channels() -> None:
    network = small(5000)
    hidden = network.stem(torch.zeros(1, 12, 5000))
    shapes = [(hidden := block(hidden)).shape[1:] for block in network.blocks]
    lengths = [5000, 1667, 1667, 556, 556, 186, 186, 62, 62, 21, 21, 7, 7, 3, 3, 1]
    widths = [4] * 4 + [8] * 4 + [16] * 4 + [32] * 4
    assert shapes == list(zip(widths, lengths, strict=True))


@pytest.mark.parametrize("n_samples", [1, 2, 7, 119, 120, 999, 2250])
def test_any_length_is_encoded(n_samples: int) -> None:
    network = small(n_samples)
    features = network.encode(torch.randn(2, 12, n_samples), LEADS)
    assert features.shape == (2, network.feature_dim(LEADS)) == (2, 32)
    assert torch.isfinite(features).all()
    assert network.own_head(3)(features).shape == (2, 3)


def test_every_wrong_argument_is_reported_at_once() -> None:
    with pytest.raises(InputError) as report:
        ResNet1d(0, width=0, dropout=1.0)
    for part in (
        "n_samples must be 1 or more, got 0",
        "width must be",
        "dropout must be in [0, 1)",
    ):
        assert part in str(report.value)


def test_leads_are_found_by_name() -> None:
    network, ecg = small(), torch.randn(2, 12, N_SAMPLES)
    order = torch.randperm(12).tolist()
    permuted = network.encode(ecg[:, order], [LEADS[i] for i in order])
    assert torch.equal(permuted, network.encode(ecg, LEADS))


def test_six_leads_have_a_network_of_their_own() -> None:
    ecg_input = EcgInput(500.0, N_SAMPLES, (0.5, 40.0), "record")
    network = ResNet1d(**ResNet1d.input_args(ecg_input, LIMB_LEADS), width=4).eval()
    ecg = torch.randn(2, 6, N_SAMPLES)
    swapped = [0, 1, 2, 3, 5, 4]  # aVF before aVL, as MIMIC-IV-ECG has them
    features = network.encode(ecg[:, swapped], [LIMB_LEADS[i] for i in swapped])
    assert torch.equal(features, network.encode(ecg, LIMB_LEADS))
    with pytest.raises(InputError, match="was built for the leads I, II, III, aVR, aVL, aVF and"):
        network.encode(torch.zeros(2, 12, N_SAMPLES), LEADS)


def test_absent_leads_are_zeros() -> None:
    network, ecg = small(), torch.randn(3, 12, N_SAMPLES)
    present = torch.rand(3, 12) > 0.4
    filled = torch.where(present.unsqueeze(-1), ecg, torch.nan)
    zeroed = torch.where(present.unsqueeze(-1), ecg, 0.0)
    assert torch.equal(network.encode(filled, LEADS, present), network.encode(zeroed, LEADS))


def test_one_recording_is_encoded_but_not_trained_on() -> None:
    network, ecg = small(), torch.randn(2, 12, N_SAMPLES)
    alone = network.encode(ecg[:1], LEADS)
    torch.testing.assert_close(alone, network.encode(ecg, LEADS)[:1])
    with pytest.raises(InputError, match="two or more recordings"):
        network.train().encode(ecg[:1], LEADS)


def test_dropout_is_random_in_training_and_off_in_evaluation() -> None:
    network, ecg = small(), torch.randn(2, 12, N_SAMPLES)
    assert torch.equal(network.encode(ecg, LEADS), network.encode(ecg, LEADS))
    network.train()
    assert not torch.equal(network.encode(ecg, LEADS), network.encode(ecg, LEADS))
    without = small(dropout=0.0).train()
    assert torch.equal(without.encode(ecg, LEADS), without.encode(ecg, LEADS))


def test_all_that_can_be_trained_gets_a_gradient() -> None:
    # Training in several processes fails on a trainable parameter without one.
    network = small().train()
    network.encode(torch.randn(4, 12, N_SAMPLES), LEADS).square().sum().backward()
    unused = {name for name, value in network.named_parameters() if not value.requires_grad}
    assert unused == {"blocks.0.norm_1.weight", "blocks.0.norm_1.bias"}
    for name, parameter in network.named_parameters():
        if name not in unused:
            assert parameter.grad is not None, name
            assert torch.isfinite(parameter.grad).all(), name
            # BN takes out the mean, and with it the gradient of a bias before it
            assert parameter.grad.any() or name.endswith("conv_1.bias"), name


def test_a_network_is_built_again_from_plain_values() -> None:
    network = small(leads=["V1", "II"], dropout=0.2, n_blocks=5)
    again = ResNet1d.from_plain(json.loads(json.dumps(network.init_args))).eval()
    again.load_state_dict(network.state_dict())
    ecg = torch.randn(2, 2, N_SAMPLES)
    assert torch.equal(again.encode(ecg, ["II", "V1"]), network.encode(ecg, ["II", "V1"]))
    assert again.init_args == network.init_args


def test_it_learns_which_recordings_have_a_wave() -> None:
    torch.manual_seed(0)
    network = ResNet1d(N_SAMPLES, width=4, dropout=0.0)
    head = network.own_head()
    label = torch.arange(8).remainder(2).float()
    wave = torch.sin(torch.arange(N_SAMPLES) / 3.0)
    ecg = 0.5 * torch.randn(8, 12, N_SAMPLES) + label.view(8, 1, 1) * wave
    optimiser = torch.optim.AdamW([*network.parameters(), *head.parameters()], lr=1e-2)
    losses = []
    for _ in range(15):
        logit = head(network.encode(ecg, LEADS)).squeeze(-1)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logit, label)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.25 * losses[0]
