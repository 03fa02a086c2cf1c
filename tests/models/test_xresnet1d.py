import json
from typing import Any, get_args

import numpy as np
import pytest
import torch
from torch import nn

from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS, LIMB_LEADS
from lsemvae.core.types import EcgInput
from lsemvae.models.xresnet1d import LAYOUTS, Variant, XResNet1d
from lsemvae.nn.xresnet import XResidualBlock
from tests.nn.plain_residual import plain_xresnet1d
from tests.nn.random_norms import numpy_state, randomise_norms

UNDER_CONTRACT = {
    "XResNet1d": {"width": 8},
    "XResNet1d, 34 layers": {"width": 8, "variant": "xresnet1d34"},
}

N_SAMPLES = 120
VARIANTS: tuple[Variant, ...] = get_args(Variant)


def small(variant: Variant, n_samples: int = N_SAMPLES, **arguments: Any) -> XResNet1d:
    """Return a narrow network with every batch normalisation away from its start."""
    torch.manual_seed(0)
    network = XResNet1d(n_samples, variant=variant, **{"width": 4, **arguments})
    randomise_norms(network)
    return network.eval()


@pytest.mark.parametrize(
    ("variant", "leads", "count"),
    [
        ("xresnet1d101", 12, 1_871_874),
        ("xresnet1d101", 6, 1_870_914),
        ("xresnet1d34", 12, 714_754),
        ("xresnet1d34", 6, 712_642),
    ],
)
def test_published_size_with_the_head(variant: Variant, leads: int, count: int) -> None:
    with torch.device("meta"):
        network = XResNet1d(leads=leads, variant=variant)
        head = network.own_head(2)
    parameters = [*network.parameters(), *head.parameters()]
    assert sum(parameter.numel() for parameter in parameters) == count


@pytest.mark.parametrize(
    ("variant", "stages", "expansion", "every"),
    [("xresnet1d101", (3, 4, 23, 3), 4, 1), ("xresnet1d34", (3, 4, 6, 3), 1, 2)],
)
def test_network_equals_the_plain_one(
    variant: Variant, stages: tuple[int, ...], expansion: int, every: int
) -> None:
    leads = ["I", "II", "V2"]
    network = small(variant, 45, leads=leads, width=8).double()
    ecg = torch.randn(2, 3, 45, dtype=torch.double)
    features = network.encode(ecg, leads).detach().numpy()
    assert (features.std(0) > 0).any()
    for record, feature in zip(ecg.numpy(), features, strict=True):
        expected = plain_xresnet1d(numpy_state(network), record, stages, expansion, every)
        np.testing.assert_allclose(feature, expected, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("variant", VARIANTS)
def test_stem_and_stages_halve_the_length_and_round_up(variant: Variant) -> None:
    network = small(variant, 5000)
    hidden = network.stem(torch.zeros(1, 12, 5000))
    assert hidden.shape == (1, 4, 1250)
    stages = LAYOUTS[variant].n_blocks
    shapes = [(hidden := block(hidden)).shape[1:] for block in network.blocks
              if isinstance(block, XResidualBlock)]  # fmt: skip
    lengths = [1250] * stages[0] + [625] * stages[1] + [313] * stages[2] + [157] * stages[3]
    assert shapes == [(4 * LAYOUTS[variant].expansion, length) for length in lengths]


def test_published_heads() -> None:
    kinds = {
        variant: [type(part) for part in XResNet1d(variant=variant).own_head(2).children()]
        for variant in VARIANTS
    }
    assert kinds["xresnet1d101"] == [
        nn.BatchNorm1d, nn.Dropout, nn.Linear, nn.ReLU, nn.BatchNorm1d, nn.Dropout, nn.Linear,
    ]  # fmt: skip
    assert kinds["xresnet1d34"] == [nn.Linear, nn.BatchNorm1d, nn.Linear]
    head = XResNet1d().own_head()
    assert [part.p for part in head.children() if isinstance(part, nn.Dropout)] == [0.25, 0.5]


def test_dropout_stands_between_the_blocks_of_the_34_layer_variant_only() -> None:
    kinds = [type(part) for part in small("xresnet1d34").blocks]
    assert kinds == [XResidualBlock, nn.Dropout] * 15 + [XResidualBlock]
    assert {type(part) for part in small("xresnet1d101").blocks} == {XResidualBlock}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("n_samples", [1, 2, 7, 119, 120, 999, 2250])
def test_any_length_is_encoded(variant: Variant, n_samples: int) -> None:
    network = small(variant, n_samples)
    features = network.encode(torch.randn(2, 12, n_samples), LEADS)
    assert features.shape == (2, network.feature_dim(LEADS))
    assert network.feature_dim(LEADS) == 8 * LAYOUTS[variant].expansion
    assert torch.isfinite(features).all()
    assert network.own_head(3)(features).shape == (2, 3)


def test_every_wrong_argument_is_reported_at_once() -> None:
    with pytest.raises(InputError) as report:
        XResNet1d(0, variant="xresnet1d50", width=5)  # type: ignore[arg-type]
    for part in (
        "n_samples must be 1 or more, got 0",
        "one of xresnet1d101, xresnet1d34, got 'xresnet1d50'",
        "width must be an even number of 2 or more, got 5",
    ):
        assert part in str(report.value)


@pytest.mark.parametrize("variant", VARIANTS)
def test_leads_are_found_by_name(variant: Variant) -> None:
    network, ecg = small(variant), torch.randn(2, 12, N_SAMPLES)
    order = torch.randperm(12).tolist()
    permuted = network.encode(ecg[:, order], [LEADS[i] for i in order])
    assert torch.equal(permuted, network.encode(ecg, LEADS))


@pytest.mark.parametrize("variant", VARIANTS)
def test_six_leads_have_a_network_of_their_own(variant: Variant) -> None:
    ecg_input = EcgInput(100.0, N_SAMPLES, (0.5, 40.0), "record")
    arguments = XResNet1d.input_args(ecg_input, LIMB_LEADS)
    network = XResNet1d(**arguments, variant=variant, width=4).eval()
    ecg = torch.randn(2, 6, N_SAMPLES)
    swapped = [0, 1, 2, 3, 5, 4]  # aVF before aVL, as MIMIC-IV-ECG has them
    features = network.encode(ecg[:, swapped], [LIMB_LEADS[i] for i in swapped])
    assert torch.equal(features, network.encode(ecg, LIMB_LEADS))
    with pytest.raises(InputError, match="was built for the leads I, II, III, aVR, aVL, aVF and"):
        network.encode(torch.zeros(2, 12, N_SAMPLES), LEADS)


@pytest.mark.parametrize("variant", VARIANTS)
def test_absent_leads_are_zeros(variant: Variant) -> None:
    network, ecg = small(variant), torch.randn(3, 12, N_SAMPLES)
    present = torch.rand(3, 12) > 0.4
    filled = torch.where(present.unsqueeze(-1), ecg, torch.nan)
    zeroed = torch.where(present.unsqueeze(-1), ecg, 0.0)
    assert torch.equal(network.encode(filled, LEADS, present), network.encode(zeroed, LEADS))


@pytest.mark.parametrize("variant", VARIANTS)
def test_one_recording_is_encoded_but_not_trained_on(variant: Variant) -> None:
    network, ecg = small(variant), torch.randn(2, 12, N_SAMPLES)
    alone = network.encode(ecg[:1], LEADS)
    torch.testing.assert_close(alone, network.encode(ecg, LEADS)[:1], rtol=1e-4, atol=1e-4)
    with pytest.raises(InputError, match="two or more recordings"):
        network.train().encode(ecg[:1], LEADS)


@pytest.mark.parametrize("variant", VARIANTS)
def test_dropout_is_off_in_evaluation(variant: Variant) -> None:
    network, ecg = small(variant), torch.randn(2, 12, N_SAMPLES)
    assert torch.equal(network.encode(ecg, LEADS), network.encode(ecg, LEADS))
    network.train()
    repeats = torch.equal(network.encode(ecg, LEADS), network.encode(ecg, LEADS))
    assert repeats == (LAYOUTS[variant].dropout == 0.0)


@pytest.mark.parametrize("variant", VARIANTS)
def test_blocks_start_as_their_identity_and_convolutions_by_fan_in(variant: Variant) -> None:
    torch.manual_seed(0)
    network = XResNet1d(variant=variant)
    blocks = [block for block in network.blocks if isinstance(block, XResidualBlock)]
    assert all(not block.layers[-1][1].weight.any() for block in blocks)
    zeros = sum(not part.weight.any() for part in network.modules()
                if isinstance(part, nn.BatchNorm1d))  # fmt: skip
    assert zeros == len(blocks)
    weight = blocks[0].layers[-2][0].weight.detach()
    assert weight.shape == (64, 64, 5)
    assert float(weight.std()) == pytest.approx((2 / (64 * 5)) ** 0.5, rel=0.03)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_parameter_gets_a_gradient(variant: Variant) -> None:
    # Training in several processes fails on a parameter without one, from the first step on.
    torch.manual_seed(0)
    network, ecg = XResNet1d(N_SAMPLES, variant=variant, width=4), torch.randn(8, 12, N_SAMPLES)
    network.encode(ecg, LEADS).square().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    network.zero_grad()
    with torch.no_grad():
        for part in network.modules():
            if isinstance(part, nn.BatchNorm1d):
                part.weight.fill_(1.0)
    network.encode(ecg, LEADS).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.any(), name


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_network_is_built_again_from_plain_values(variant: Variant) -> None:
    network = small(variant, leads=["V1", "II"])
    again = XResNet1d.from_plain(json.loads(json.dumps(network.init_args))).eval()
    again.load_state_dict(network.state_dict())
    ecg = torch.randn(2, 2, N_SAMPLES)
    assert torch.equal(again.encode(ecg, ["II", "V1"]), network.encode(ecg, ["II", "V1"]))
    assert again.init_args == network.init_args


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_learns_which_recordings_have_a_wave(variant: Variant) -> None:
    torch.manual_seed(0)
    network = XResNet1d(N_SAMPLES, variant=variant, width=4)
    head = network.own_head()
    label = torch.arange(16).remainder(2).float()
    wave = torch.sin(torch.arange(N_SAMPLES) / 3.0)
    ecg = 0.5 * torch.randn(16, 12, N_SAMPLES) + label.view(16, 1, 1) * wave
    optimiser = torch.optim.AdamW([*network.parameters(), *head.parameters()], lr=1e-2)
    losses = []
    for _ in range(15):
        logit = head(network.encode(ecg, LEADS)).squeeze(-1)
        loss = nn.functional.binary_cross_entropy_with_logits(logit, label)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.25 * losses[0]
