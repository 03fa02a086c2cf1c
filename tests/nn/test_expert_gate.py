import math

import pytest
import torch

from lsemvae.nn.gate import ExpertGate, uniform_weights
from tests.nn.test_experts import ALL, LATENT_DIM, N_EXPERTS, one_dimension, random_experts


def gate_with_random_scorers(floor: float = 0.0) -> ExpertGate:
    gate = ExpertGate(N_EXPERTS, LATENT_DIM, floor=floor)
    torch.manual_seed(1)
    torch.nn.init.normal_(gate.weight)
    torch.nn.init.normal_(gate.bias)
    return gate


@torch.no_grad()
def test_gate_by_hand() -> None:
    gate = ExpertGate(3, 1)
    gate.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 2.0], [9.0, 9.0]]))
    gate.bias.copy_(torch.tensor([0.0, 1.0, 9.0]))
    mean, logvar = one_dimension(math.log(2), 5.0), one_dimension(7.0, -0.5)
    weight = gate(mean, logvar, ALL[:, :2], [0, 1])  # scores ln 2 and 2 * -.5 + 1
    torch.testing.assert_close(weight, torch.tensor([[2 / 3, 1 / 3]]))


def test_a_new_gate_weighs_all_experts_alike() -> None:
    mean, logvar, _ = random_experts(0)
    gate = ExpertGate(N_EXPERTS, LATENT_DIM)
    weight = gate(mean.float(), logvar.float(), ALL, list(range(N_EXPERTS)))
    torch.testing.assert_close(weight, torch.full((1, N_EXPERTS), 1 / N_EXPERTS))


@pytest.mark.parametrize("floor", [0.0, 0.3])
def test_absent_experts_weigh_exactly_nothing_and_leak_nothing(floor: float) -> None:
    gate = gate_with_random_scorers(floor)
    mean, logvar, _ = random_experts(0)
    mean, logvar = mean.float(), logvar.float()
    present = torch.tensor([[True, False, True, False, True]])
    clean = gate(mean, logvar, present, list(range(N_EXPERTS)))
    mean[:, [1, 3]], logvar[:, [1, 3]] = 1e20, -1e20
    assert torch.equal(gate(mean, logvar, present, list(range(N_EXPERTS))), clean)
    assert (clean[~present] == 0).all()
    assert clean.sum().item() == pytest.approx(1.0)
    kept = [0, 2, 4]
    alone = gate(mean[:, kept], logvar[:, kept], present[:, kept], kept)
    torch.testing.assert_close(clean[:, kept], alone)


def test_gate_floor_leaves_every_present_expert_its_share() -> None:
    gate = gate_with_random_scorers(floor=0.3)
    mean, logvar, _ = random_experts(3)
    present = torch.tensor([[True, True, True, False, False]])
    weight = gate(1e3 * mean.float(), logvar.float(), present, list(range(N_EXPERTS)))
    # one expert takes all of the softmax: .7 + .3 / 3 for it, .3 / 3 for the others
    expected = torch.tensor([0.1, 0.1, 0.8])
    torch.testing.assert_close(weight[0, :3].sort().values, expected)
    assert (weight[0, 3:] == 0).all()


def test_uniform_weights_count_the_present_experts() -> None:
    present = torch.tensor([[True, False, True], [True, True, True]])
    expected = torch.tensor([[0.5, 0.0, 0.5], [1 / 3, 1 / 3, 1 / 3]])
    torch.testing.assert_close(uniform_weights(present), expected)
