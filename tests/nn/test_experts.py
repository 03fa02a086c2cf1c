import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import Categorical, MixtureSameFamily, Normal

from lsemvae.losses import gaussian_kl
from lsemvae.nn.experts import (
    LOGVAR_BOUND,
    bound_logvar,
    mixture_of_experts,
    product_of_experts,
)

N_EXPERTS, LATENT_DIM = 5, 3
ALL = torch.ones(1, N_EXPERTS, dtype=torch.bool)
seeds = st.integers(0, 2**31 - 1)


def random_experts(seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return means, log variances and weights of random experts, in float64."""
    generator = torch.Generator().manual_seed(seed)
    shape = (1, N_EXPERTS, LATENT_DIM)
    mean = 3 * torch.randn(shape, generator=generator, dtype=torch.float64)
    logvar = 2 * torch.randn(shape, generator=generator, dtype=torch.float64)
    score = 2 * torch.randn(1, N_EXPERTS, generator=generator, dtype=torch.float64)
    return mean, logvar, score.softmax(-1)


def one_dimension(*values: float) -> Tensor:
    """Return (1, K, 1) float32."""
    return torch.tensor(values).view(1, -1, 1)


def test_product_by_hand() -> None:
    # precisions 1, 4 and 5: mean (0 + 4 * 2 + 5 * 1) / 10, variance 1 / 10
    product = product_of_experts(
        one_dimension(0.0, 2.0, 1.0), -one_dimension(1.0, 4.0, 5.0).log(), ALL[:, :3]
    )
    assert product.mean.item() == pytest.approx(1.3)
    assert product.logvar.exp().item() == pytest.approx(0.1)


def test_sharp_experts_are_not_biased_in_float32() -> None:
    # Variances of 1e-9 and 4e-9 give (4 * 3 + 1 * 5) / 5 = 3.4; the formula with 1 / (variance +
    # 1e-8) gives (3 / 1.1 + 5 / 1.4) / (1 / 1.1 + 1 / 1.4) = 3.88.
    mean, variance = one_dimension(3.0, 5.0), one_dimension(1e-9, 4e-9)
    product = product_of_experts(mean, variance.log(), ALL[:, :2])
    assert product.mean.item() == pytest.approx(3.4, rel=1e-5)
    assert product.logvar.exp().item() == pytest.approx(0.8e-9, rel=1e-4)
    precision = 1 / (variance + 1e-8)
    assert ((mean * precision).sum() / precision.sum()).item() == pytest.approx(3.88, abs=0.01)


@pytest.mark.parametrize("logvar", [-200.0, -100.0, -89.0, 89.0, 200.0])
def test_product_survives_log_variances_beyond_float32(logvar: float) -> None:
    mean = one_dimension(1.0, 3.0).requires_grad_()
    logvars = one_dimension(logvar, logvar).requires_grad_()
    product = product_of_experts(mean, logvars, ALL[:, :2])
    assert product.mean.item() == pytest.approx(2.0)
    assert product.logvar.item() == pytest.approx(logvar - math.log(2), abs=1e-4)
    (product.mean.sum() + product.logvar.sum()).backward()
    assert torch.isfinite(mean.grad).all()
    assert torch.isfinite(logvars.grad).all()


def test_product_is_certain_where_any_expert_is() -> None:
    mean, logvar, _ = random_experts(0)
    mean[0, 2, 0], logvar[0, 2, 0] = 7.0, -18.0
    product = product_of_experts(mean, logvar, ALL)
    assert product.mean[0, 0].item() == pytest.approx(7.0, abs=1e-5)
    assert (product.logvar < logvar.amin(1)).all()


@pytest.mark.parametrize("n_equal", [1, 2, 12])
def test_product_of_equal_experts_divides_the_variance_by_their_number(n_equal: int) -> None:
    mean, logvar = torch.full((1, n_equal, 2), 1.7), torch.full((1, n_equal, 2), -0.4)
    product = product_of_experts(mean, logvar, torch.ones(1, n_equal, dtype=torch.bool))
    torch.testing.assert_close(product.mean, mean[:, 0])
    torch.testing.assert_close(product.logvar.exp(), logvar[:, 0].exp() / n_equal)


@settings(max_examples=50, deadline=None)
@given(seeds)
def test_product_equals_the_precision_weighted_mean(seed: int) -> None:
    mean, logvar, _ = random_experts(seed)
    precision = 1 / logvar.exp()
    product = product_of_experts(mean, logvar, ALL)
    torch.testing.assert_close(product.mean, (mean * precision).sum(1) / precision.sum(1))
    torch.testing.assert_close(product.logvar.exp(), 1 / precision.sum(1))


@settings(max_examples=50, deadline=None)
@given(seeds, st.lists(st.booleans(), min_size=N_EXPERTS, max_size=N_EXPERTS).filter(any))
def test_a_masked_factor_is_as_good_as_absent(seed: int, chosen: list[bool]) -> None:
    mean, logvar, _ = random_experts(seed)
    present = torch.tensor([chosen])
    masked = product_of_experts(mean, logvar, present)
    alone = product_of_experts(mean[:, chosen], logvar[:, chosen], present[:, chosen])
    torch.testing.assert_close(masked, alone)


def test_the_prior_is_one_more_factor() -> None:
    # precisions 3 and 1 (prior, mean 0): mean 3 * 2 / 4, variance 1 / 4
    product = product_of_experts(
        one_dimension(2.0), -one_dimension(3.0).log(), ALL[:, :1], prior_expert=True
    )
    assert product.mean.item() == pytest.approx(1.5)
    assert product.logvar.exp().item() == pytest.approx(0.25)


@settings(max_examples=50, deadline=None)
@given(seeds)
def test_mixture_moments_equal_torch_distributions(seed: int) -> None:
    mean, logvar, weight = random_experts(seed)
    mixture = mixture_of_experts(mean, logvar, weight)
    components = Normal(mean.transpose(1, 2), (logvar / 2).exp().transpose(1, 2))
    weights = Categorical(probs=weight.unsqueeze(1).expand(-1, LATENT_DIM, -1))
    expected = MixtureSameFamily(weights, components)
    torch.testing.assert_close(mixture.mean, expected.mean)
    torch.testing.assert_close(mixture.logvar.exp(), expected.variance)


@settings(max_examples=50, deadline=None)
@given(seeds)
def test_kl_of_the_moments_is_at_most_the_weighted_kl(seed: int) -> None:
    mean, logvar, weight = random_experts(seed)
    mixture = mixture_of_experts(mean, logvar, weight)
    of_experts = gaussian_kl(mean[0], logvar[0])
    bound = (weight[0] * of_experts).sum()
    assert gaussian_kl(mixture.mean, mixture.logvar).item() <= bound.item() + 1e-9


def test_mixture_variance_is_not_negative_by_rounding() -> None:
    torch.manual_seed(0)
    mean = 30 + 1e-3 * torch.randn(500, 13, 4)
    logvar = torch.full_like(mean, 2 * math.log(0.01))
    weight = torch.randn(500, 13).softmax(-1)
    mixture = mixture_of_experts(mean, logvar, weight)
    exact = mixture_of_experts(mean.double(), logvar.double(), weight.double())
    torch.testing.assert_close(mixture.logvar, exact.logvar.float(), rtol=0, atol=1e-3)
    published = (weight.unsqueeze(-1) * (logvar.exp() + mean.square())).sum(1)
    published -= (weight.unsqueeze(-1) * mean).sum(1).square()
    assert (published <= 0).float().mean() > 0.01  # what is avoided


def test_gradients_are_finite_at_the_smallest_variance() -> None:
    mean = torch.full((1, 3, 2), 0.5, requires_grad=True)
    raw = torch.full((1, 3, 2), -1e4, requires_grad=True)
    logvar = bound_logvar(raw)
    mixture = mixture_of_experts(mean, logvar, torch.full((1, 3), 1 / 3))
    sigma = torch.exp(0.5 * mixture.logvar)
    (sigma.sum() + gaussian_kl(*mixture).sum()).backward()
    for gradient in (mean.grad, raw.grad):
        assert torch.isfinite(gradient).all()


def test_log_variances_are_bounded_smoothly() -> None:
    raw = torch.linspace(-2000, 2000, 4001, requires_grad=True)
    bounded = bound_logvar(raw)
    bounded.sum().backward()
    assert (bounded.abs() <= LOGVAR_BOUND * (1 + 1e-6)).all()
    assert (raw.grad > 0).all()
    assert (bounded.diff() > -1e-5).all()
    inner = raw.abs() <= 5
    torch.testing.assert_close(bounded[inner], raw[inner], rtol=0.031, atol=0)
