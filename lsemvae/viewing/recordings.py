"""Read what is to be seen of a recording, from its file or from a store."""

import os
import re
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from data_modules.reading.amplitude import Amplitude
from data_modules.reading.read import read_recording
from data_modules.reading.reasons import LOOK, REMEDIES, RecordError
from data_modules.signals.clean import clean_ecg, require_leads
from data_modules.signals.gains import gain_warnings
from data_modules.signals.heart_doubts import doubts_of_one
from data_modules.signals.settings import SignalSettings
from data_modules.store.mark import STORE, mark_version, quarantine_list, quarantined
from data_modules.store.read import COUNTS_PER_UNIT, EcgStore
from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS, lead_indices
from lsemvae.predicting.sources import sources_in

Findings = list[tuple[str, str]]
_MOST_LOOKED_AT = 1000  # files of a folder


class View(NamedTuple):
    """What is drawn: (12, T) in `unit`, NaN where a lead is absent; and what is written."""

    name: str
    title: str
    ecg: npt.NDArray[np.floating]
    sampling_rate_hz: float
    calibrated: bool
    findings: Findings
    rejected: bool = False


def finding_line(code: str, text: str) -> str:
    """Return a finding with what to do about it, where that is anything."""
    remedy = REMEDIES.get(code, "nothing").removeprefix(f"{LOOK}; ")  # who reads it does so
    return f"{code}: {text}" + ("" if remedy == "nothing" else f" (to do: {remedy})")


def plain_path(record: str) -> str:
    r"""Return a path with `/` where a table of Windows has written `sub\r1`, as `prepare` does."""
    return record if os.path.lexists(record) else record.replace("\\", "/")


def view_of_file(record: str, amplitude: Amplitude, settings: SignalSettings) -> View:
    """Read and check a record as `prepare` does; a rejected one is drawn as its file holds it."""
    _refuse_several(Path(record))
    path = Path(re.sub(r"\.(hea|dat)$", "", plain_path(record), flags=re.IGNORECASE))
    recording = read_recording(path.parent, path.name, amplitude=amplitude)
    calibrated = recording.unit == "mV"
    synthetic = " (SYNTHETIC)" if recording.synthetic else ""
    try:
        clean = clean_ecg(recording, settings)
        require_leads(clean, settings, record=record)
    except RecordError as error:
        ecg = np.full((len(LEADS), recording.ecg.shape[1]), np.nan)
        ecg[lead_indices(recording.leads)] = [_centred(lead) for lead in recording.ecg]
        title, rate = (
            f"{record}{synthetic}: REJECTED, unfiltered, each lead centred",
            recording.sampling_rate_hz,
        )
        found = [(error.code, error.problem)]
        return View(path.name, title, ecg, rate, calibrated, found, rejected=True)
    ecg = np.where(clean.present[:, None], clean.ecg / COUNTS_PER_UNIT, np.nan)
    gains = gain_warnings(clean, sampling_rate_hz=settings.sampling_rate_hz, calibrated=calibrated)
    doubts = doubts_of_one(clean.ecg, clean.present, settings)
    warnings = [*clean.warnings, *gains, *doubts]
    findings = [*warnings, *clean.notes] or [("accepted", "the checks found nothing")]
    title = f"{record}{synthetic}: accepted{' with warnings' if warnings else ''}"
    return View(path.name, title, ecg, settings.sampling_rate_hz, calibrated, findings)


def _refuse_several(path: Path) -> None:
    """Refuse a folder or a store in place of a recording.

    Raises:
        InputError: names a recording of it.
    """
    if path.is_dir():
        some = [one.name for one in islice(sources_in(path), _MOST_LOOKED_AT)]
        headers = [name for name in some if os.path.isfile(f"{name}.hea")]  # a table may come first
        such = "".join(f", such as {name}" for name in (headers or some)[:1])
        raise InputError(f"{path} is a folder; name a recording{such}")
    if path.is_file() and mark_version(path, STORE) is not None:
        names = EcgStore(path).column("record")
        such = f", such as {path}:{names[0].decode()}" if len(names) else ""
        raise InputError(f"{path} is a store; name a recording of it, STORE:RECORD{such}")


def _centred(lead: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Take the median of the samples that are there (T,) away."""
    there = lead[~np.isnan(lead)]
    return np.asarray(lead - np.median(there)) if there.size else lead


def view_of_stored(store: str, name: str) -> View:
    """Read a record of a store and its lines of the quarantine list."""
    opened = EcgStore(store)
    found = np.flatnonzero(opened.column("record") == name.encode())
    if not len(found) and name.isdecimal() and int(name) < len(opened):
        found = np.array([int(name)])
    if not len(found):
        raise InputError(
            f"{store} holds no record {name!r}, nor a row of that number (0 to {len(opened) - 1})"
        )
    row = found[0]
    record = opened.column("record")[row].decode()
    counts = opened.read([row])[0]
    ecg = np.where(opened.present[row][:, None], counts / COUNTS_PER_UNIT, np.nan)
    title = f"{record} of {opened.label}{' (SYNTHETIC)' if opened.synthetic else ''}"
    findings = _quarantined(Path(store), record)
    named = f"{Path(store).stem}-{record}".replace("/", "-")
    return View(named, title, ecg, opened.sampling_rate_hz, opened.unit == "mV", findings)


def _quarantined(store: Path, record: str) -> Findings:
    """Return the lines of the quarantine list about a record."""
    file = quarantine_list(store)
    if not file.is_file():
        return [("unknown", f"there is no quarantine list {file.name} beside the store")]
    rows = [row for row in quarantined(store) if row["record"] == record]
    return [(row["code"], row["message"]) for row in rows] or [
        ("accepted", "the checks found nothing")
    ]
