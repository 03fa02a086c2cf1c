"""Find gaps and leads that carry no heart: flat, saturated."""

import numpy as np
import numpy.typing as npt

# Thresholds in mV, measured on the 600 recordings of CinC 2011 (ADC step 5 uV): all 616 leads that
# its labels call flat meet them; dead leads toggle within 0.020 mV, and the smallest lead with a
# heartbeat, there and in LUDB, CinC 2021 and CPSC 2018, spans 0.128 mV.
FLAT_MV = 0.03
STILL_MV = 0.0055  # within one second: one ADC step of MIMIC-IV-ECG, with room for rounding
STILL_SHARE = 0.5  # of the seconds: the electrode was off for half of the recording
# An amplifier takes at least +-5 mV (IEC 60601-2-25), so beyond it only a rail keeps a lead at its
# extreme. Below it stays are harmless: up to 0.28 s in slow baselines of sound leads (LUDB).
RAIL_MV = 5.0
RAIL_S = 0.1
# Bridged samples of a lead in all; above it the lead is no longer a measurement.
GAP_SHARE = 0.05
PULSE_S = (0.1, 2.0)  # shortest and longest calibration pulse with the rest around it
PULSE_MV = 0.5  # devices draw 1 mV, some half of it
PULSE_LEADS = 3

Ecg = npt.NDArray[np.float32]
LeadMask = npt.NDArray[np.bool_]


def longest_run(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return the length of the longest run of True along the last axis, (L, T) -> (L,)."""
    position = np.arange(mask.shape[-1])
    last_false = np.maximum.accumulate(np.where(mask, -1, position), axis=-1)
    return np.asarray((position - last_false).max(axis=-1), dtype=np.int64)


def missing_at_start(ecg: Ecg, *, more_than: int) -> int:
    """Return how many samples at the start no lead has, 0 where they are few or too many.

    A device that begins to store before its amplifier runs leaves them out in all leads. There is
    no sample before them to bridge from, and a recording without them is sound, only shorter.

    Args:
        ecg: signals, shape (L, T), NaN where a sample is missing.
        more_than: samples that are bridged; as many and fewer are 0, as more than `GAP_SHARE`.
    """
    if not ecg.size or not np.isnan(ecg[:, 0]).all():
        return 0
    held = ~np.isnan(ecg).all(axis=0)
    missing = int(held.argmax()) if held.any() else 0
    return missing if more_than < missing <= GAP_SHARE * ecg.shape[-1] else 0


def pulse_at_start(ecg: Ecg, rate: float) -> int:
    """Return how many samples at the start are a calibration pulse, which is the same in all leads.

    No heart gives it: where I and II are the same, III is zero.

    Args:
        ecg: signals in mV, shape (L, T).
        rate: samples for each second.
    """
    if len(ecg) < PULSE_LEADS or not ecg.size or (ecg[:, 0] != ecg[0, 0]).any():
        return 0
    some = ecg[:, : round(PULSE_S[1] * rate) + 1]
    differ = (some != some[0]).any(axis=0)
    length = int(differ.argmax())
    high = length >= PULSE_S[0] * rate and float(np.ptp(some[0, :length])) >= PULSE_MV
    return length if high else 0


def interpolate_gaps(ecg: Ecg, *, max_gap: int) -> tuple[Ecg, npt.NDArray[np.int64]]:
    """Bridge short gaps by straight lines.

    Args:
        ecg: signals, shape (L, T), NaN where a sample is missing.
        max_gap: longest gap to bridge, in samples.

    Returns:
        Signals of the same shape, leads with a longer gap or too many missing samples as they
        were; and the number of bridged samples for each lead, shape (L,).
    """
    missing = np.isnan(ecg)
    count = missing.sum(axis=-1)
    if not count.any():
        return ecg, count
    bridged = (longest_run(missing) <= max_gap) & (count <= GAP_SHARE * ecg.shape[-1])
    filled, samples = ecg.copy(), np.arange(ecg.shape[-1])
    for lead in np.flatnonzero(bridged & (count > 0)):  # rare: 1.3 % of MIMIC-IV-ECG has any gap
        gap = missing[lead]
        filled[lead, gap] = np.interp(samples[gap], samples[~gap], ecg[lead, ~gap])
    return filled, np.where(bridged, count, 0)


def find_flat(ecg: Ecg, *, sampling_rate_hz: float) -> LeadMask:
    """Find leads that span almost nothing, or stand still for half of the time.

    Args:
        ecg: unfiltered signals without NaN, shape (L, T), mV.
        sampling_rate_hz: rate of `ecg`.

    Returns:
        Which leads are flat, shape (L,).
    """
    second = min(round(sampling_rate_hz), ecg.shape[-1])
    windows = ecg[:, : ecg.shape[-1] // second * second].reshape(len(ecg), -1, second)
    still = np.ptp(windows, axis=-1) <= STILL_MV
    return np.asarray((np.ptp(ecg, axis=-1) <= FLAT_MV) | (still.mean(axis=-1) >= STILL_SHARE))


def find_saturated(ecg: Ecg, *, sampling_rate_hz: float) -> LeadMask:
    """Find leads that stay at an extreme beyond the amplifier's range.

    Args:
        ecg: unfiltered signals without NaN, shape (L, T), mV.
        sampling_rate_hz: rate of `ecg`.

    Returns:
        Which leads are saturated, shape (L,).
    """
    highest, lowest = ecg.max(axis=-1), ecg.min(axis=-1)
    saturated = np.zeros(len(ecg), dtype=np.bool_)
    suspects = np.flatnonzero((highest >= RAIL_MV) | (lowest <= -RAIL_MV))
    if len(suspects):  # few leads reach a rail at all
        part, high, low = ecg[suspects], highest[suspects, None], lowest[suspects, None]
        at_rail = ((part == high) & (high >= RAIL_MV)) | ((part == low) & (low <= -RAIL_MV))
        saturated[suspects] = longest_run(at_rail) >= RAIL_S * sampling_rate_hz
    return saturated
