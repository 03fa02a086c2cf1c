"""Find recordings in files, folders and stores, and clean them as the model wants them."""

import csv
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from data_modules.reading.amplitude import Amplitude
from data_modules.reading.read import FOLDER_LAYOUT, LAYOUT_SUFFIX, read_recording
from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import Recording
from data_modules.signals.clean import CleanEcg, clean_ecg
from data_modules.signals.settings import SignalSettings
from data_modules.store.content import signal_digest
from data_modules.store.mark import STORE, mark_version
from lsemvae.core.errors import InputError
from lsemvae.core.made_for import MadeFor, check_made_for
from lsemvae.model_file.description import Description, ecg_input_of

SIGNAL_SUFFIXES = (".dat", ".atr")  # of WFDB records, which are named by their header


class Source(NamedTuple):
    """A recording that is still to be read: `row` is its place in the store `path`, or None."""

    name: str
    path: Path
    row: int | None = None


class Loaded(NamedTuple):
    """A recording ready for a model.

    Attributes:
        ecg: int16 counts of 1/1000 unit, (12, T), zeros where a lead is absent.
        present: (12,).
        findings: (reason code, message).
        signal: digest of the counts.
        patient: its id, None where a loose file tells none.
    """

    ecg: npt.NDArray[np.int16]
    present: npt.NDArray[np.bool_]
    findings: Sequence[tuple[str, str]]
    signal: str
    patient: str | None = None


def find_sources(named: Sequence[str]) -> list[Source]:
    """Return every recording of the files, folders and stores that a user names, in order.

    Raises:
        InputError: a folder or a store holds none.
    """
    sources: list[Source] = []
    for name in named:
        path = Path(name)
        if path.is_dir():
            found = list(sources_in(path))
            if not found:
                raise InputError(f"the folder {name} holds no file; name one with recordings")
        elif path.is_file() and mark_version(path, STORE) is not None:
            found = [Source(record, path, row) for row, record in enumerate(_records(path))]
        else:
            found = [_file(path)]
        sources += found
    if not sources:
        raise InputError("name the recordings: files, folders, or stores of `lsemvae prepare`")
    return list({source.name: source for source in sources}.values())


def sources_in(folder: Path) -> Iterator[Source]:
    """Find one source for each WFDB header and each other file, below the folder too."""
    for here, below, files in os.walk(folder):
        below.sort()
        headers = {name.removesuffix(".hea") for name in files if name.endswith(".hea")}
        for name in sorted(files):
            stem, suffix = os.path.splitext(name)
            part = suffix != ".hea" and (stem in headers or suffix in SIGNAL_SUFFIXES)
            layout = name == FOLDER_LAYOUT or name.endswith(LAYOUT_SUFFIX)
            if not (part or layout or name.startswith(".")):
                yield _file(Path(here) / name)


def _file(path: Path) -> Source:
    name = str(path)
    if path.suffix in (".hea", ".dat") and path.with_suffix(".hea").is_file():
        name = name.removesuffix(path.suffix)
    return Source(name, Path(name))


def _records(path: Path) -> list[str]:
    from data_modules.store.read import EcgStore

    return [name.decode() for name in EcgStore(path).column("record").tolist()]


class Loader:
    """Read and clean recordings in the way that a model was trained on.

    Args:
        description: of the model.
        amplitude: how units in files are taken; None for what the model's unit asks for.

    Raises:
        InputError: a millivolt model is asked to take arbitrary units, or the other way round.
    """

    def __init__(self, description: Description, amplitude: Amplitude | None = None) -> None:
        # how many leads a result needs is for the model to say, which withholds it
        self._settings = SignalSettings(**{**description.signal, "min_leads": 1})
        self._model = description
        calibrated = description.unit == "mV"
        self._amplitude: Amplitude = amplitude or ("calibrated" if calibrated else "arbitrary")
        if calibrated == (self._amplitude == "arbitrary"):
            raise InputError(
                f"the model was trained on recordings in {description.unit}, so it cannot take "
                f"amplitude {self._amplitude}; leave --amplitude out"
            )
        self._stores: dict[Path, _OpenStore] = {}

    def load(self, source: Source) -> Loaded:
        """Return a recording as the model wants it.

        Raises:
            RecordError: it is no ECG, damaged, or not usable; `code` says why.
            InputError: its store was made with other settings than the model's recordings.
        """
        if source.row is not None:
            if source.path not in self._stores:
                self._stores[source.path] = _OpenStore(source.path, self._model)
            return self._stores[source.path].load(source.row)
        return self.clean(source.name, self.read(source))

    def read(self, source: Source) -> Recording:
        """Return what a loose file holds.

        Raises:
            RecordError: see `load`.
        """
        folder, record = source.path.parent, source.path.name
        with _unforeseen(source.name):
            return read_recording(folder, record, amplitude=self._amplitude)

    def clean(self, name: str, recording: Recording) -> Loaded:
        """Return a recording that was read as the model wants it.

        Raises:
            RecordError: see `load`.
        """
        with _unforeseen(name):
            clean = clean_ecg(recording, self._settings)
        findings = [*clean.warnings, *clean.notes]
        if any("synthetic" in comment.lower() for comment in recording.comments):
            findings.append(("synthetic", "the file says that the recording is synthetic"))
        return Loaded(clean.ecg, clean.present, findings, signal_digest(clean.ecg))

    def whole(self, name: str, recording: Recording) -> CleanEcg:
        """Return all seconds of a recording, cleaned alike, where the model sees a beat of it.

        Raises:
            RecordError: see `load`.
        """
        with _unforeseen(name):
            return clean_ecg(recording, replace(self._settings, segment="record"))


@contextmanager
def _unforeseen(name: str) -> Iterator[None]:
    """Make a fault of the program one recording's, so that it does not cost the others."""
    try:
        yield
    except (RecordError, MemoryError):
        raise
    except Exception as error:
        problem = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise RecordError("program_fault", record=name, problem=problem) from error


class _OpenStore:
    """A store whose recordings are as the model's were, with its list of findings."""

    def __init__(self, path: Path, model: Description) -> None:
        from data_modules.store.read import EcgStore

        self._store = store = EcgStore(path)
        given = ecg_input_of(store.settings, store.unit, model.normalisation)
        check_made_for("the model", model.made_for, MadeFor(ecg_input=given), used_on=str(path))
        self._findings = _quarantined(path.with_name(path.name + ".quarantine.csv"))

    def load(self, row: int) -> Loaded:
        store = self._store
        record, patient, signal = (
            store.column(name)[row].decode() for name in ("record", "patient_id", "signal_sha256")
        )
        findings = list(self._findings.get(record, ()))
        if store.synthetic:
            findings.append(("synthetic", "the store holds synthetic recordings"))
        return Loaded(
            store.read([row], verify=True)[0], store.present[row], findings, signal, patient
        )


def _quarantined(file: Path) -> dict[str, list[tuple[str, str]]]:
    """Return the findings of the accepted recordings of a store, by record."""
    found: dict[str, list[tuple[str, str]]] = {}
    if file.is_file():
        with file.open(newline="", encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                found.setdefault(row["record"], []).append((row["code"], row["message"]))
    return found
