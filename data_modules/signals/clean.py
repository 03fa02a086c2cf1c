"""Clean one recording: gaps, lead faults, filter, resampling, length, limb leads.

Every fault is judged on the part that is kept, and flatness before filtering: a lead flat at
0.37 mV leaves a filter as rounding noise that a z-score would turn into a signal.
"""

import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from data_modules.reading.reasons import REASONS, RecordError
from data_modules.reading.recording import Recording
from data_modules.signals.band_filter import band_filter
from data_modules.signals.lead_faults import (
    FLAT_MV,
    find_flat,
    find_saturated,
    interpolate_gaps,
    missing_at_start,
    pulse_at_start,
)
from data_modules.signals.limb_faults import explain_limb_fault
from data_modules.signals.median_beat import median_beat
from data_modules.signals.resampling import resample
from data_modules.signals.sample_faults import leads_in_turn, sample_faults
from data_modules.signals.settings import SignalSettings
from data_modules.store.content import COUNTS_PER_UNIT
from lsemvae.core.leads import LEADS, derive_limb_leads, lead_indices, limb_lead_residual

__all__ = ["CleanEcg", "SignalSettings", "clean_ecg", "require_leads"]

MAX_MV = 10.0  # 989 of the 800,035 recordings of MIMIC-IV-ECG exceed it, by artefact
MAX_ARBITRARY = 32.0  # what int16 counts hold
# RMS in mV. As recorded, 5 uV and 1 uV steps included: at most 0.002 (CinC 2011 and 2021, CPSC
# 2018); after a swap or an inversion of limb leads: at least 0.034 (169 recordings of CinC 2011).
MAX_LIMB_RESIDUAL_MV = 0.02
# A recording may be this much longer than what is kept of it without a word: no beat lies in it.
CUT_S = 0.1
# Peak-to-peak amplitudes of 12 leads never agree like this in a body; in LUDB all span 1.000 mV.
SAME_SPAN = 0.01

Warnings = list[tuple[str, str]]
LeadMask = npt.NDArray[np.bool_]


class CleanEcg(NamedTuple):
    """A recording as a store holds it.

    Attributes:
        ecg: int16 counts of 1/1000 unit (uV), shape (12, T), in the order of `LEADS`; absent leads
            are zero.
        present: which leads hold a signal, shape (12,).
        warnings: (reason code, message) of everything that was repaired or masked.
        notes: (reason code, message) of what the settings changed in a sound recording.
    """

    ecg: npt.NDArray[np.int16]
    present: LeadMask
    warnings: Warnings
    notes: tuple[tuple[str, str], ...] = ()


def clean_ecg(recording: Recording, settings: SignalSettings) -> CleanEcg:
    """Check, repair, filter, resample and cut one recording.

    Args:
        recording: as read, any known leads in any order.
        settings: the store's settings.

    Raises:
        RecordError: too short, no usable lead, or a bad lead where `bad_leads` is `reject`.
    """
    calibrated = recording.unit == "mV"
    raw, faults, warnings = _find_faults(recording, settings)
    usable = ~np.logical_or.reduce(list(faults.values()))
    rate = recording.sampling_rate_hz
    warnings += sample_faults(raw, usable, rate, in_mv=calibrated)
    in_turn = list(leads_in_turn(raw, faults["lead_flat"] | faults["lead_gap"], rate))
    if calibrated and usable.sum() > 1 and _same_span(raw[usable]):
        text = "all leads span the same amplitude; convert the set with amplitude arbitrary"
        warnings.append(("leads_scaled_separately", text))
    raw[~usable] = 0.0
    ecg = _filter_and_resample(raw, rate, settings)
    limit = MAX_MV if calibrated else MAX_ARBITRARY
    too_high = np.asarray(np.abs(ecg).max(axis=-1) > limit)
    faults["lead_out_of_range"] = usable & too_high
    usable &= ~too_high
    ecg[~usable] = 0
    if calibrated:
        ecg[:6], usable[:6], limb_warnings = _complete_limb_leads(
            ecg[:6], usable[:6], implied=recording.implied
        )
        scaled = any(code == "leads_scaled_separately" for code, _ in warnings)
        # leads that were scaled one by one cannot keep the relations: one cause, one finding
        warnings += [
            one for one in limb_warnings if not (scaled and one[0] == "limb_leads_inconsistent")
        ]
        # leads that this kind of file never holds are no fault once they are computed
        implied = np.isin(LEADS, recording.implied)
        faults["lead_missing"] &= ~(implied & usable)
    warnings = _describe(faults, in_turn, recording.record, usable, settings) + warnings
    if settings.segment == "median_beat":
        ecg = np.asarray(median_beat(ecg, usable, settings.sampling_rate_hz), np.float64)
        if not ecg.shape[-1]:
            problem = "no whole heartbeat was found; segment is median_beat"
            raise RecordError("no_beat", record=recording.record, problem=problem)
    counts = np.zeros((len(LEADS), settings.n_samples), dtype=np.int16)
    np.multiply(ecg, COUNTS_PER_UNIT, out=ecg)
    counts[:, : ecg.shape[-1]] = np.rint(ecg, out=ecg)
    notes = tuple(_notes(recording, settings))
    return CleanEcg(counts, usable, [*recording.warnings, *warnings], notes)


def require_leads(clean: CleanEcg, settings: SignalSettings, *, record: str) -> None:
    """Refuse a recording of which too little is left for a store.

    Args:
        clean: the recording.
        settings: the store's settings.
        record: its name.

    Raises:
        RecordError: `few_leads`.
    """
    usable = [lead for lead, there in zip(LEADS, clean.present, strict=True) if there]
    if len(usable) < settings.min_leads:
        problem = (
            f"{len(usable)} of 12 leads are usable ({', '.join(usable)}); min_leads is "
            f"{settings.min_leads}"
        )
        problem = "; ".join(
            [problem, *(t for code, t in clean.warnings if code == "leads_in_turn")]
        )
        raise RecordError("few_leads", record=record, problem=problem)


def _notes(recording: Recording, settings: SignalSettings) -> Iterator[tuple[str, str]]:
    """Yield what the settings change in any recording of this length and rate."""
    rate = recording.sampling_rate_hz
    seconds = recording.ecg.shape[-1] / rate
    if seconds > settings.duration_s + CUT_S:
        yield (
            "cut_to_length",
            f"it lasts {seconds:.4g} s; the first {settings.duration_s:g} s were kept",
        )
    if rate != settings.sampling_rate_hz:
        yield "resampled", f"from {rate:g} to {settings.sampling_rate_hz:g} Hz"


def _find_faults(
    recording: Recording, settings: SignalSettings
) -> tuple[npt.NDArray[np.float32], dict[str, LeadMask], Warnings]:
    """Return the kept part in canonical order (12, T), faults by reason code, and warnings."""
    rate = recording.sampling_rate_hz
    kept, warnings = _without_ends(recording, settings)
    if kept.shape[-1] < settings.min_duration_s * rate:
        seconds = kept.shape[-1] / rate
        problem = f"it lasts {seconds:.3g} s; min_duration_s is {settings.min_duration_s:g}"
        raise RecordError("too_short", record=recording.record, problem=problem)
    positions = lead_indices(recording.leads)
    raw = np.zeros((len(LEADS), kept.shape[-1]), dtype=np.float32)
    raw[positions], bridged = interpolate_gaps(kept, max_gap=round(settings.max_gap_s * rate))
    faults: dict[str, LeadMask] = {"lead_missing": np.ones(len(LEADS), dtype=np.bool_)}
    faults["lead_missing"][positions] = False
    faults["lead_gap"] = np.asarray(np.isnan(raw).any(axis=-1))
    if faults["lead_gap"].any():
        raw[np.isnan(raw)] = 0.0
    judged = ~(faults["lead_missing"] | faults["lead_gap"])
    faults["lead_flat"] = judged & find_flat(raw, sampling_rate_hz=rate)
    faults["lead_saturated"] = (
        judged & ~faults["lead_flat"] & find_saturated(raw, sampling_rate_hz=rate)
    )
    if bridged.any():
        counts = ", ".join(
            f"{lead} {count}" for lead, count in zip(recording.leads, bridged, strict=True) if count
        )
        warnings.append(("gap_interpolated", f"samples bridged: {counts}"))
    if kept.shape[-1] < math.floor(settings.duration_s * rate):
        seconds = kept.shape[-1] / rate
        warnings.append(("padded", f"lasts {seconds:.4g} s; zeros up to {settings.duration_s:g} s"))
    return raw, faults, warnings


def _without_ends(
    recording: Recording, settings: SignalSettings
) -> tuple[npt.NDArray[np.float32], Warnings]:
    """Return the part that is kept, without ends that are no ECG, and a warning of them."""
    rate = recording.sampling_rate_hz
    bridged, length = round(settings.max_gap_s * rate), math.ceil(settings.duration_s * rate)
    ways = [(partial(missing_at_start, more_than=bridged), ", of all leads")]
    if recording.unit == "mV":
        pulse = partial(pulse_at_start, rate=rate)
        ways.append((pulse, " are a calibration pulse, the same in all leads"))
    for at_start, what in ways:
        start = at_start(recording.ecg[:, :length])
        kept = recording.ecg[:, start : start + length]
        end = at_start(kept[:, ::-1])
        if start or end:
            text = f"{start / rate:.3g} s at the start and {end / rate:.3g} s at the end{what}"
            return kept[:, : kept.shape[-1] - end], [("ends_left_out", text)]
    return recording.ecg[:, :length], []


def _filter_and_resample(
    raw: npt.NDArray[np.float32], rate: float, settings: SignalSettings
) -> npt.NDArray[np.float32]:
    """Return filtered signals at the store's rate, at most `n_samples` long."""
    filtered = band_filter(
        raw,
        sampling_rate_hz=rate,
        low_hz=settings.low_hz,
        high_hz=settings.high_hz,
        powerline_hz=settings.powerline_hz,
    )
    resampled = resample(filtered, from_hz=rate, to_hz=settings.sampling_rate_hz)
    return resampled[:, : settings.n_recorded]


def _same_span(raw: npt.NDArray[np.float32]) -> bool:
    """Tell whether all leads (L, T) have one peak-to-peak amplitude."""
    span = np.ptp(raw, axis=-1)
    return bool(np.ptp(span) <= SAME_SPAN * span.max())


def _complete_limb_leads(
    limb: npt.NDArray[np.floating], usable: LeadMask, *, implied: Sequence[str]
) -> tuple[npt.NDArray[np.floating], LeadMask, Warnings]:
    """Derive unusable limb leads (6, T) in mV from usable ones that agree with one another."""
    if usable.sum() < 2:
        return limb, usable, []
    completed = limb if usable.all() else derive_limb_leads(limb, usable)
    residual = float(limb_lead_residual(completed))
    if residual > MAX_LIMB_RESIDUAL_MV:
        text = f"residual {residual:.3f} mV RMS, at most {MAX_LIMB_RESIDUAL_MV} expected"
        cause = explain_limb_fault(completed, limit_mv=MAX_LIMB_RESIDUAL_MV)
        text += (
            f"; it fits if {cause}" if cause else "; no single exchange or inversion explains it"
        )
        return limb, usable, [("limb_leads_inconsistent", text)]
    # with a common electrode off, what the others determine is a flat line as well; and a lead out
    # of range is no better for being computed
    sound = (np.ptp(completed, axis=-1) > FLAT_MV) & (np.abs(completed).max(axis=-1) <= MAX_MV)
    derived = ~usable & sound
    completed[~(usable | derived)] = 0
    names = [LEADS[lead] for lead in np.flatnonzero(derived) if LEADS[lead] not in implied]
    warnings = [("limb_leads_derived", f"computed: {', '.join(names)}")] if names else []
    return completed, usable | derived, warnings


def _describe(
    faults: dict[str, LeadMask], in_turn: Warnings, record: str, present: LeadMask,
    settings: SignalSettings,
) -> Warnings:  # fmt: skip
    """Return a warning for each kind of fault, or reject the record."""
    found = [
        (code, ", ".join(LEADS[lead] for lead in np.flatnonzero(mask)))
        for code, mask in faults.items()
        if mask.any()
    ]
    summary = "; ".join(f"{code}: {leads}" for code, leads in found)
    if not present.any():
        problem = "; ".join([f"no usable lead ({summary})", *(text for _, text in in_turn)])
        raise RecordError("no_usable_lead", record=record, problem=problem)
    if settings.bad_leads == "reject" and not present.all():
        code = next(code for code, mask in faults.items() if (mask & ~present).any())
        raise RecordError(code, record=record, problem=f"bad_leads is reject and {summary}")
    return [*((code, f"{leads}: {REASONS[code]}") for code, leads in found), *in_turn]
