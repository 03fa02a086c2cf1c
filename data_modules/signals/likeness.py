"""Find recordings that are altered copies of one another: scaled, noisy, shifted or cut.

A fingerprint is what a copy keeps: how the leads go together at some delays, whatever the gain and
wherever the beats lie. It chooses pairs; the signals themselves, laid over one another, decide.
Measured on public recordings: docs/data.md.
"""

import base64

import numpy as np
import numpy.typing as npt

INDEPENDENT = [0, 1, 6, 7, 8, 9, 10, 11]  # I, II, V1 to V6: the other limb leads follow from these
DELAYS_S = (0.0, 0.02, 0.04, 0.08, 0.14, 0.2, 0.3)
N_NUMBERS = 16
COUNTS_PER_ONE = 4096
LEAST_OVERLAP = 0.5  # of the shorter recording
_N_PRODUCTS = len(DELAYS_S) * len(INDEPENDENT) ** 2
# a random projection keeps distances nearly (Johnson and Lindenstrauss 1984)
_PROJECTION = np.random.RandomState(0).standard_normal((_N_PRODUCTS, N_NUMBERS)) / 4.0

Signals = npt.NDArray[np.int16]


def fingerprints(ecg: Signals, *, sampling_rate_hz: float) -> npt.NDArray[np.float32]:
    """Return the fingerprint of each recording, (N, `N_NUMBERS`); zeros where nothing moves.

    Args:
        ecg: counts, (N, 12, T), zeros in leads that hold no signal.
        sampling_rate_hz: of the counts.
    """
    leads = ecg[:, INDEPENDENT].astype(np.float32)
    leads -= leads.mean(axis=-1, keepdims=True)
    later, n_samples = leads.transpose(0, 2, 1), leads.shape[-1]
    delays = [min(round(delay * sampling_rate_hz), n_samples - 1) for delay in DELAYS_S]
    products = np.stack([leads[..., : n_samples - one] @ later[:, one:] for one in delays], axis=1)
    flat = products.reshape(len(ecg), -1)
    size = np.linalg.norm(flat, axis=1, keepdims=True)
    found = (flat / np.where(size > 0, size, 1.0)) @ _PROJECTION
    return np.asarray(found, dtype=np.float32)


def pack(fingerprint: npt.NDArray[np.float32]) -> str:
    """Write a fingerprint as text of 44 letters; empty where nothing moves."""
    if not fingerprint.any():
        return ""
    return base64.b64encode(as_counts(fingerprint).tobytes()).decode("ascii")


def as_counts(fingerprint: npt.NDArray[np.float32]) -> npt.NDArray[np.int16]:
    """Return fingerprints in whole numbers, as stores keep them; zeros for NaN."""
    return np.rint(np.nan_to_num(fingerprint) * COUNTS_PER_ONE).astype("<i2")


def unpack(text: str) -> npt.NDArray[np.float32]:
    """Read what `pack` wrote; NaN where the text is empty."""
    if not text:
        return np.full(N_NUMBERS, np.nan, np.float32)
    counts = np.frombuffer(base64.b64decode(text), dtype="<i2")
    return np.asarray(counts / COUNTS_PER_ONE, dtype=np.float32)


def likeness(first: Signals, second: Signals) -> float:
    """Return the correlation of two recordings where they lie best over one another.

    Args:
        first: counts, (12, T).
        second: counts, (12, T).

    Returns:
        At most 1, over all leads together; padding at the ends is left out.
    """
    one, two = _moving(first), _moving(second)
    n_one, n_two = one.shape[1], two.shape[1]
    size = 1 << (n_one + n_two - 1).bit_length()
    spectrum = (np.fft.rfft(one, size).conj() * np.fft.rfft(two, size)).sum(axis=0)
    together = np.fft.irfft(spectrum, size)
    delay = np.arange(1 - n_one, n_two)
    begin, end = np.maximum(0, -delay), np.minimum(n_one, n_two - delay)
    enough = end - begin >= LEAST_OVERLAP * min(n_one, n_two)
    delay, begin, end = delay[enough], begin[enough], end[enough]
    power = _power(one, begin, end) * _power(two, begin + delay, end + delay)
    return float((together[delay % size] / np.sqrt(np.maximum(power, 1e-9))).max())


def _moving(ecg: Signals) -> npt.NDArray[np.float64]:
    """Return the independent leads about their means, without padding at the ends."""
    leads = ecg[INDEPENDENT].astype(np.float64)
    moving = np.flatnonzero(leads.any(axis=0))
    if len(moving):
        leads = leads[:, moving[0] : moving[-1] + 1]
    return np.asarray(leads - leads.mean(axis=1, keepdims=True))


def _power(
    leads: npt.NDArray[np.float64], begin: npt.NDArray[np.int_], end: npt.NDArray[np.int_]
) -> npt.NDArray[np.float64]:
    """Return the power of all leads together in each stretch."""
    sums = np.concatenate([[0.0], np.cumsum((leads**2).sum(axis=0))])
    return np.asarray(sums[end] - sums[begin])
