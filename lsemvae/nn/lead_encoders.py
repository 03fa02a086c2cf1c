"""Encoders of the twelve leads, computed for all leads together (paper, section 2).

Shape legend: B batch, L leads present, T samples, C and K channels in and out, F = 64 ceil(T/8)
flattened features, O outputs.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from lsemvae.errors import InputError
from lsemvae.leads import LEADS, canonical_lead, parse_leads

CHANNELS = (1, 16, 32, 64)
"""Channels before the first and after each of the three convolutions (paper, section 2)."""


class LeadEncoderBank(nn.Module):
    """One convolutional encoder per lead (paper section 2), stacked in canonical lead order.

    Each encoder is three times Conv1d (kernel 3, stride 2, padding 1) with ReLU, 1-16-32-64
    channels, then flatten and Linear. Signals run as (L, B, T, C), so that a convolution is a few
    matrix products for all leads at once. Layouts: `conv_weights` (12, 3 C, K) with rows in
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
        rows = self._rows(ecg, leads)
        hidden = ecg.transpose(0, 1).unsqueeze(-1).contiguous()
        for weight, bias in zip(self.conv_weights, self.conv_biases, strict=True):
            if hidden.shape[2] % 2:  # padding by nothing would copy
                hidden = F.pad(hidden, (0, 0, 0, 1))
            hidden = _apply(_StridedConvolution, hidden, _pick(weight, rows), _pick(bias, rows))
        weight = _pick(self.linear_weight, rows)[:, :n_outputs]
        bias = _pick(self.linear_bias, rows)[..., :n_outputs]
        outputs = _apply(_StackedLinear, hidden.flatten(2), weight)
        return (outputs + bias).transpose(0, 1)

    def _rows(self, ecg: Tensor, leads: Sequence[str]) -> list[int]:
        """Check names and shape; return the index of each lead's encoder."""
        unknown = [lead for lead in parse_leads(leads) if lead not in self.leads]
        if unknown:
            raise InputError(
                f"no encoder for {', '.join(unknown)}; this network has {', '.join(self.leads)}"
            )
        if ecg.shape[1:] != (len(leads), self.n_samples):
            raise InputError(
                f"ecg must be (batch, {len(leads)} leads, {self.n_samples} samples); "
                f"got {tuple(ecg.shape)}; crop or pad, or build the network for this length"
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


def _apply(function: type[torch.autograd.Function], *tensors: Tensor) -> Tensor:
    """Call a function of ours on what autocast, which does not reach into it, would cast to."""
    device = tensors[0].device.type
    if torch.is_autocast_enabled(device):
        tensors = tuple(tensor.to(torch.get_autocast_dtype(device)) for tensor in tensors)
    outputs: Tensor = function.apply(*tensors)  # type: ignore[no-untyped-call]
    return outputs


class _StridedConvolution(torch.autograd.Function):
    """ReLU(convolution), kernel 3, stride 2, padding 1: (L, B, T, C) -> (L, B, T/2, K), T even.

    Output t reads samples 2t-1, 2t, 2t+1: the pair t as it lies in memory, and the odd half of
    the pair before. Both are strided views, so nothing is unfolded; autograd of the same lines
    would copy three times as much.
    """

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        n_leads, n_records, length, channels = hidden.shape
        pairs = hidden.view(n_leads, n_records * length // 2, 2 * channels)
        outputs = torch.baddbmm(bias, pairs, weight[:, channels:])
        by_record = outputs.view(n_leads * n_records, length // 2, -1)
        by_record[:, 1:].baddbmm_(_odd_before(hidden), _first_tap(weight, n_records))
        outputs.relu_()
        of_hidden, of_weight, _ = ctx.needs_input_grad
        ctx.shape = hidden.shape
        ctx.save_for_backward(hidden if of_weight else None, weight if of_hidden else None, outputs)
        return outputs.view(n_leads, n_records, length // 2, -1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        hidden, weight, outputs = ctx.saved_tensors
        needs_hidden, needs_weight, needs_bias = ctx.needs_input_grad
        gradient = torch.ops.aten.threshold_backward(gradient.reshape(outputs.shape), outputs, 0)
        return (
            _gradient_of_hidden(gradient, weight, ctx.shape) if needs_hidden else None,
            _gradient_of_taps(gradient, hidden) if needs_weight else None,
            gradient.sum(1, keepdim=True) if needs_bias else None,
        )


def _gradient_of_hidden(gradient: Tensor, weight: Tensor, shape: torch.Size) -> Tensor:
    """Return the gradient of a convolution's input from that of its output (L, B T/2, K)."""
    n_leads, n_records, length, channels = shape
    of_hidden = torch.bmm(gradient, weight[:, channels:].transpose(1, 2)).view(shape)
    by_record = gradient.view(n_leads * n_records, length // 2, -1)[:, 1:]
    first_tap = _first_tap(weight, n_records).transpose(1, 2)
    _odd_before(of_hidden).baddbmm_(by_record, first_tap)
    return of_hidden


def _gradient_of_taps(gradient: Tensor, hidden: Tensor) -> Tensor:
    """Return the gradient of a convolution's weights from that of its output (L, B T/2, K)."""
    n_leads, n_records, length, channels = hidden.shape
    pairs = hidden.view(n_leads, n_records * length // 2, 2 * channels)
    by_record = gradient.view(n_leads * n_records, length // 2, -1)[:, 1:]
    of_first_tap = torch.bmm(_odd_before(hidden).transpose(1, 2), by_record)
    of_first_tap = of_first_tap.view(n_leads, n_records, channels, -1).sum(1)
    return torch.cat([of_first_tap, torch.bmm(pairs.transpose(1, 2), gradient)], dim=1)


def _odd_before(hidden: Tensor) -> Tensor:
    """View the odd samples but each record's last, (L, B, T, C) -> (L B, T/2 - 1, C)."""
    n_leads, n_records, length, channels = hidden.shape
    pairs = hidden.view(n_leads * n_records, length // 2, 2 * channels)
    return pairs[:, :-1, channels:]


def _first_tap(weight: Tensor, n_records: int) -> Tensor:
    """Repeat the weights of tap 0 for every record, (L, 3 C, K) -> (L B, C, K)."""
    return weight[:, : weight.shape[1] // 3].repeat_interleave(n_records, dim=0)


class _StackedLinear(torch.autograd.Function):
    """x W^T per lead, (L, B, F) and (L, O, F) -> (L, B, O), reading and writing W in its order.

    Autograd of `bmm` would give one of the three products a transposed operand (12 x 40,000 x 512
    numbers at full size), which costs more than the product itself.
    """

    @staticmethod
    def forward(ctx: Any, flat: Tensor, weight: Tensor) -> Tensor:
        of_flat, of_weight = ctx.needs_input_grad
        ctx.save_for_backward(flat if of_weight else None, weight if of_flat else None)
        return torch.bmm(weight, flat.transpose(1, 2)).transpose(1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        flat, weight = ctx.saved_tensors
        of_flat, of_weight = ctx.needs_input_grad
        return (
            torch.bmm(gradient, weight) if of_flat else None,
            torch.bmm(gradient.transpose(1, 2), flat) if of_weight else None,
        )
