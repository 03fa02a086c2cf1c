"""Find recordings in files, folders and stores, and clean them as the model wants them."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from data_modules.reading.amplitude import Amplitude
from data_modules.reading.formats.array_rows import parse_array_row
from data_modules.reading.read import FOLDER_LAYOUT, LAYOUT_SUFFIX, read_recording
from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import Recording
from data_modules.signals.clean import CleanEcg, clean_ecg
from data_modules.signals.gains import gain_warnings
from data_modules.signals.heart_doubts import doubts_of_one
from data_modules.signals.settings import SignalSettings
from data_modules.store.content import signal_digest
from data_modules.store.mark import STORE, mark_version
from lsemvae.core.errors import InputError
from lsemvae.core.instead import found_instead
from lsemvae.core.machine_limits import is_of_machine
from lsemvae.core.made_for import MadeFor, check_made_for
from lsemvae.core.walking import walk_folder
from lsemvae.model_file.description import Description, ecg_input_of
from lsemvae.predicting.kept_findings import kept_findings

SIGNAL_SUFFIXES = (".dat", ".atr")  # of WFDB records, which are named by their header
WFDB_SUFFIXES = (".hea", ".dat")


class Source(NamedTuple):
    """A recording that is still to be read.

    Attributes:
        name: as it is written beside its result.
        path: of its file, or of its store.
        row: its place in the store, None of a loose file.
        content: digest of the store; empty of a loose file.
    """

    name: str
    path: Path
    row: int | None = None
    content: str = ""

    @property
    def identity(self) -> str:
        """What changes when another recording takes the place of this one."""
        if self.row is not None:
            return f"{self.content} {self.row}"
        parts = [self.path, *(self.path.with_name(self.path.name + end) for end in WFDB_SUFFIXES)]
        return " ".join(f"{place.stat().st_size} {place.stat().st_mtime_ns}"
                        for place in parts if place.is_file())  # fmt: skip


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
        InputError: none of them is there, a folder or a store holds none, or two recordings have
            one name.
    """
    if named and not any(map(_is_there, named)):
        instead = found_instead(named[0], ".hea", ".h5")
        raise InputError(f"there is no recording {named[0]}{instead}")
    sources: list[Source] = []
    for name in named:
        path = Path(name)
        if path.is_dir():
            found = list(sources_in(path))
            if not found:
                raise InputError(f"the folder {name} holds no file; name one with recordings")
        elif path.is_file() and mark_version(path, STORE) is not None:
            found = _in_store(path)
        else:
            found = [_file(path)]
        sources += found
    if not sources:
        raise InputError("name the recordings: files, folders, or stores of `lsemvae prepare`")
    return _each_once(sources)


def _is_there(name: str) -> bool:
    """Tell whether a file, a folder, a WFDB record or a row of an array is named."""
    row = parse_array_row(name)
    files = [row[0]] if row else [name, f"{name}.hea"]
    return any(map(os.path.lexists, files))


def _each_once(sources: Sequence[Source]) -> list[Source]:
    """Return the recordings without repetition; a result must tell which one it is of."""
    kept: dict[str, Source] = {}
    for source in sources:
        known = kept.setdefault(source.name, source)
        if (known.path.resolve(), known.row) != (source.path.resolve(), source.row):
            raise InputError(
                f"two recordings are named {source.name}, of {known.path} and of {source.path}; "
                "predict them one after the other, each with an --out of its own"
            )
    return list(kept.values())


def sources_in(folder: Path) -> Iterator[Source]:
    """Find one source for each WFDB header and each other file, below the folder too."""
    for here, below, files in walk_folder(folder):
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


def _in_store(path: Path) -> list[Source]:
    from data_modules.store.read import EcgStore

    store = EcgStore(path)
    names = store.column("record").tolist()
    return [Source(name.decode(), path, row, store.sha256) for row, name in enumerate(names)]


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
            InputError: its store was made with other settings than the model's recordings, or does
                not say which of them are doubtful.
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
            doubts = doubts_of_one(clean.ecg, clean.present, self._settings)
        gains = gain_warnings(
            clean, sampling_rate_hz=self._settings.sampling_rate_hz,
            calibrated=recording.unit == "mV",
        )  # fmt: skip
        findings = [*clean.warnings, *gains, *doubts, *clean.notes]
        if recording.synthetic:
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
    except RecordError:
        raise
    except Exception as error:
        if is_of_machine(error):
            raise
        problem = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise RecordError("program_fault", record=name, problem=problem) from error


class _OpenStore:
    """A store whose recordings are as the model's were, with its list of findings."""

    def __init__(self, path: Path, model: Description) -> None:
        from data_modules.store.read import EcgStore

        self._store = store = EcgStore(path)
        given = ecg_input_of(store.settings, store.unit, model.normalisation)
        check_made_for("the model", model.made_for, MadeFor(ecg_input=given), used_on=str(path))
        self._findings = kept_findings(store)

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
