"""Read and clean consecutive recordings of a list."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from data_modules.conversion.quarantine import RecordFate
from data_modules.conversion.subjects import stated_subject
from data_modules.reading.amplitude import Amplitude
from data_modules.reading.read import read_recording
from data_modules.reading.reasons import REASONS, RecordError
from data_modules.reading.recording import stored_unit
from data_modules.signals.clean import clean_ecg, require_leads
from data_modules.signals.gains import adc_step, relative_amplitude
from data_modules.signals.heart_doubts import judge_hearts
from data_modules.signals.likeness import fingerprints, pack
from data_modules.signals.settings import SignalSettings
from data_modules.store.content import signal_digest
from lsemvae.core.leads import LEADS
from lsemvae.core.machine_limits import is_of_machine


class Listed(NamedTuple):
    """A recording to convert.

    Attributes:
        path: below the source folder.
        name: in store and lists.
        is_private: what the file says may hold identities, and is not repeated in messages.
    """

    path: str
    name: str
    is_private: bool = False

    def rejected(self, code: str, problem: str) -> RecordFate:
        """Return that it was rejected."""
        return RecordFate(self.name, False, self.reasons([(code, problem)]))

    def reasons(self, found: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Return codes and messages; those of the code alone where the file's words are private."""
        return tuple((code, REASONS[code] if self.is_private else text) for code, text in found)


class Block(NamedTuple):
    """Consecutive recordings: counts (n, 12, T), zeros where rejected; present leads (n, 12)."""

    ecg: npt.NDArray[np.int16]
    present: npt.NDArray[np.bool_]
    outcomes: list[RecordFate]


def _listed(paths: Sequence[str], names: Sequence[str] | None) -> list[Listed]:
    if names is None:
        return [Listed(path, path) for path in paths]
    return [Listed(path, name, is_private=True) for path, name in zip(paths, names, strict=True)]


def convert_block(
    source: Path,
    records: Sequence[str],
    amplitude: Amplitude,
    settings: SignalSettings,
    names: Sequence[str] | None = None,
) -> Block:
    """Read and clean some recordings; a bad one is an outcome and ends nothing."""
    ecg = np.zeros((len(records), len(LEADS), settings.n_samples), dtype=np.int16)
    present = np.zeros((len(records), len(LEADS)), dtype=np.bool_)
    outcomes = []
    for i, record in enumerate(_listed(records, names)):
        try:
            recording = read_recording(source, record.path, amplitude=amplitude)
            clean = clean_ecg(recording, settings)
            require_leads(clean, settings, record=record.name)
        except RecordError as error:
            outcomes.append(record.rejected(error.code, error.problem))
            continue
        except Exception as error:  # a fault of the program shall not cost the other recordings
            if is_of_machine(error):
                raise
            problem = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            outcomes.append(record.rejected("program_fault", problem))
            continue
        ecg[i], present[i] = clean.ecg, clean.present
        digest = signal_digest(ecg[i])
        synthetic = recording.synthetic
        step = adc_step(recording.ecg) if recording.unit == "mV" else None
        warnings = record.reasons([*clean.warnings, *clean.notes])
        fate = RecordFate(
            record.name, True, warnings, digest, synthetic, step_mv=step,
            subject="" if record.is_private else stated_subject(recording.comments),
        )  # fmt: skip
        outcomes.append(fate)
    if settings.segment == "record":
        found = judge_hearts(ecg, present, sampling_rate_hz=settings.sampling_rate_hz)
        outcomes = [
            outcome._replace(
                reasons=(*outcome.reasons, *doubts),
                beats_per_min=round(beats, 1) if np.isfinite(beats) else None,
            )
            if outcome.accepted
            else outcome
            for outcome, doubts, beats in zip(outcomes, found[0], found[1].tolist(), strict=True)
        ]
    if stored_unit(amplitude) == "mV":
        measured = relative_amplitude(ecg, present, sampling_rate_hz=settings.sampling_rate_hz)
        outcomes = [
            outcome._replace(amplitude=float(f"{value:.4g}")) if _has_unit(outcome) else outcome
            for outcome, value in zip(outcomes, measured, strict=True)
        ]
    marks = fingerprints(ecg, sampling_rate_hz=settings.sampling_rate_hz)
    outcomes = [
        outcome._replace(fingerprint=pack(mark)) if outcome.accepted else outcome
        for outcome, mark in zip(outcomes, marks, strict=True)
    ]
    return Block(ecg, present, outcomes)


def _has_unit(outcome: RecordFate) -> bool:
    """Tell whether the amplitudes of a recording mean anything."""
    codes = [code for code, _ in outcome.reasons]
    return outcome.accepted and "leads_scaled_separately" not in codes
