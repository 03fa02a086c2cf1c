"""Hold a recording as read, and check what every file format shares."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from data_modules.reading.amplitude import Amplitude
from data_modules.reading.lead_names import read_name
from data_modules.reading.limits import check_extent, check_rate
from data_modules.reading.reasons import RecordError
from data_modules.reading.units import mv_per_unit, unit_hint

Warnings = tuple[tuple[str, str], ...]
"""(reason code, message) of everything that was repaired or is doubtful."""

IMPLIED_BY_I_AND_II = ("III", "aVR", "aVL", "aVF")
"""What files of eight leads leave out, because it follows from I and II."""


class Recording(NamedTuple):
    """One recording as its file holds it, before any cleaning.

    Attributes:
        record: the record as the user names it.
        ecg: the known leads, shape (L, T), float32, in `unit`; NaN where a sample is missing.
        leads: canonical lead names in the order of the file.
        sampling_rate_hz: samples per second.
        unit: `mV`, or `NU` where amplitudes are arbitrary.
        comments: the header's comment lines.
        warnings: what the reader found doubtful.
        implied: leads that this kind of file leaves to be computed from I and II.
    """

    record: str
    ecg: npt.NDArray[np.float32]
    leads: tuple[str, ...]
    sampling_rate_hz: float
    unit: str
    comments: tuple[str, ...]
    warnings: Warnings = ()
    implied: tuple[str, ...] = ()

    @property
    def synthetic(self) -> bool:
        """Whether a comment says that the recording is synthetic."""
        return any("synthetic" in comment.lower() for comment in self.comments)


class RawRecording(NamedTuple):
    """What a reader of one file format returns, before the shared checks.

    Attributes:
        names: the signals' names as the file writes them.
        signals: shape (signals, T), in the unit of each; NaN where a sample is missing.
        units: the unit of each signal as the file writes it; None where it states none.
        sampling_rate_hz: samples per second.
        notes: comments worth keeping.
        warnings: what the reader found doubtful.
        implied: leads that this kind of file leaves to be computed from I and II.
        ignored: names of signals that are no lead, and whose samples were not decoded.
    """

    names: tuple[str, ...]
    signals: npt.NDArray[np.floating]
    units: tuple[str | None, ...]
    sampling_rate_hz: float
    notes: tuple[str, ...] = ()
    warnings: Warnings = ()
    implied: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


class ChosenLeads(NamedTuple):
    """Which signals are leads: canonical names, their channels, mV per unit, and warnings."""

    leads: tuple[str, ...]
    channels: list[int]
    mv_per_unit: list[float]
    warnings: Warnings


def choose_leads(
    names: Sequence[str],
    units: Sequence[str | None],
    *,
    amplitude: Amplitude,
    record: str,
    ignored: Sequence[str] = (),
) -> ChosenLeads:
    """Find the known leads among the signals and check their units.

    Args:
        names: the signals' names.
        units: their units; where there is none, the one in the name (`II (mV)`) holds.
        amplitude: `calibrated` wants a unit of mV, uV or V in every lead; `default_mv` also takes
            leads without a unit as mV, with a warning; `arbitrary` takes any unit.
        record: the record as the user names it.
        ignored: names of further signals of the file, for the warning.

    Raises:
        RecordError: `duplicate_lead`, `no_known_lead` or `unit_unknown`.
    """
    channels: dict[str, int] = {}
    for channel, name in enumerate(names):
        lead = read_name(name).lead
        if lead in channels:
            problem = (
                f"lead {lead} occurs twice, as {names[channels[lead]]!r} and {name!r}; nobody can "
                "tell which one is meant"
            )
            raise RecordError("duplicate_lead", record=record, problem=problem)
        if lead is not None:
            channels[lead] = channel
    others = [name for i, name in enumerate(names) if i not in channels.values()] + [*ignored]
    listed = ", ".join(name or "(no name)" for name in others)[:200]
    if not channels:
        if others and not any(others):
            listed = f"{len(others)} signals without a name"
        problem = (
            f"no signal is one of the twelve leads; the file has {listed or 'none'}; where they "
            "are leads, name them I to V6"
        )
        raise RecordError("no_known_lead", record=record, problem=problem)
    warnings = [("signals_ignored", f"none of the twelve leads: {listed}")] if others else []
    stated = [
        _stated_unit(names[channel], units[channel], amplitude=amplitude, lead=lead, record=record)
        for lead, channel in channels.items()
    ]
    if amplitude == "default_mv" and None in stated:
        warnings.append(("unit_assumed", "leads without a unit are taken as mV, as told"))
    scales = [
        _mv_per_unit(unit, amplitude=amplitude, lead=lead, record=record)
        for lead, unit in zip(channels, stated, strict=True)
    ]
    return ChosenLeads(tuple(channels), list(channels.values()), scales, tuple(warnings))


def _stated_unit(
    name: str, unit: str | None, *, amplitude: Amplitude, lead: str, record: str
) -> str | None:
    """Return the unit of a lead by its field or its name, which must not contradict each other."""
    in_name = read_name(name).unit
    if in_name is None or unit is None:
        return unit or in_name
    if amplitude != "arbitrary" and mv_per_unit(unit) != mv_per_unit(in_name):
        problem = (
            f"lead {lead} has the unit {in_name} in its name {name!r} and {unit} in its own field "
            "or the layout; correct the wrong one"
        )
        raise RecordError("unit_unknown", record=record, problem=problem)
    return unit


def _mv_per_unit(unit: str | None, *, amplitude: Amplitude, lead: str, record: str) -> float:
    size = mv_per_unit(unit)
    if size is not None:
        return size
    if amplitude == "arbitrary" or (amplitude == "default_mv" and unit is None):
        return 1.0
    problem = (
        f"lead {lead} has the unit {unit or '(none)'}; expected mV, uV or V; {unit_hint(unit)}"
    )
    raise RecordError("unit_unknown", record=record, problem=problem)


def stored_unit(amplitude: Amplitude) -> str:
    """Name the unit of recordings that are read with this amplitude."""
    return "NU" if amplitude == "arbitrary" else "mV"


def check_recording(raw: RawRecording, *, amplitude: Amplitude, record: str) -> Recording:
    """Apply the shared checks to what a reader returned.

    Args:
        raw: the reader's result.
        amplitude: see `choose_leads`.
        record: the record as the user names it.

    Raises:
        RecordError: rate, extent, lead names or units are not acceptable.
    """
    rate = check_rate(raw.sampling_rate_hz, record=record)
    check_extent(len(raw.names), raw.signals.shape[-1], rate, record=record)
    chosen = choose_leads(
        raw.names, raw.units, amplitude=amplitude, record=record, ignored=raw.ignored
    )
    scales = np.array(chosen.mv_per_unit)[:, None]
    ecg = np.asarray(raw.signals[chosen.channels] * scales, dtype=np.float32)
    ecg[~np.isfinite(ecg)] = np.nan
    return Recording(
        record=record,
        ecg=ecg,
        leads=chosen.leads,
        sampling_rate_hz=rate,
        unit=stored_unit(amplitude),
        comments=raw.notes,
        warnings=raw.warnings + chosen.warnings,
        implied=raw.implied,
    )
