"""Compute ReLU(convolution), kernel 3, stride 2, padding 1, of leads with weights of their own.

Shape legend: B batch, L leads, T samples, C and K channels in and out. Signals run as (L, B, T, C);
weights are (L, 3 C, K) with rows in (tap, channel) order, biases (L, 1, K).

Three forms give the same numbers. On a CPU, one lead after the other runs through all layers by the
library's convolution, which was measured to be faster (docs/performance.md). On other devices a
layer is a few matrix products for all leads at once. In an exported graph it is one convolution in
groups.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

Form = Callable[[Tensor, Sequence[Tensor], Sequence[Tensor]], Tensor]


def convolve(signals: Tensor, weights: Sequence[Tensor], biases: Sequence[Tensor]) -> Tensor:
    """Apply all layers in the faster form of the device.

    Args:
        signals: (L, B, T).
        weights: of every layer, (L, 3 C, K).
        biases: of every layer, (L, 1, K).

    Returns:
        (L, B, ceil(T / 2^layers), K of the last layer).
    """
    form: Form = convolve_lead_by_lead if signals.device.type == "cpu" else convolve_together
    if torch.compiler.is_exporting():
        form = convolve_in_groups
    return form(signals, weights, biases)


def convolve_lead_by_lead(
    signals: Tensor, weights: Sequence[Tensor], biases: Sequence[Tensor]
) -> Tensor:
    """Apply all layers to one lead after the other, so that its signals stay in the cache."""
    return apply_function(_LeadByLead, signals, *weights, *biases)


def convolve_together(
    signals: Tensor, weights: Sequence[Tensor], biases: Sequence[Tensor]
) -> Tensor:
    """Apply each layer to all leads at once."""
    hidden = signals.unsqueeze(-1).contiguous()
    for weight, bias in zip(weights, biases, strict=True):
        if hidden.shape[2] % 2:  # padding by nothing would copy
            hidden = F.pad(hidden, (0, 0, 0, 1))
        hidden = apply_function(_StridedConvolution, hidden, weight, bias)
    return hidden


def convolve_in_groups(
    signals: Tensor, weights: Sequence[Tensor], biases: Sequence[Tensor]
) -> Tensor:
    """Apply each layer as one convolution with a group for each lead: few nodes in a graph."""
    n_leads, hidden = signals.shape[0], signals.transpose(0, 1)
    for weight, bias in zip(weights, biases, strict=True):
        taps = weight.view(n_leads, 3, -1, weight.shape[2])
        kernel = taps.permute(0, 3, 2, 1).flatten(0, 1)  # (L K, C, 3)
        hidden = F.conv1d(hidden, kernel, bias.flatten(), 2, 1, groups=n_leads).relu()
    by_lead = hidden.view(-1, n_leads, weights[-1].shape[2], hidden.shape[2])
    return by_lead.permute(1, 0, 3, 2)


def apply_function(function: type[torch.autograd.Function], *tensors: Tensor) -> Tensor:
    """Call a function of ours on what autocast, which does not reach into it, would cast to."""
    device = tensors[0].device.type
    if torch.is_autocast_enabled(device):
        tensors = tuple(tensor.to(torch.get_autocast_dtype(device)) for tensor in tensors)
    outputs: Tensor = function.apply(*tensors)  # type: ignore[no-untyped-call]
    return outputs


class _LeadByLead(torch.autograd.Function):
    """All layers, lead by lead: (L, B, T), weights, biases -> (L, B, T', K).

    Autograd of the same lines would gather the gradients of every lead in tensors of all leads.
    """

    @staticmethod
    def forward(ctx: Any, signals: Tensor, *parameters: Tensor) -> Tensor:
        n_layers = len(parameters) // 2
        signals, inner, last = signals.contiguous(), [], []
        for lead, signal in enumerate(signals):
            hidden = _as_image(signal.unsqueeze(-1))
            for weight, bias in zip(parameters[:n_layers], parameters[n_layers:], strict=True):
                kernel = _as_kernel(weight[lead])
                hidden = F.conv2d(hidden, kernel, bias[lead, 0], stride=(1, 2), padding=(0, 1))
                hidden = hidden.relu_()
                inner.append(hidden)
            last.append(_as_series(inner.pop()))
        outputs = torch.stack(last)
        ctx.shape = signals.shape
        first = signals if ctx.needs_input_grad[1] else None
        ctx.save_for_backward(first, outputs, *parameters[:n_layers], *inner)
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        signals, last, *others = ctx.saved_tensors
        n_layers = len(ctx.needs_input_grad) // 2
        weights, inner = others[:n_layers], others[n_layers:]
        found: list[list[Tensor]] = [[] for _ in ctx.needs_input_grad]
        for lead in range(len(last)):
            below = inner[lead * (n_layers - 1) : (lead + 1) * (n_layers - 1)]
            first = gradient.new_empty(ctx.shape[1:]) if signals is None else signals[lead]
            images = [_as_image(first.unsqueeze(-1)), *below, _as_image(last[lead])]
            of_output = _as_image(gradient[lead])
            for layer in reversed(range(n_layers)):
                wanted = _wanted(ctx.needs_input_grad, layer)
                if not any(wanted):
                    break
                of_output, of_weight, of_bias = _back(
                    of_output, images[layer + 1], images[layer], weights[layer][lead], wanted
                )
                found[1 + layer] += [of_weight] * wanted[1]
                found[1 + n_layers + layer] += [of_bias] * wanted[2]
            if ctx.needs_input_grad[0]:
                found[0].append(_as_series(of_output).squeeze(-1))
        return tuple(torch.stack(each) if each else None for each in found)


def _wanted(inputs: Sequence[bool], layer: int) -> list[bool]:
    """Tell which gradients a layer must yield: of its input, its weights, its biases."""
    n_layers = len(inputs) // 2
    weights, biases = inputs[1 : 1 + n_layers], inputs[1 + n_layers :]
    return [any((inputs[0], *weights[:layer], *biases[:layer])), weights[layer], biases[layer]]


def _back(
    gradient: Tensor, output: Tensor, hidden: Tensor, weight: Tensor, wanted: list[bool]
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of a layer's input (B, C, 1, T), weights (3 C, K) and biases (1, K)."""
    gradient = torch.ops.aten.threshold_backward(gradient, output, 0)
    of_hidden, of_kernel, of_bias = torch.ops.aten.convolution_backward(
        gradient, hidden, _as_kernel(weight), [weight.shape[1]], [1, 2], [0, 1], [1, 1], False,
        [0, 0], 1, wanted,
    )  # fmt: skip
    if wanted[1]:
        of_kernel = of_kernel.squeeze(2).permute(2, 1, 0).reshape(weight.shape)
    return of_hidden, of_kernel, of_bias.unsqueeze(0) if wanted[2] else of_bias


def _as_image(series: Tensor) -> Tensor:
    """View (B, T, C) as (B, C, 1, T) with the channels last in memory."""
    return series.unsqueeze(1).permute(0, 3, 1, 2)


def _as_series(image: Tensor) -> Tensor:
    """View (B, C, 1, T) as (B, T, C)."""
    return image.squeeze(2).transpose(1, 2)


def _as_kernel(weight: Tensor) -> Tensor:
    """View (3 C, K) as the kernel (K, C, 1, 3) of a convolution."""
    return weight.view(3, -1, weight.shape[1]).permute(2, 1, 0).unsqueeze(2)


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
