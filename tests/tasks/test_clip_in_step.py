"""Clipping within the step is torch's clipping before it."""

import pytest
import torch

from lsemvae.tasks.optimiser import adamw, clip_in_step, takes_clipping, total_norm

LIMITS = (0.5, 1e6)


@pytest.mark.parametrize("limit", LIMITS)
def test_weights_gradients_and_moments_are_those_of_torch(limit: float) -> None:
    """Four steps; the limit of 1e6 clips nothing and has to change no bit."""
    draw, ends = torch.Generator().manual_seed(0), []
    shapes = [(3, 5), (7,), ()]
    first = [torch.randn(shape, generator=draw) for shape in shapes]
    steps = [[10 * torch.randn(shape, generator=draw) for shape in shapes] for _ in range(4)]
    for own in (True, False):
        weights = [one.clone().requires_grad_() for one in first]
        optimiser = adamw(weights, 1e-2, 0.01)  # type: ignore[arg-type]
        for gradients in steps:
            for weight, gradient in zip(weights, gradients, strict=True):
                weight.grad = gradient.clone()
            if own:
                clip_in_step(optimiser, limit)
            else:
                torch.nn.utils.clip_grad_norm_(weights, limit)
            optimiser.step()
        norm = torch.nn.utils.get_total_norm([one.grad for one in weights])
        assert norm <= 1.00001 * limit
        moments = [optimiser.state[w][name] for w in weights for name in ("exp_avg", "exp_avg_sq")]
        ends.append([*(w.detach() for w in weights), *(w.grad for w in weights), *moments])
    tolerance = {"rtol": 1e-6, "atol": 1e-9} if limit < 1 else {"rtol": 0.0, "atol": 0.0}
    for found, expected in zip(*ends, strict=True):
        torch.testing.assert_close(found, expected, **tolerance)


def test_the_norm_of_many_values_is_right() -> None:
    """Torch's own is .2 % low for 2 ** 25 values and 3.6 % for those of the published size."""
    many = torch.randn(2**13, 2**12, generator=torch.Generator().manual_seed(0))
    expected = torch.linalg.vector_norm(many, dtype=torch.float64)
    found = total_norm([many, torch.zeros(()), torch.ones(2)])
    assert float(found) == pytest.approx(float(expected), rel=1e-6)


def test_only_a_fused_adamw_of_a_cpu_takes_it() -> None:
    weight = [torch.zeros(2, requires_grad=True)]
    assert takes_clipping(adamw(weight, 1e-3, 0.0))  # type: ignore[arg-type]
    assert not takes_clipping(torch.optim.AdamW(weight, fused=False))
    assert not takes_clipping(torch.optim.Adam(weight, fused=True))
    elsewhere = [torch.zeros(2, device="meta", requires_grad=True)]
    assert not takes_clipping(torch.optim.AdamW(elsewhere))
