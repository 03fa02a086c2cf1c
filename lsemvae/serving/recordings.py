"""Apply the model to the recordings of an upload."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from data_modules.reading.reasons import RecordError
from lsemvae.core.printable import one_line
from lsemvae.predicting.outcome import Row, error_row
from lsemvae.predicting.predictor import Predictor
from lsemvae.predicting.run import BLOCK, Judged, Options, judge, score_block
from lsemvae.predicting.sources import Loaded, Loader, Source
from lsemvae.serving.joining import Joined, join
from lsemvae.serving.private_folder import no_room, private_folder
from lsemvae.serving.uploads import Upload


class Entry(NamedTuple):
    """A row of the worklist and what its own page shows.

    Attributes:
        row: the outcome.
        findings: (reason code, message) of what was repaired or is doubtful.
        loaded: what the model was given; None where the recording could not be read.
        ecg: (12, T) int16 counts of all seconds, None where there is nothing to draw.
        present: (12,) which leads of `ecg` hold a signal.
    """

    row: Row
    findings: Sequence[tuple[str, str]] = ()
    loaded: Loaded | None = None
    ecg: npt.NDArray[np.int16] | None = None
    present: npt.NDArray[np.bool_] | None = None


class Reader:
    """Read uploads as `lsemvae predict` reads files.

    Args:
        predictor: the model.
        options: of the user.
    """

    def __init__(self, predictor: Predictor, options: Options) -> None:
        self.predictor, self.options = predictor, options
        self._loader = Loader(predictor.description, options.amplitude)
        self._sees_beats = predictor.description.signal["segment"] != "record"

    def read(self, uploads: Sequence[Upload], check_room: Callable[[int], None]) -> list[Entry]:
        """Return an entry for each recording, and one for each file that is part of none.

        The files lie in a private folder in memory while they are read.

        Args:
            uploads: of one request.
            check_room: called with the number of entries before any recording is read.

        Raises:
            Refusal: the folder has no room for the files.
        """
        with private_folder() as folder:
            joined = _joined(uploads, folder)
            check_room(len(joined.sources) + len(joined.rows))
            entries = [Entry(row) for row in joined.rows]
            for start in range(0, len(joined.sources), BLOCK):
                entries += self._block(joined.sources[start : start + BLOCK])
        told = [_without_folder(one, folder) for one in entries]
        return sorted(told, key=_place_in(uploads))

    def _block(self, sources: Sequence[Source]) -> list[Entry]:
        entries = [self._entry(source) for source in sources]
        rows = score_block(self.predictor, [Judged(one.row, one.loaded) for one in entries])
        return [one._replace(row=row) for one, row in zip(entries, rows, strict=True)]

    def _entry(self, source: Source) -> Entry:
        entry = Entry(Row(source.name, ""))
        try:
            recording = self._loader.read(source)
            if self._sees_beats:  # all seconds are drawn, even where no beat was found
                whole = self._loader.whole(source.name, recording)
                entry = entry._replace(
                    findings=whole.warnings, ecg=whole.ecg, present=whole.present
                )
            loaded = self._loader.clean(source.name, recording)
        except RecordError as error:
            return entry._replace(row=error_row(source.name, error))
        row = judge(source.name, loaded, self.predictor, self.options).row
        entry = entry._replace(row=row, findings=loaded.findings, loaded=loaded)
        return entry if self._sees_beats else entry._replace(ecg=loaded.ecg, present=loaded.present)


def _joined(uploads: Sequence[Upload], folder: Path) -> Joined:
    try:
        return join(uploads, folder)
    except OSError as error:
        raise no_room(error, folder.parent) from error


def _place_in(uploads: Sequence[Upload]) -> Callable[[Entry], int]:
    """Return what tells the place of an entry's first file, so that rows stand as sent."""
    place: dict[str, int] = {}
    for number, one in enumerate(uploads):
        place.setdefault(one.name, number)
        place.setdefault(os.path.splitext(one.name)[0], number)
    return lambda entry: place.get(entry.row.recording, len(uploads))


def _without_folder(entry: Entry, folder: Path) -> Entry:
    """Return an entry whose texts do not name the folder that is gone, each in one line."""
    row = entry.row
    name, message = (
        one_line(text.replace(f"{folder}/", "")) for text in (row.recording, row.message)
    )
    return entry._replace(row=row._replace(recording=name, message=message))
