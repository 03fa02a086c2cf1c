"""Bound what a record may cost in time and memory, whatever its file declares."""

import math

from data_modules.reading.reasons import RecordError

MAX_HEADER_BYTES = 65_536
MAX_FILE_BYTES = 16 << 20  # of a file that is parsed as a whole; a 12-lead ECG takes at most 1 MB
MAX_SIGNALS = 64
MAX_VALUES = 20_000_000  # samples times signals: 22 minutes of 15 leads at 1000 Hz
MAX_DURATION_S = 7200.0  # longer ones are Holter recordings: cut them first
RATE_RANGE_HZ = (50.0, 5000.0)  # below 50 Hz no QRS is resolved; above 5000 Hz no ECG is stored
GAIN_RANGE = (1e-6, 1e12)  # counts per unit, from megavolts to below any noise


def check_rate(rate_hz: float, *, record: str, text: str | None = None) -> float:
    """Return the sampling rate if it is plausible.

    Args:
        rate_hz: the rate, NaN where the file states none or no number.
        record: the record as the user names it.
        text: the rate as the file writes it, for the message.

    Raises:
        RecordError: `rate_invalid`.
    """
    low, high = RATE_RANGE_HZ
    if not low <= rate_hz <= high:
        shown = (text or "missing") if text is not None else f"{rate_hz:g}"
        problem = f"the sampling rate is {shown}; expected {low:g} to {high:g} Hz"
        raise RecordError("rate_invalid", record=record, problem=problem)
    return rate_hz


def check_gain(gain: float, *, record: str, text: str, of: str = "") -> float:
    """Return a gain in counts per unit if it is finite and above zero.

    Args:
        gain: the gain, NaN where the file states none or no number.
        record: the record as the user names it.
        text: the gain as the file writes it, for the message.
        of: the signal, for the message; empty where it is the gain of all.

    Raises:
        RecordError: `gain_invalid`.
    """
    if math.isnan(gain) or not GAIN_RANGE[0] <= gain <= GAIN_RANGE[1]:
        whose = f" of {of[:40]}" if of else ""
        problem = f"the gain{whose} is {text[:40]!r}; expected counts per unit such as 200/mV"
        raise RecordError("gain_invalid", record=record, problem=problem)
    return gain


def check_values(n_signals: int, n_samples: int, *, record: str) -> None:
    """Check a declared size where the rate is not known yet, before anything is read.

    Raises:
        RecordError: `header_limit`.
    """
    if n_signals > MAX_SIGNALS or n_signals * n_samples > MAX_VALUES:
        problem = (
            f"it declares {n_signals} signals of {n_samples} samples; accepted are {MAX_SIGNALS} "
            f"signals and {MAX_VALUES} values; cut the recording first"
        )
        raise RecordError("header_limit", record=record, problem=problem)


def check_extent(n_signals: int, n_samples: int, rate_hz: float, *, record: str) -> None:
    """Check the declared number of signals and of samples for each, before reading any.

    Raises:
        RecordError: `header_limit`.
    """
    too_long = n_samples > MAX_DURATION_S * rate_hz
    if n_signals > MAX_SIGNALS or n_signals * n_samples > MAX_VALUES or too_long:
        problem = (
            f"it declares {n_signals} signals of {n_samples} samples at {rate_hz:g} Hz; accepted "
            f"are {MAX_SIGNALS} signals, {MAX_VALUES} values and {MAX_DURATION_S:g} s; cut the "
            "recording first"
        )
        raise RecordError("header_limit", record=record, problem=problem)
