"""Encode the twelve leads, all leads together (paper, section 2).

Shape legend: B batch, L leads present, T samples, C and K channels in and out, F = 64 ceil(T/8)
flattened features, O outputs.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS, canonical_lead, parse_leads
from lsemvae.nn.strided_convolutions import apply_function, convolve

CHANNELS = (1, 16, 32, 64)
"""Channels before the first and after each of the three convolutions (paper, section 2)."""


class LeadEncoderBank(nn.Module):
    """One convolutional encoder per lead (paper section 2), stacked in canonical lead order.

    Each encoder is three times Conv1d (kernel 3, stride 2, padding 1) with ReLU, 1-16-32-64
    channels, then flatten and Linear. Layouts: `conv_weights` (12, 3 C, K) with rows in
    (tap, channel) order; `linear_weight` (12, O, F) with features in (time, channel) order, which
    makes forward and both gradients contiguous matrix products without a copy of the weights.

    Args:
        n_samples: samples per lead, T, at least 8.
        n_outputs: rows of the linear layer of one lead, O.
        leads: leads that have an encoder; stacked in canonical order.
    """

    def __init__(self, n_samples: int, n_outputs: int, *, leads: Sequence[str] = LEADS) -> None:
        super().__init__()
        if n_samples < 8:
            raise InputError(f"n_samples must be 8 or more (three halvings); got {n_samples}")
        self.n_samples = n_samples
        self.n_flat = CHANNELS[-1] * -(-n_samples // 8)
        self.leads = parse_leads(leads)
        layers, n_leads = list(pairwise(CHANNELS)), len(self.leads)
        self.conv_weights = nn.ParameterList(torch.empty(n_leads, 3 * c, k) for c, k in layers)
        self.conv_biases = nn.ParameterList(torch.empty(n_leads, 1, k) for _, k in layers)
        self.linear_weight = nn.Parameter(torch.empty(n_leads, n_outputs, self.n_flat))
        self.linear_bias = nn.Parameter(torch.empty(n_leads, 1, n_outputs))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weights and biases as nn.Conv1d and nn.Linear do: uniform, +-1/sqrt(fan-in)."""
        fan_ins = [*(weight.shape[1] for weight in self.conv_weights), self.n_flat]
        weights = [*self.conv_weights, self.linear_weight]
        biases = [*self.conv_biases, self.linear_bias]
        for fan_in, weight, bias in zip(fan_ins, weights, biases, strict=True):
            nn.init.uniform_(weight, -(fan_in**-0.5), fan_in**-0.5)
            nn.init.uniform_(bias, -(fan_in**-0.5), fan_in**-0.5)

    def forward(self, ecg: Tensor, leads: Sequence[str], n_outputs: int | None = None) -> Tensor:
        """Encode the leads that are present.

        Args:
            ecg: signals (B, L, T), in the order of `leads`.
            leads: names of the leads present, any subset in any order.
            n_outputs: give only the first rows of the linear layers; all by default.

        Returns:
            Outputs of the linear layers (B, L, O).

        Raises:
            InputError: a lead name is unknown or repeated, or `ecg` does not fit.
        """
        return self.read_out(self.convolved(ecg, leads), leads, n_outputs)

    def read_out(
        self, response: Tensor, leads: Sequence[str], n_outputs: int | None = None
    ) -> Tensor:
        """Return the outputs of the linear layers, (B, L, O), on what `convolved` answers.

        Other arguments and errors as in `forward`.
        """
        rows = self._rows(leads)
        weight = _pick(self.linear_weight, rows)[:, :n_outputs]
        bias = _pick(self.linear_bias, rows)[..., :n_outputs]
        outputs = apply_function(_StackedLinear, response.flatten(2), weight)
        return (outputs + bias).transpose(0, 1)

    def convolved(self, ecg: Tensor, leads: Sequence[str]) -> Tensor:
        """Return what the convolutions of each lead answer, (L, B, ceil(T / 8), 64).

        Arguments and errors as in `forward`.
        """
        rows = self._rows(leads)
        if ecg.shape[1:] != (len(leads), self.n_samples):
            raise InputError(
                f"ecg must be (batch, {len(leads)} leads, {self.n_samples} samples); "
                f"got {tuple(ecg.shape)}; crop or pad, or build the network for this length"
            )
        weights = [_pick(weight, rows) for weight in self.conv_weights]
        biases = [_pick(bias, rows) for bias in self.conv_biases]
        return convolve(ecg.transpose(0, 1), weights, biases)

    def _rows(self, leads: Sequence[str]) -> list[int]:
        """Check the names; return the index of each lead's encoder."""
        unknown = [lead for lead in parse_leads(leads) if lead not in self.leads]
        if unknown:
            raise InputError(
                f"no encoder for {', '.join(unknown)}; this network has {', '.join(self.leads)}"
            )
        return [self.leads.index(canonical_lead(lead)) for lead in leads]


def _pick(stacked: Tensor, rows: list[int]) -> Tensor:
    """Select leads: a view where they are consecutive, else a copy of those leads alone."""
    if rows == list(range(len(stacked))):
        return stacked
    if rows == list(range(rows[0], rows[-1] + 1)):
        return stacked[rows[0] : rows[-1] + 1]
    parts = stacked.unbind(0)
    return torch.stack([parts[row] for row in rows])


class _StackedLinear(torch.autograd.Function):
    """x W^T per lead, (L, B, F) and (L, O, F) -> (L, B, O), reading and writing W in its order.

    Autograd of `bmm` would give one of the three products a transposed operand (12 x 40,000 x 512
    numbers at full size), which costs more than the product itself.
    """

    @staticmethod
    def forward(ctx: Any, flat: Tensor, weight: Tensor) -> Tensor:
        of_flat, of_weight = ctx.needs_input_grad
        ctx.save_for_backward(flat if of_weight else None, weight if of_flat else None)
        if weight.is_contiguous() or weight.device.type != "cpu":
            return torch.bmm(weight, flat.transpose(1, 2)).transpose(1, 2)
        # The first outputs of all leads: on a CPU the batched product would copy their weights.
        return torch.stack([one @ rows.T for one, rows in zip(flat, weight, strict=True)])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        flat, weight = ctx.saved_tensors
        of_flat, of_weight = ctx.needs_input_grad
        return (
            torch.bmm(gradient, weight) if of_flat else None,
            torch.bmm(gradient.transpose(1, 2), flat) if of_weight else None,
        )
