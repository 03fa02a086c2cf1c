"""Find the samples of a recording that move a classifier's logit, with a completeness check.

See `lsemvae.explain.logit` for what exactly is differentiated.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.explain.logit import Classify, MillivoltLogit, Recordings

Method = Literal["integrated_gradients", "gradient_shap", "saliency", "lead_occlusion"]

# Allowed |delta| in logits; 0.01 logit moves a probability by 0.0025 at most.
DELTA_ABSOLUTE, DELTA_RELATIVE = 0.01, 0.01
REFINEMENTS = (1, 4, 16)  # times n_steps, for recordings whose delta is larger than that


@dataclass(frozen=True)
class AttributionSettings:
    """How recordings are explained.

    Attributes:
        method: `integrated_gradients` (Sundararajan et al. 2017, arXiv:1703.01365), `gradient_shap`
            (expected gradients over several baselines), `saliency` (the gradient, logit per mV) or
            `lead_occlusion` (what the logit loses when a lead is absent).
        n_steps: points on the path, or baselines drawn by `gradient_shap`.
        batch_size: recordings that pass through the network at a time.
        seed: of the draws of `gradient_shap`.
    """

    method: Method = "integrated_gradients"
    # Gauss-Legendre on 100 synthetic median beats, 12 leads, the models of five folds: the largest
    # |delta| is 0.010 logits with 32 points, 0.006 with 64, 0.002 with 128; captum's trapezoids
    # miss by 0.029 with 64 (32 beats).
    n_steps: int = 64
    batch_size: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        """Reject numbers with which nothing can be computed."""
        if self.n_steps < 1 or self.batch_size < 1:
            raise InputError(
                "attribution needs n_steps >= 1 and batch_size >= 1, got "
                f"{self.n_steps} and {self.batch_size}"
            )


class Attribution(NamedTuple):
    """What explains the logits of B recordings.

    Attributes:
        value: (B, L, T) in logits (`saliency`: logit per mV); (B, L, 1) for `lead_occlusion`. Zero
            where a lead is absent.
        logit: (B,).
        delta: (B,), sum of the values less the difference of the logits that they should sum to;
            NaN for methods that promise no such sum.
    """

    value: Tensor
    logit: Tensor
    delta: Tensor


def attribute(
    classifier: Classify,
    recordings: Recordings,
    *,
    baseline_mv: Tensor | None = None,
    settings: AttributionSettings = AttributionSettings(),
    check: bool = True,
) -> Attribution:
    """Explain the logits of recordings.

    Args:
        classifier: maps an `EcgBatch` to logits (B,).
        recordings: what to explain.
        baseline_mv: where the path begins: (L, T), or (N, L, T) to draw from (`gradient_shap`); the
            isoelectric line, 0 mV, by default.
        settings: method and its accuracy.
        check: integrate more finely where gradients do not add up, and refuse what still does not.

    Raises:
        InputError: integrated gradients that do not add up to the logit's difference, or a
            recording with a single lead, which cannot be dropped.
    """
    logit = MillivoltLogit(
        classifier, leads=recordings.leads, normalisation=recordings.normalisation
    )
    if baseline_mv is None:
        baseline_mv = torch.zeros_like(recordings.ecg_mv[0])
    if settings.method == "saliency":
        return _saliency(logit, recordings)
    if settings.method == "lead_occlusion":
        return _lead_occlusion(logit, recordings, settings.batch_size)
    if settings.method == "gradient_shap":
        return _gradient_shap(logit, recordings, baseline_mv, settings)
    refinements = REFINEMENTS if check else REFINEMENTS[:1]
    attribution, complete = _integrated_gradients(
        logit, recordings, baseline_mv, settings=settings, refinements=refinements
    )
    if check and not bool(complete.all()):
        raise InputError(
            "the integrated gradients of "
            f"{counted(int((~complete).sum()), 'recording misses', 'recordings miss')} the logit's "
            f"difference by up to {float(attribution.delta.abs().max()):.3g} with "
            f"{counted(REFINEMENTS[-1] * settings.n_steps, 'step')}; give more n_steps"
        )
    return attribution


def lead_shares(value: Tensor, present: Tensor) -> Tensor:
    """Return each lead's share of the absolute attribution.

    All leads of a recording are on one scale; scaling each lead to its own maximum, as in the
    authors' code, would give every lead a 1 and make a ranking meaningless.

    Args:
        value: (B, L, T).
        present: (B, L) bool.

    Returns:
        (B, L), summing to one over the leads that are present, NaN for the others and where the
        logit does not depend on the recording.
    """
    size = value.abs().sum(-1)
    share = size / size.sum(-1, keepdim=True)
    return share.masked_fill(~present, torch.nan)


def is_complete(delta: Tensor, difference: Tensor) -> Tensor:
    """Tell where attributions add up: |delta| <= 0.01 + 1 % of the logits' difference, (B,)."""
    return delta.abs() <= DELTA_ABSOLUTE + DELTA_RELATIVE * difference.abs()


def _integrated_gradients(
    logit: MillivoltLogit,
    recordings: Recordings,
    baseline_mv: Tensor,
    *,
    settings: AttributionSettings,
    refinements: tuple[int, ...],
) -> tuple[Attribution, Tensor]:
    """Integrate, with more points where the delta is large; tell which are complete."""
    baseline = baseline_mv.expand_as(recordings.ecg_mv).masked_fill(
        ~recordings.present.unsqueeze(-1), 0.0
    )
    with torch.no_grad():
        end = logit(*recordings[:3])
        difference = end - logit(baseline, *recordings[1:3], recordings.ecg_mv)
    value, delta = torch.zeros_like(recordings.ecg_mv), torch.full_like(end, torch.inf)
    for times in refinements:
        open_rows = (~is_complete(delta, difference)).nonzero().squeeze(-1)
        if len(open_rows) == 0:
            break
        value[open_rows] = _integrate(
            logit, recordings.rows(open_rows), baseline[open_rows],
            n_steps=times * settings.n_steps, batch_size=settings.batch_size,
        )  # fmt: skip
        delta = value.sum((1, 2)) - difference
    return Attribution(value, end, delta), is_complete(delta, difference)


def _integrate(
    logit: MillivoltLogit,
    recordings: Recordings,
    baseline: Tensor,
    *,
    n_steps: int,
    batch_size: int,
) -> Tensor:
    """Integrate by Gauss and Legendre's rule, (B, L, T).

    The gradients are summed where the path enters the network, behind normalisation and the cutting
    of beats: both are affine, so that one pass back through them serves all points.
    """
    ecg_mv, scale, present, *_ = recordings
    nodes, weights = np.polynomial.legendre.leggauss(n_steps)
    points = torch.from_numpy((nodes + 1.0) / 2.0).to(ecg_mv)
    sizes = torch.from_numpy(weights / 2.0).to(ecg_mv)
    at_once = max(1, batch_size // len(ecg_mv))
    with logit.held_at(ecg_mv, scale, present) as ready:
        end_mv = ecg_mv.detach().requires_grad_()
        end, start = ready(end_mv), ready(baseline)
        slope, total = (end - start).detach(), torch.zeros_like(start)
        for part, size in zip(
            torch.split(points, at_once), torch.split(sizes, at_once), strict=True
        ):
            path = _on_path(start, slope, part).requires_grad_()
            logits = logit.of_ready(path, scale.repeat(len(part), 1), present.repeat(len(part), 1))
            (gradient,) = torch.autograd.grad(logits.sum(), path)
            total += torch.tensordot(size, gradient.view(len(part), *start.shape), 1)
        (gradient,) = torch.autograd.grad(end, end_mv, total)
    return gradient * (ecg_mv - baseline)


def _on_path(start: Tensor, slope: Tensor, part: Tensor) -> Tensor:
    """Return points (P,) of a path one behind the other, (P M, ...)."""
    along = part.view(-1, *[1] * start.ndim)
    return torch.addcmul(start, along, slope).flatten(0, 1)


def _gradient_shap(
    logit: MillivoltLogit, recordings: Recordings, baselines: Tensor, settings: AttributionSettings
) -> Attribution:
    """Average gradients at random points between recordings and randomly drawn baselines."""
    from captum.attr import GradientShap

    baselines = baselines if baselines.dim() == 3 else baselines.unsqueeze(0)
    explain = GradientShap(logit)
    values, deltas = [], []
    with _seeded(settings.seed):
        for row in range(len(recordings.ecg_mv)):  # captum repeats each recording n_steps times
            one = recordings.rows(slice(row, row + 1))
            own = torch.where(one.present.unsqueeze(-1), baselines, 0.0)
            value, delta = explain.attribute(
                one.ecg_mv, own, n_samples=settings.n_steps, return_convergence_delta=True,
                additional_forward_args=(one.scale, one.present, one.ecg_mv),
            )  # fmt: skip
            values.append(value)
            deltas.append(delta.mean(0, keepdim=True))
    with torch.no_grad():
        end = logit(*recordings[:3])
    return Attribution(torch.cat(values), end, torch.cat(deltas))


def _saliency(logit: MillivoltLogit, recordings: Recordings) -> Attribution:
    from captum.attr import Saliency

    value = Saliency(logit).attribute(
        recordings.ecg_mv.detach().clone().requires_grad_(), abs=False,
        additional_forward_args=(recordings.scale, recordings.present),
    )  # fmt: skip
    with torch.no_grad():
        end = logit(*recordings[:3])
    return Attribution(value, end, torch.full_like(end, torch.nan))


def _lead_occlusion(logit: MillivoltLogit, recordings: Recordings, batch_size: int) -> Attribution:
    """Drop one lead at a time by the mask, which is how the networks know absence."""
    n_records, n_leads = recordings.present.shape
    alone = recordings.present.sum(1) < 2
    if bool(alone.any()):
        raise InputError(
            "lead_occlusion drops one lead at a time; "
            f"{counted(int(alone.sum()), 'recording has', 'recordings have')} only one of the "
            "leads; leave them out or use integrated_gradients"
        )
    kept = recordings.present.unsqueeze(1) & ~torch.eye(n_leads, dtype=torch.bool).to(alone.device)
    row = torch.arange(n_records, device=alone.device).repeat_interleave(n_leads)
    with torch.no_grad():
        end = logit(*recordings[:3])
        without = [
            logit(recordings.ecg_mv[rows], recordings.scale[rows], mask)
            for rows, mask in zip(
                torch.split(row, batch_size),
                torch.split(kept.flatten(0, 1), batch_size),
                strict=True,
            )
        ]
    value = end.unsqueeze(1) - torch.cat(without).view(n_records, n_leads)
    value = value.masked_fill(~recordings.present, 0.0)  # exactly, whatever rounding says
    return Attribution(value.unsqueeze(-1), end, torch.full_like(end, torch.nan))


@contextmanager
def _seeded(seed: int) -> Iterator[Any]:
    """Seed NumPy's global generator, which captum draws from, and put it back afterwards."""
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        with torch.random.fork_rng():
            yield
    finally:
        np.random.set_state(state)
