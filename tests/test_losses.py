import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Normal, kl_divergence
from torch.nn.functional import binary_cross_entropy_with_logits

from lsemvae.losses import (
    alignment_distance,
    focal_loss,
    gaussian_kl,
    squared_error_per_lead,
    weighted_reconstruction,
)


def test_squared_error_by_hand() -> None:
    target = torch.tensor([[[1.0, 2.0], [0.0, 0.0]]])
    reconstruction = torch.tensor([[[0.0, 4.0], [3.0, 0.0]]])
    summed = squared_error_per_lead(reconstruction, target, "sum")
    averaged = squared_error_per_lead(reconstruction, target, "mean")
    assert summed.tolist() == [[5.0, 9.0]]
    assert averaged.tolist() == [[2.5, 4.5]]


def test_lead_weights_multiply_present_leads_only() -> None:
    error = torch.tensor([[5.0, 9.0, torch.nan], [1.0, 1.0, 1.0]])
    present = torch.tensor([[True, True, False], [True, False, True]])
    weighted = weighted_reconstruction(error, torch.tensor([2.0, 0.5, 10.0]), present)
    assert weighted.tolist() == [14.5, 12.0]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(-20, 20), min_size=3, max_size=3),
    st.lists(st.floats(-18, 18), min_size=3, max_size=3),
)
def test_kl_equals_torch_distributions(mean: list[float], logvar: list[float]) -> None:
    mu, lv = torch.tensor([mean]).double(), torch.tensor([logvar]).double()
    prior = Normal(torch.zeros_like(mu), torch.ones_like(mu))
    expected = kl_divergence(Normal(mu, (lv / 2).exp()), prior).sum(-1)
    torch.testing.assert_close(gaussian_kl(mu, lv), expected, rtol=1e-9, atol=1e-9)


def test_kl_near_the_prior_keeps_its_digits_in_float32() -> None:
    logvar = torch.tensor([[1e-4]])
    # expm1(x) - x = x^2 / 2 + ..., so KL = x^2 / 4; exp(x) - 1 - x in float32 has no digit left.
    torch.testing.assert_close(
        gaussian_kl(torch.zeros(1, 1), logvar).item(), 2.5e-9, rtol=0.2, atol=0
    )
    naive = 0.5 * (logvar.exp() - 1 - logvar).item()
    assert abs(naive / 2.5e-9 - 1) > 0.9


@pytest.mark.parametrize("value", [-500.0, -89.0, -20.0, 20.0, 80.0])
def test_kl_is_finite_at_extreme_log_variances(value: float) -> None:
    logvar = torch.tensor([[value]], requires_grad=True)
    kl = gaussian_kl(torch.zeros(1, 1), logvar)
    kl.backward()
    assert torch.isfinite(kl).all()
    assert torch.isfinite(logvar.grad).all()


def test_alignment_by_hand_counts_present_experts_only() -> None:
    expert = torch.tensor([[[1.0, 0.0], [0.0, 3.0], [1e30, torch.nan]], [[2.0, 0.0]] * 3])
    mixture = torch.tensor([[0.0, 1.0], [0.0, 0.0]])
    present = torch.tensor([[True, True, False], [True, True, True]])
    distance = alignment_distance(expert, mixture, present)
    assert distance.tolist() == [(2.0 + 4.0) / 2, 4.0]


def test_focal_with_gamma_0_and_alpha_half_is_half_the_cross_entropy() -> None:
    torch.manual_seed(0)
    logit, label = 5 * torch.randn(50), (torch.rand(50) > 0.5).float()
    expected = 0.5 * binary_cross_entropy_with_logits(logit, label)
    torch.testing.assert_close(focal_loss(logit, label, 0.5, 0.0), expected)


@pytest.mark.parametrize(
    ("probability", "label", "expected"),
    [
        # -.25 * .1^2 * ln .9, -.75 * .9^2 * ln .1, -.75 * .2^2 * ln .8 by a pocket calculator
        (0.9, 1.0, 0.000263401),
        (0.9, 0.0, 1.398820),
        (0.2, 0.0, 0.006694307),
    ],
)
def test_focal_loss_by_hand(probability: float, label: float, expected: float) -> None:
    logit = torch.logit(torch.tensor([probability], dtype=torch.float64))
    loss = focal_loss(logit, torch.tensor([label]).double(), 0.25, 2.0)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_focal_loss_is_the_mean_over_the_batch() -> None:
    logit, label = torch.tensor([2.0, -1.0]), torch.tensor([1.0, 1.0])
    single = [focal_loss(logit[i : i + 1], label[i : i + 1], 0.25, 2.0) for i in (0, 1)]
    torch.testing.assert_close(focal_loss(logit, label, 0.25, 2.0), sum(single) / 2)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("value", [-300.0, -20.0, 20.0, 300.0])
def test_focal_gradient_is_finite_for_certain_predictions(gamma: float, value: float) -> None:
    logit = torch.tensor([value, value], requires_grad=True)
    focal_loss(logit, torch.tensor([0.0, 1.0]), 0.25, gamma).backward()
    assert torch.isfinite(logit.grad).all()


def test_focal_loss_does_not_hide_a_missing_label() -> None:
    assert focal_loss(torch.zeros(2), torch.tensor([1.0, torch.nan]), 0.25, 2.0).isnan()
