"""Keep the places of beats and the median beats of recordings from one epoch to the next.

Finding beats does not depend on the weights, and on a CPU it costs more than the rest of a training
step. Recordings are known by their content: whatever a DataModule calls them, and whichever batch
they come in, what is kept is of the very numbers that are seen.

Shape legend: B batch, L leads, T samples, K beats (the most that a recording of the batch has), N
samples of a beat.
"""

import hashlib
import warnings
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lsemvae.core.counted import counted
from lsemvae.nn.heart_beats import BeatWindow, cut_beats, find_beats, median_of_beats

LIMIT_BYTES = 512 * 2**20
"""Of one process: some 80,000 recordings of 12 leads at 100 Hz."""

BOOKKEEPING_BYTES = 600  # of a recording: its key, its entry, two arrays' heads


class TypicalBeats(NamedTuple):
    """Beats of a batch and what they have in common.

    Attributes:
        place: (B, K), sample of each R peak; any place of the recording where `valid` is False.
        valid: (B, K) bool.
        median: (B, L, N), median over the valid beats.
    """

    place: Tensor
    valid: Tensor
    median: Tensor


class _Known(NamedTuple):
    """Places (n,) and median beat (L, N) of one recording."""

    place: npt.NDArray[np.int32]
    median: npt.NDArray[np.float32]


def typical_beats(ecg: Tensor, present: Tensor, window: BeatWindow) -> TypicalBeats:
    """Find the beats of recordings (B, L, T) and their median; arguments as in `find_beats`."""
    found = find_beats(ecg, present, window)
    median = median_of_beats(cut_beats(ecg, found.place, window), found.valid)
    return TypicalBeats(found.place, found.valid, median)


class KeptBeats:
    """`typical_beats` that computes a recording once; the numbers are the same.

    It computes anew what is not on a CPU, where the beats cost little, and what needs gradients or
    is compiled. Copies of a network and its files begin with nothing kept.

    Args:
        window: what belongs to a beat.
        limit_bytes: memory to fill; recordings beyond it are computed each time, and a warning says
            so once.
    """

    def __init__(self, window: BeatWindow, limit_bytes: int = LIMIT_BYTES) -> None:
        self._window, self._limit_bytes = window, limit_bytes
        self._kept: dict[bytes, _Known] = {}
        self._n_bytes = 0
        self._is_full = False

    def __reduce__(self) -> tuple[type["KeptBeats"], tuple[BeatWindow, int]]:
        return type(self), (self._window, self._limit_bytes)

    def __len__(self) -> int:
        """Return the number of recordings that are kept."""
        return len(self._kept)

    def of(self, ecg: Tensor, present: Tensor) -> TypicalBeats:
        """Return the beats of recordings (B, L, T) with the leads `present` (B, L)."""
        computed = torch.compiler.is_compiling() or ecg.requires_grad or ecg.dtype != torch.float32
        if computed or ecg.device.type != "cpu":
            return typical_beats(ecg, present, self._window)
        keys = _contents(ecg, present)
        found = {key: self._kept[key] for key in keys if key in self._kept}
        new = {key: number for number, key in enumerate(keys) if key not in found}
        if new:
            rows = list(new.values())
            fresh = _apart(typical_beats(ecg[rows], present[rows], self._window))
            for key, known in zip(new, fresh, strict=True):
                found[key] = known
                self._keep(key, known)
        return self._together([found[key] for key in keys])

    def _keep(self, key: bytes, known: _Known) -> None:
        size = known.place.nbytes + known.median.nbytes + BOOKKEEPING_BYTES
        if self._n_bytes + size <= self._limit_bytes:
            self._kept[key] = known
            self._n_bytes += size
        elif not self._is_full:
            self._is_full = True
            warnings.warn(
                f"the beats of {counted(len(self._kept), 'recording')} fill "
                f"{self._limit_bytes / 2**20:.0f} MB; those of the others are found in every "
                "epoch anew, with the same result",
                stacklevel=2,
            )

    def _together(self, known: list[_Known]) -> TypicalBeats:
        n_beats = np.array([len(one.place) for one in known])
        valid = np.arange(n_beats.max()) < n_beats[:, None]
        place = np.full(valid.shape, self._window.before, np.int64)
        place[valid] = np.concatenate([one.place for one in known])
        median = np.stack([one.median for one in known])
        return TypicalBeats(*map(torch.from_numpy, (place, valid, median)))


def _apart(beats: TypicalBeats) -> list[_Known]:
    """Return what was found of each recording, as copies that hold nothing of the batch."""
    place, valid, median = (part.numpy() for part in beats)
    return [
        _Known(place[row, valid[row]].astype(np.int32), median[row].copy())
        for row in range(len(place))
    ]


def _contents(ecg: Tensor, present: Tensor) -> list[bytes]:
    """Return what tells recordings apart: SHA-256 of their samples and of their leads, (B,)."""
    samples, leads = (part.detach().contiguous().numpy() for part in (ecg, present))
    digests = []
    for recording, of_recording in zip(samples, leads, strict=True):
        digest = hashlib.sha256(recording)
        digest.update(of_recording)
        digests.append(digest.digest())
    return digests
