"""Find and cut the heartbeats of whole recordings, on the device for a whole batch.

The rules are those of the median beats that `lsemvae prepare` makes: the energy of the QRS band
over all leads, a threshold relative to its usual peak, and two alignments to the typical beat.

While a graph is exported (`lsemvae export`), places are filled up to the most beats that a
recording can have, and spectra are replaced by what `beats_in_graphs` computes.

Shape legend: B batch, L leads, T samples, K beats (the most that a recording of the batch has), N
samples of a beat.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from lsemvae.core.errors import InputError
from lsemvae.nn.beats_in_graphs import convolved_energy, likeness_by_lag

QRS_BAND_HZ = (8.0, 25.0)
SMOOTHING_S = 0.03
REFRACTORY_S = 0.3
THRESHOLD_SHARE = 0.35
BLOCK_S = 2.0
MAX_SHIFT_S = 0.04
N_ALIGNMENTS = 2
LEAST_ENERGY = 1e-6  # of a lead of unit variance; less is the rounding of a flat line
N_RHYTHM = 8
"""Figures of the rhythm that `rhythm_figures` yields."""


class Beats(NamedTuple):
    """Where the beats of a batch of recordings are.

    Attributes:
        place: (B, K), sample of each R peak after alignment.
        valid: (B, K) bool, False in places that fill the row; every recording has one beat at
            least.
        peak: (B, T) bool, every R peak, those too close to an end for a whole beat included.
    """

    place: Tensor
    valid: Tensor
    peak: Tensor


@dataclass(frozen=True)
class BeatWindow:
    """Which samples belong to a beat.

    Attributes:
        sampling_rate_hz: of the recordings.
        before_s: seconds before the R peak.
        after_s: seconds after it; both as a median beat has them.
    """

    sampling_rate_hz: float = 100.0
    before_s: float = 0.45
    after_s: float = 0.75

    def __post_init__(self) -> None:
        """Reject what cannot hold a QRS complex."""
        if self.sampling_rate_hz < 50.0:
            raise InputError(f"sampling_rate_hz must be 50 or more, got {self.sampling_rate_hz}")
        if self.before_s <= 0.0 or self.after_s <= 0.0:
            raise InputError("a beat needs time before and after its R peak, both above 0 s")

    @property
    def before(self) -> int:
        """Samples before the R peak."""
        return round(self.before_s * self.sampling_rate_hz)

    @property
    def n_samples(self) -> int:
        """N."""
        return self.before + round(self.after_s * self.sampling_rate_hz)

    @property
    def shift(self) -> int:
        """Samples by which the alignment may move a beat at a time."""
        return max(1, round(MAX_SHIFT_S * self.sampling_rate_hz))

    def inner(self, n_samples: int) -> tuple[int, int]:
        """Return the first and the last sample of a recording where a whole beat may have its peak.

        Raises:
            InputError: the recording holds no whole beat.
        """
        first = self.before + N_ALIGNMENTS * self.shift
        last = n_samples - (self.n_samples - self.before) - N_ALIGNMENTS * self.shift
        if last < first:
            raise InputError(
                f"recordings of {n_samples} samples hold no beat of {self.n_samples} with its "
                f"alignment; {self.n_samples + 2 * N_ALIGNMENTS * self.shift} are needed"
            )
        return first, last

    def most_beats(self, n_samples: int) -> int:
        """Return how many whole beats fit into a recording, a refractory time apart."""
        first, last = self.inner(n_samples)
        return most_peaks(last - first + 1, self.sampling_rate_hz)


def most_peaks(n_samples: int, sampling_rate_hz: float) -> int:
    """Return how many peaks `find_peaks` can mark among so many samples."""
    return (n_samples - 1) // (_reach(sampling_rate_hz) + 1) + 1


@torch.no_grad()
def find_beats(ecg: Tensor, present: Tensor, window: BeatWindow) -> Beats:
    """Find and align the beats of recordings.

    Where a recording has no peak with a whole beat around it, the place of the largest energy
    stands for one, so that it still has a code.

    Args:
        ecg: (B, L, T), any unit, zero in absent leads.
        present: (B, L) bool.
        window: what belongs to a beat.

    Raises:
        InputError: the recordings are too short for a whole beat.
    """
    first, last = window.inner(ecg.shape[-1])
    energy = qrs_energy(ecg, present, window.sampling_rate_hz)
    peak = find_peaks(energy, window.sampling_rate_hz)
    sample = torch.arange(ecg.shape[-1], device=ecg.device)
    whole = peak & (sample >= first) & (sample <= last)
    largest = energy[:, first : last + 1].argmax(1, keepdim=True) + first
    whole = whole | (~whole.any(1, keepdim=True) & (sample == largest))
    n_beats = whole.sum(1, keepdim=True)
    fixed = torch.compiler.is_exporting()
    most = window.most_beats(ecg.shape[-1]) if fixed else int(n_beats.max())
    order = _first_marked(whole, most)
    valid = torch.arange(order.shape[1], device=ecg.device) < n_beats
    place = _aligned(ecg, torch.where(valid, order, first), valid, window)
    return Beats(place, valid, peak)


def cut_beats(ecg: Tensor, place: Tensor, window: BeatWindow) -> Tensor:
    """Cut beats out of recordings: (B, L, T) and R peaks (B, K) -> (B, K, L, N)."""
    return _cut(ecg, place - window.before, window.n_samples)


def qrs_energy(ecg: Tensor, present: Tensor, sampling_rate_hz: float) -> Tensor:
    """Return the smoothed energy in the QRS band, averaged over the present leads, (B, T).

    The band is a Butterworth filter of order 2, forwards and backwards, as a product of spectra;
    the recording is mirrored at its ends.
    """
    n_samples = ecg.shape[-1]
    pad = min(n_samples - 1, round(sampling_rate_hz))
    scale = ecg.std(-1, keepdim=True).clamp_min(1e-6)
    mirrored = F.pad(ecg / scale, (pad, pad), mode="reflect")
    weight = present / present.sum(1, keepdim=True)
    low, high = QRS_BAND_HZ[0], min(QRS_BAND_HZ[1], 0.45 * sampling_rate_hz)
    if torch.compiler.is_exporting():
        return convolved_energy(
            mirrored, weight, pad=pad, sampling_rate_hz=sampling_rate_hz, band_hz=(low, high),
            smoothing_s=SMOOTHING_S,
        )  # fmt: skip
    f = torch.fft.rfftfreq(mirrored.shape[-1], 1.0 / sampling_rate_hz, device=ecg.device)
    detuned = (f.square() - low * high) / (f * (high - low)).clamp_min(1e-9)
    gain = 1.0 / (1.0 + detuned.pow(4))
    band = torch.fft.irfft(torch.fft.rfft(mirrored) * gain, n=mirrored.shape[-1])
    energy = (band.square() * weight.unsqueeze(-1)).sum(1)
    smoothing = torch.exp(-2.0 * (torch.pi * SMOOTHING_S * f).square())
    smooth: Tensor = torch.fft.irfft(torch.fft.rfft(energy) * smoothing, n=mirrored.shape[-1])
    return smooth[:, pad : pad + n_samples]


def find_peaks(energy: Tensor, sampling_rate_hz: float) -> Tensor:
    """Mark the samples (B, T) that are the largest within the refractory time and large enough."""
    block = min(round(BLOCK_S * sampling_rate_hz), energy.shape[-1])
    n_blocks = energy.shape[-1] // block
    blocks = energy[:, : n_blocks * block].reshape(-1, n_blocks, block)
    usual = _median(blocks.amax(-1), torch.full_like(energy[:, :1], n_blocks, dtype=torch.int64))
    reach = _reach(sampling_rate_hz)
    largest = F.max_pool1d(energy.unsqueeze(1), 2 * reach + 1, stride=1, padding=reach).squeeze(1)
    sample = torch.arange(energy.shape[-1], device=energy.device)
    inside = (sample > 0) & (sample < energy.shape[-1] - 1)
    enough = (energy >= THRESHOLD_SHARE * usual) & (energy > LEAST_ENERGY)
    return (energy == largest) & enough & inside


def _reach(sampling_rate_hz: float) -> int:
    """Return by how many samples the next peak is further away at least."""
    return round(REFRACTORY_S * sampling_rate_hz) - 1


def _first_marked(mark: Tensor, n: int) -> Tensor:
    """Return the first n marked samples of each row in order, (B, n); any where fewer are."""
    backwards = torch.arange(mark.shape[-1], 0, -1, device=mark.device)
    return torch.where(mark, backwards, 0).topk(n, dim=1).indices


def _median(values: Tensor, n: Tensor) -> Tensor:
    """Return the median of the n (B, 1) smallest of each row, (B, 1)."""
    ordered = values.sort(1).values
    low, high = ordered.gather(1, (n - 1) // 2), ordered.gather(1, n // 2)
    return high - (high - low) / 2


def _aligned(ecg: Tensor, place: Tensor, valid: Tensor, window: BeatWindow) -> Tensor:
    """Move each beat to where it is most like the mean beat of its recording, (B, K)."""
    for _ in range(N_ALIGNMENTS):
        counted = valid[..., None, None] / valid.sum(1)[:, None, None, None]
        typical = (cut_beats(ecg, place, window) * counted).sum(1)
        around = _cut(
            ecg, place - window.before - window.shift, window.n_samples + 2 * window.shift
        )
        place = place + _likeness(around, typical).argmax(-1) - window.shift
    return place


def _likeness(around: Tensor, typical: Tensor) -> Tensor:
    """Correlate beats (B, K, L, N + S - 1) with (B, L, N) at S lags by their spectra, (B, K, S)."""
    if torch.compiler.is_exporting():
        return likeness_by_lag(around, typical)
    length = around.shape[-1]
    spectrum = torch.fft.rfft(typical, n=length).conj().unsqueeze(1)
    together = (torch.fft.rfft(around) * spectrum).sum(2)
    lags: Tensor = torch.fft.irfft(together, n=length)
    return lags[..., : length - typical.shape[-1] + 1]


def chosen_beats(beats: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Return the valid ones of beats (B, K, L, N) as (M, L, N), and the recording of each, (M,).

    In a graph, whose shapes cannot follow what is found, all B K places are returned.
    """
    if torch.compiler.is_exporting():
        recording = torch.arange(beats.shape[0], device=beats.device)
        return beats.flatten(0, 1), recording.unsqueeze(1).expand(-1, beats.shape[1]).flatten()
    return beats[valid], valid.nonzero()[:, 0]


def average_over_beats(values: Tensor, *, owner: Tensor, valid: Tensor) -> Tensor:
    """Average what was found of `chosen_beats` for each recording, (M, ...) -> (B, ...)."""
    n_beats, rest = valid.sum(1), [1] * (values.ndim - 1)
    if torch.compiler.is_exporting():
        weight = (valid / n_beats.unsqueeze(1)).view(-1, valid.shape[1], *rest)
        return (values.view(-1, valid.shape[1], *values.shape[1:]) * weight).sum(1)
    total = values.new_zeros(len(valid), *values.shape[1:]).index_add_(0, owner, values)
    return total / n_beats.view(-1, *rest)


def median_of_beats(beats: Tensor, valid: Tensor) -> Tensor:
    """Return the median over the valid beats, (B, K, L, N) -> (B, L, N)."""
    hidden = beats.masked_fill(~valid[..., None, None], torch.nan)
    typical: Tensor = hidden.nanquantile(0.5, dim=1)
    return typical


def _cut(ecg: Tensor, start: Tensor, length: int) -> Tensor:
    """Cut windows of one length out of recordings: (B, L, T) and (B, K) -> (B, K, L, length)."""
    samples = start.unsqueeze(-1) + torch.arange(length, device=ecg.device)
    index = samples.unsqueeze(2).expand(-1, -1, ecg.shape[1], -1)
    return ecg.unsqueeze(1).expand(-1, start.shape[1], -1, -1).gather(3, index)


def rhythm_figures(peak: Tensor, sampling_rate_hz: float) -> Tensor:
    """Return what the distances between R peaks say of the rhythm, (B, 8); zeros below three peaks.

    In order: log of the median RR interval in seconds; its standard deviation over its mean; root
    mean square and mean size of successive differences, shortest and longest interval, each over
    the median; share of successive differences above 50 ms (pNN50); log of the number of peaks.

    Args:
        peak: (B, T) bool.
        sampling_rate_hz: of the recordings.
    """
    n_peaks = peak.sum(1, keepdim=True)
    fixed = torch.compiler.is_exporting()
    most = most_peaks(peak.shape[1], sampling_rate_hz) if fixed else int(n_peaks.max())
    rr = _first_marked(peak, max(3, most)).diff(dim=1).float() / sampling_rate_hz
    known = torch.arange(rr.shape[1], device=peak.device) < n_peaks - 1
    change = rr.diff(dim=1).abs()
    both = known[:, 1:]
    n_rr, n_changes = known.sum(1).clamp_min(1), both.sum(1).clamp_min(1)
    mean = torch.where(known, rr, 0.0).sum(1) / n_rr
    variance = torch.where(known, (rr - mean.unsqueeze(1)).square(), 0.0).sum(1) / n_rr
    usual = _median(rr.masked_fill(~known, torch.inf), n_rr.unsqueeze(1)).squeeze(1)
    figures = [
        usual.log(),
        variance.sqrt() / mean,
        (torch.where(both, change.square(), 0.0).sum(1) / n_changes).sqrt() / usual,
        torch.where(both, change, 0.0).sum(1) / n_changes / usual,
        rr.masked_fill(~known, torch.inf).amin(1) / usual,
        rr.masked_fill(~known, -torch.inf).amax(1) / usual,
        (both & (change > 0.05)).sum(1) / n_changes,
        n_peaks.squeeze(1).float().log1p(),
    ]
    return torch.where(n_peaks >= 3, torch.stack(figures, 1), 0.0)
