"""Find samples that no heart gives: filled stretches, clipped peaks, spikes, leads that are copies.

Told, not masked. Thresholds were measured on 872 recordings of CinC 2011 and 2021, CPSC 2018, LUDB
and sets shaped like MIMIC-IV-ECG.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from lsemvae.core.leads import LEADS

# Sound leads never stand exactly still together for more than 0.14 s, nor one alone for 0.6 s.
TOGETHER_S, ALONE_S = 0.18, 0.9
OF_USUAL = 2.0  # times as long as other stretches
SHORT_S = 0.05  # shorter stretches are no rest
# A peak that is cut off is flat and ends steeply; a round one ends by about one step.
CLIP_S, CLIP_PEAKS, CLIP_DROP, CLIP_STEPS = 0.012, 5, 0.03, 2.5
TURN_S, TURN_SHARE = 1.0, 0.6  # a lead's part of a printout: 2.5 or 5 of 10 s
N_COMPARED = 50  # samples by which leads are compared first
SPIKE_MV = 3.0  # above both neighbours; a QRS complex of 5 mV rises by 1 mV in 2 ms

Ecg = npt.NDArray[np.float32]
Found = Iterator[tuple[str, str]]


def sample_faults(raw: Ecg, usable: npt.NDArray[np.bool_], rate: float, *, in_mv: bool) -> Found:
    """Yield code and message of each fault.

    Args:
        raw: unfiltered leads in canonical order, (12, T).
        usable: leads that are judged, (12,).
        rate: samples per second.
        in_mv: whether amplitudes mean anything.
    """
    names = [lead for lead, judged in zip(LEADS, usable, strict=True) if judged]
    leads = raw[usable]
    if leads.shape[-1] < 3:
        return
    yield from _filled(leads, names, rate)
    yield from _copies(leads, names)
    yield from _clipped(leads, names, rate)
    if in_mv:
        yield from _spikes(leads, names, rate)


def leads_in_turn(raw: Ecg, faulty: npt.NDArray[np.bool_], rate: float) -> Found:
    """Yield code and message where leads hold a signal one after the other, as on a printout.

    Args:
        raw: unfiltered leads in canonical order, (12, T); zero where samples are missing.
        faulty: leads that are flat or gapped, (12,).
        rate: samples per second.
    """
    ends: dict[tuple[int, int], list[str]] = {}
    for lead in np.flatnonzero(faulty):
        moving = np.flatnonzero(np.diff(raw[lead]))
        if len(moving) and TURN_S * rate <= np.ptp(moving) <= TURN_SHARE * raw.shape[1]:
            ends.setdefault((int(moving[0]), int(moving[-1]) + 1), []).append(LEADS[lead])
    spans = sorted(ends)
    if len(spans) < 2 or max(first for first, _ in spans) < min(last for _, last in spans):
        return
    parts = [f"{first / rate:.3g} to {last / rate:.3g} s {', '.join(ends[first, last])}"
             for first, last in spans[:6]]  # fmt: skip
    yield "leads_in_turn", f"leads hold a signal one after the other: {'; '.join(parts)}"


def stretches(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Return first sample and the one behind the last of each stretch of True, (n, 2)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]])))
    return edges.reshape(-1, 2)


def _filled(leads: Ecg, names: Sequence[str], rate: float) -> Found:
    """Find stretches in which all leads, or one of them for long, have one value."""
    still = leads[:, 1:] == leads[:, :-1]
    together = _unusual(still.all(axis=0), TOGETHER_S, rate) if len(leads) > 1 else ""
    if together:
        yield "samples_filled", f"all leads stand still at once, {together}"
        return
    parts = [
        f"{names[lead]} stands still {part}"
        for lead in np.flatnonzero(_rests(still, ALONE_S, rate)).tolist()
        if (part := _unusual(still[lead], ALONE_S, rate))
    ]
    if parts:
        yield "samples_filled", ", ".join(parts)


def _unusual(still: npt.NDArray[np.bool_], least_s: float, rate: float) -> str:
    """Return the longest stretch as text where it is longer than the others; else nothing."""
    if not _rests(still, least_s, rate):
        return ""
    found = stretches(still)
    lengths = np.sort(found[:, 1] - found[:, 0])
    if not len(lengths) or lengths[-1] < least_s * rate:
        return ""
    # the third longest: ideal signals rest as long between all beats
    if lengths[-3:][0] >= max(SHORT_S * rate, lengths[-1] / OF_USUAL) and len(lengths) > 2:
        return ""
    first, last = found[np.argmax(found[:, 1] - found[:, 0])] / rate
    return f"{first:.4g} to {last:.4g} s"


def _rests(still: npt.NDArray[np.bool_], least_s: float, rate: float) -> npt.NDArray[np.bool_]:
    """Tell which rows (..., T) may hold a stretch that long: it fills a window half as long."""
    window = max(1, int(least_s * rate / 2))
    n_windows = still.shape[-1] // window
    windows = still[..., : n_windows * window].reshape(*still.shape[:-1], n_windows, window)
    return np.asarray(windows.all(axis=-1).any(axis=-1))


def _copies(leads: Ecg, names: Sequence[str]) -> Found:
    """Find leads that hold the same samples."""
    some = np.ascontiguousarray(leads[:, :: max(1, leads.shape[1] // N_COMPARED)])
    alike: dict[bytes, list[int]] = {}
    for lead, part in enumerate(some):
        alike.setdefault(part.tobytes(), []).append(lead)
    same = [
        " and ".join(names[lead] for lead in group)
        for group in alike.values()
        if len(group) > 1 and (leads[group] == leads[group[0]]).all()
    ]
    if same:
        yield "leads_identical", f"{'; '.join(same)} hold the same samples"


def _clipped(leads: Ecg, names: Sequence[str], rate: float) -> Found:
    """Find leads whose peaks are cut off at one value."""
    width = max(3, round(CLIP_S * rate))
    highest, lowest = leads.max(axis=1), leads.min(axis=1)
    clipped = []
    for extreme in (highest, lowest):
        # a stretch of `width` samples holds one of these
        some = leads[:, ::width] == extreme[:, None]
        for lead in np.flatnonzero(np.count_nonzero(some, axis=1) >= CLIP_PEAKS).tolist():
            found = stretches(leads[lead] == extreme[lead])
            found = found[(found[:, 1] - found[:, 0] >= width) & (found[:, 1] < leads.shape[1])]
            drop = np.abs(leads[lead, found[:, 1]] - extreme[lead])
            steps = np.abs(np.diff(leads[lead]))
            one_step = steps[steps > 0].min(initial=np.inf)
            least = max(CLIP_DROP * (highest[lead] - lowest[lead]), CLIP_STEPS * one_step)
            steep = drop >= least
            if steep.sum() >= CLIP_PEAKS:
                clipped.append(f"{names[lead]} at {extreme[lead]:.3g} ({steep.sum()} times)")
    if clipped:
        yield "lead_clipped", ", ".join(clipped)


def _spikes(leads: Ecg, names: Sequence[str], rate: float) -> Found:
    """Find single samples far above or below both neighbours."""
    parts = []
    for lead in np.flatnonzero(np.ptp(leads, axis=1) > SPIKE_MV).tolist():
        rise, fall = np.diff(leads[lead])[:-1], -np.diff(leads[lead])[1:]
        height = np.where(rise * fall > 0, np.minimum(np.abs(rise), np.abs(fall)), 0.0)
        if height.max() > SPIKE_MV:
            at = (height.argmax() + 1) / rate
            parts.append(f"{names[lead]} {height.max():.3g} mV at {at:.4g} s")
    if parts:
        yield "spikes", ", ".join(parts)
