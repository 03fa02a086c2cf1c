"""Build the forms of one LS-EMVAE training step that `benchmarks.step` times."""

import warnings
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from benchmarks.step_cost import Sizes
from lsemvae.core.leads import LEADS
from lsemvae.losses import gaussian_kl
from lsemvae.models import Fusion, LsEmvae
from lsemvae.nn.decoders import DecoderKind
from lsemvae.nn.experts import bound_logvar
from lsemvae.tasks.optimiser import adamw, clip_in_step
from tests.nn.plain_reference import PlainDecoder, PlainEncoders, copy_decoder, copy_encoders

Loss = Callable[[Tensor], Tensor]
PUBLISHED_CLIP = 1.0  # of the authors' code; see experiments/authors_code


class Step(NamedTuple):
    """A loss of a batch, the optimiser that follows it, and what clips the gradients before it."""

    loss: Loss
    optimiser: torch.optim.Optimizer
    clip: Callable[[torch.optim.Optimizer], object] = id


class Variant(NamedTuple):
    """How a step is computed.

    Attributes:
        build: makes the step.
        settings: whether the process has those of `lightning fit` on a CPU.
        dtype: of the matrix products, float32 or bfloat16.
        decoder: whose products count as the step's arithmetic.
        tolerance: relative difference from plain's loss that is allowed: float32 sums in another
            order, or bfloat16's 8 bits; None where the arithmetic is another.
        against: the variant that it is compared with.
    """

    build: Callable[[Sizes], Step]
    settings: bool = True
    dtype: str = "float32"
    decoder: DecoderKind = "published"
    tolerance: float | None = 1e-4
    against: str = "plain"


def draw_network(sizes: Sizes, decoder: DecoderKind) -> LsEmvae:
    """Draw the same weights every time, on the device itself: one core needs seconds."""
    torch.manual_seed(0)
    with warnings.catch_warnings(action="ignore"), torch.device(sizes.device):
        fusion = Fusion(gate="uniform")
        network = LsEmvae(sizes.samples, sizes.latent, decoder=decoder, fusion=fusion)
    return network.to(sizes.device)


def build_ours(sizes: Sizes, decoder: DecoderKind = "published", *, compiled: bool = False) -> Step:
    """Build LS-EMVAE with a uniform gate and its fused optimiser."""
    network = draw_network(sizes, decoder)

    def loss(ecg: Tensor) -> Tensor:
        return network.loss(ecg, LEADS, beta=1.0).total

    if compiled:  # drawing the noise as eager torch does, so that the numbers can be compared
        loss = torch.compile(loss, fullgraph=True, options={"fallback_random": True})
    return Step(loss, adamw(network.parameters(), 1e-4, 0.01))


def build_plain(sizes: Sizes) -> Step:
    """Build the published form with the weights of `ours`."""
    network = draw_network(sizes, "published")
    with torch.device("meta"):
        encoders = PlainEncoders(sizes.samples, sizes.latent)
        decoder = PlainDecoder(sizes.latent, sizes.samples, 1)
    parts = nn.ModuleList([encoders, decoder]).to_empty(device=sizes.device)
    copy_encoders(network.encoders, encoders)
    copy_decoder(network.decoder, decoder)
    optimiser = torch.optim.AdamW(parts.parameters(), lr=1e-4)  # a loop here, foreach on a card
    return Step(lambda ecg: plain_loss(ecg, encoders, decoder), optimiser)


def plain_loss(ecg: Tensor, encoders: nn.Module, decoder: nn.Module) -> Tensor:
    """Return the objective at lambda = beta = gamma = 1 with a uniform gate, written out."""
    mean, raw = encoders(ecg, LEADS).chunk(2, dim=-1)
    logvar = bound_logvar(raw)
    shared = (torch.softmax(-logvar, 1) * mean).sum(1, keepdim=True)
    mean = torch.cat([mean, shared], dim=1)
    logvar = torch.cat([logvar, -torch.logsumexp(-logvar, 1, keepdim=True)], dim=1)
    mixed = mean.mean(1)
    distance = (mean - mixed.unsqueeze(1)).square()
    variance = (logvar.exp() + distance).mean(1)
    code = mixed + variance.sqrt() * torch.randn_like(mixed)
    decoded = torch.cat([decoder(code) for _ in LEADS], dim=1)
    error = (decoded - ecg).square().sum((1, 2))
    return (error + gaussian_kl(mixed, variance.log()) + distance.sum(2).mean(1)).mean()


def in_bfloat16(build: Callable[[Sizes], Step]) -> Callable[[Sizes], Step]:
    """Run the loss under autocast, as `--trainer.precision=bf16-mixed` does; backward outside."""

    def build_mixed(sizes: Sizes) -> Step:
        step = build(sizes)

        def loss(ecg: Tensor) -> Tensor:
            with torch.autocast(torch.device(sizes.device).type, torch.bfloat16):
                return step.loss(ecg)

        return step._replace(loss=loss)

    return build_mixed


def clipped(
    build: Callable[[Sizes], Step], clip: Callable[[torch.optim.Optimizer, float], object]
) -> Callable[[Sizes], Step]:
    """Clip the norm of the gradients at the limit of the published code."""
    return lambda sizes: build(sizes)._replace(clip=partial(clip, limit=PUBLISHED_CLIP))


def clip_plainly(optimiser: torch.optim.Optimizer, limit: float) -> None:
    """Clip as the published code does."""
    every = [p for group in optimiser.param_groups for p in group["params"]]
    torch.nn.utils.clip_grad_norm_(every, limit)


VARIANTS: dict[str, Variant] = {
    "plain": Variant(build_plain, settings=False),
    "plain clipped": Variant(clipped(build_plain, clip_plainly), settings=False, tolerance=None),
    "plain tuned": Variant(build_plain),
    "ours": Variant(build_ours),
    "ours clipped": Variant(clipped(build_ours, clip_in_step), against="plain clipped"),
    "ours compiled": Variant(lambda sizes: build_ours(sizes, compiled=True)),
    "multichannel": Variant(
        lambda sizes: build_ours(sizes, "multichannel"), decoder="multichannel", tolerance=None
    ),
    "plain bf16": Variant(in_bfloat16(build_plain), dtype="bfloat16", tolerance=1e-2),
    "ours bf16": Variant(in_bfloat16(build_ours), dtype="bfloat16", tolerance=1e-2),
}
