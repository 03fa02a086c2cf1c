"""Compute `scipy.signal.sosfiltfilt` for many short signals of one length, 2 to 3 times faster.

scipy steps through the samples one by one. Here a signal is cut into blocks of `BLOCK` samples, and
the recursion becomes matrix products: the response of each block to its own samples, plus that to
the filter's state before it, which is a linear function of what all earlier blocks left behind.
States and their responses are computed in float64, as the poles of a 0.5 Hz edge demand, and the
responses to samples, by far the most work, in float32: the results differ from scipy's by less than
1e-6 of the largest sample.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.signal import sosfilt_zi, sosfiltfilt

BLOCK = 80  # measured on 12 x 5000 samples: 48 to 100 are alike, smaller and larger ones slower
MAX_STATES = (
    1024  # of all blocks; beyond it (20,000 samples) the product over the states costs more
)

Array = npt.NDArray[np.float64]
Signals = npt.NDArray[np.float32]


class _Operator(NamedTuple):
    """One pass over signals of N blocks of b samples, by a filter of n states.

    Attributes:
        within: samples of a block to its response from rest, (b, b), float32.
        inject: samples of a block to the state that they leave behind, (b, n).
        carry: what every block left behind to the states before all blocks, (N n, N n).
        start: the first state to the states before all blocks, (n, N n).
        respond: the state before a block to its response without samples, (n, b).
        rest: the state under a constant input of 1, (n,).
    """

    within: Signals
    inject: Array
    carry: Array
    start: Array
    respond: Array
    rest: Array


def zero_phase(sections: Array, signals: Signals, *, padding: int) -> Signals:
    """Filter forwards and backwards.

    Args:
        sections: second-order sections, shape (sections, 6).
        signals: shape (L, T), T > `padding`.
        padding: samples of odd extension at each end.

    Returns:
        Filtered signals, shape (L, T).
    """
    length = signals.shape[-1] + 2 * padding
    n_blocks = -(-length // BLOCK)
    if n_blocks * 2 * len(sections) > MAX_STATES:
        long = sosfiltfilt(sections, signals, axis=-1, padlen=padding)
        return np.asarray(long, dtype=np.float32)
    operator = _design(sections.tobytes(), n_blocks)
    extended = np.zeros((len(signals), n_blocks * BLOCK), dtype=np.float32)
    end = length - padding
    extended[:, padding:end] = signals
    if padding:
        head, tail = signals[:, 1 : padding + 1], signals[:, -padding - 1 : -1]
        extended[:, :padding] = 2.0 * signals[:, :1] - head[:, ::-1]
        extended[:, end:length] = 2.0 * signals[:, -1:] - tail[:, ::-1]
    forwards = _filter(operator, extended)
    extended[:, :length] = forwards[:, length - 1 :: -1]
    return _filter(operator, extended)[:, padding:end][:, ::-1]


def _filter(operator: _Operator, signals: Signals) -> Signals:
    """Filter (L, N b), starting in the state that the first sample would hold for ever."""
    n_signals, blocks = len(signals), signals.reshape(-1, BLOCK)
    left = (blocks.astype(np.float64) @ operator.inject).reshape(n_signals, -1)
    states = left @ operator.carry + (signals[:, :1] * operator.rest) @ operator.start
    response = states.reshape(len(blocks), -1) @ operator.respond
    response += blocks @ operator.within
    return response.reshape(n_signals, -1).astype(np.float32)


@lru_cache(maxsize=16)
def _design(packed: bytes, n_blocks: int) -> _Operator:
    sections = np.frombuffer(packed).reshape(-1, 6)
    a, b, c, d = _state_space(sections)
    powers = [np.eye(len(a))]
    for _ in range(BLOCK):
        powers.append(a @ powers[-1])
    impulse = np.array([d, *(c @ power @ b for power in powers[: BLOCK - 1])])
    lag = np.arange(BLOCK) - np.arange(BLOCK)[:, None]
    within = np.where(lag >= 0, impulse[np.maximum(lag, 0)], 0.0)
    inject = np.stack([power @ b for power in powers[BLOCK - 1 :: -1]])
    steps = [np.eye(len(a))]
    for _ in range(n_blocks):
        steps.append(powers[BLOCK] @ steps[-1])
    carry = np.zeros((n_blocks, len(a), n_blocks, len(a)))
    for k in range(n_blocks):
        for j in range(k):
            carry[j, :, k] = steps[k - 1 - j].T
    size = n_blocks * len(a)
    start = np.concatenate([step.T for step in steps[:n_blocks]], axis=1)
    respond = np.stack([c @ power for power in powers[:BLOCK]], axis=1)
    return _Operator(
        within.astype(np.float32),
        inject,
        carry.reshape(size, size),
        start,
        respond,
        sosfilt_zi(sections).ravel(),
    )


def _state_space(sections: Array) -> tuple[Array, Array, Array, float]:
    """Return A (n, n), B (n,), C (n,), D of a cascade in scipy's form (transposed direct II)."""
    a, b, c, d = np.zeros((0, 0)), np.zeros(0), np.zeros(0), 1.0
    for b0, b1, b2, _, a1, a2 in sections:
        own = np.array([[-a1, 1.0], [-a2, 0.0]])
        driven = np.array([b1 - a1 * b0, b2 - a2 * b0])
        a = np.block([[a, np.zeros((len(a), 2))], [np.outer(driven, c), own]])
        b = np.concatenate([b, driven * d])
        c = np.concatenate([b0 * c, [1.0, 0.0]])
        d = b0 * d
    return a, b, c, float(d)
