"""Compute the LS-EMVAE networks slowly and apart: one module per lead, in a Python loop.

They are built from nn.Conv1d, nn.ConvTranspose1d and nn.Linear alone and share no code with the
fast forms; `copy_encoders` and `copy_decoder` give them the weights of a fast form. The tests
compare numbers with them, the benchmark compares time.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lsemvae.core.leads import LEADS
from lsemvae.nn.decoders import StackedDecoder
from lsemvae.nn.lead_encoders import LeadEncoderBank


class PlainEncoder(nn.Module):
    """Encode one lead (B, T) to mean and log variance, each (B, D)."""

    def __init__(self, n_samples: int, latent_dim: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv1d(1, 16, kernel_size=3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv1d(16, 32, kernel_size=3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv1d(32, 64, kernel_size=3, stride=2, padding=1),
            nn.ReLU(),
        )
        n_flat = 64 * -(-n_samples // 8)
        self.mean = nn.Linear(n_flat, latent_dim)
        self.log_variance = nn.Linear(n_flat, latent_dim)

    def forward(self, lead: Tensor) -> tuple[Tensor, Tensor]:
        flat = self.convolutions(lead.unsqueeze(1)).flatten(1)
        return self.mean(flat), self.log_variance(flat)


class PlainEncoders(nn.Module):
    """Twelve encoders, found by lead name and called one after the other."""

    def __init__(self, n_samples: int, latent_dim: int) -> None:
        super().__init__()
        self.encoders = nn.ModuleDict({lead: PlainEncoder(n_samples, latent_dim) for lead in LEADS})

    def forward(self, ecg: Tensor, leads: Sequence[str]) -> Tensor:
        outputs = [
            torch.cat(self.encoders[lead](ecg[:, position]), dim=-1)
            for position, lead in enumerate(leads)
        ]
        return torch.stack(outputs, dim=1)


class PlainDecoder(nn.Module):
    """Decode (B, D) to (B, C, T)."""

    def __init__(self, latent_dim: int, n_samples: int, n_channels: int) -> None:
        super().__init__()
        self.n_samples = n_samples
        self.linear = nn.Linear(latent_dim, 64 * -(-n_samples // 8))
        self.convolutions = nn.Sequential(
            nn.ConvTranspose1d(64, 32, kernel_size=4, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose1d(32, 16, kernel_size=4, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose1d(16, n_channels, kernel_size=4, stride=2, padding=1),
        )

    def forward(self, z: Tensor) -> Tensor:
        hidden = self.linear(z).view(len(z), 64, -1)
        return torch.as_tensor(self.convolutions(hidden)[..., : self.n_samples])


@torch.no_grad()
def copy_encoders(bank: LeadEncoderBank, plain: PlainEncoders) -> None:
    """Copy the bank's weights: its taps are (tap, channel) rows, its features (time, channel)."""
    for index, lead in enumerate(LEADS):
        encoder = plain.encoders[lead]
        convolutions = [layer for layer in encoder.convolutions if isinstance(layer, nn.Conv1d)]
        for layer, weight, bias in zip(
            convolutions, bank.conv_weights, bank.conv_biases, strict=True
        ):
            taps = weight[index].view(3, layer.in_channels, layer.out_channels)
            layer.weight.copy_(taps.permute(2, 1, 0))
            layer.bias.copy_(bias[index, 0])
        rows = bank.linear_weight[index].unflatten(1, (-1, 64))
        both = rows.transpose(1, 2).flatten(1).chunk(2)
        for linear, weight, bias in zip(
            (encoder.mean, encoder.log_variance),
            both,
            bank.linear_bias[index, 0].chunk(2),
            strict=True,
        ):
            linear.weight.copy_(weight)
            linear.bias.copy_(bias)


@torch.no_grad()
def copy_decoder(fast: StackedDecoder, plain: PlainDecoder, index: int = 0) -> None:
    """Copy decoder number `index` of a fast form; its features are (time, channel), as above."""
    weight = fast.linear_weight[index].view(len(fast.linear_weight[index]), -1, 64)
    plain.linear.weight.copy_(weight.permute(2, 1, 0).flatten(0, 1))
    plain.linear.bias.copy_(fast.linear_bias[index, 0].view(-1, 64).T.flatten())
    layers = [layer for layer in plain.convolutions if isinstance(layer, nn.ConvTranspose1d)]
    for layer, taps, bias in zip(layers, fast.conv_weights, fast.conv_biases, strict=True):
        kernel = taps[index].view(layer.in_channels, 4, layer.out_channels)
        layer.weight.copy_(kernel.transpose(1, 2))
        layer.bias.copy_(bias[index, 0])
