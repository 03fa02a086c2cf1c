"""`lsemvae view`: a recording on ECG paper with what the checks found."""

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from data_modules.reading.amplitude import Amplitude
from data_modules.signals.settings import SignalSettings
from lsemvae.core.errors import InputError
from lsemvae.core.files import replacing
from lsemvae.core.outputs import check_picture_file
from lsemvae.core.printable import printable

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from matplotlib.figure import Figure

LINE_INCH = 0.16
CHARACTERS = 118  # of a line of findings across the paper

Findings = list[tuple[str, str]]
DEFAULT_SIGNAL = SignalSettings()


class _View(NamedTuple):
    """What is drawn: (12, T) in `unit`, NaN where a lead is absent; and what is written."""

    title: str
    ecg: "npt.NDArray[np.floating]"
    sampling_rate_hz: float
    calibrated: bool
    findings: Findings


def view(
    record: str,
    *,
    out: str | None = None,
    amplitude: Amplitude = "calibrated",
    signal: SignalSettings = DEFAULT_SIGNAL,
) -> None:
    """Draw the twelve leads of a recording with the findings of the checks.

    Args:
        record: a WFDB record (its path, with or without .hea or .dat), a file of any other kind
            that `lsemvae prepare` reads, or STORE.h5:RECORD for one of a store, RECORD being its
            name or its row.
        out: the picture to write; by default the record's name with .png, in this folder.
        amplitude: as in `lsemvae prepare cohort`; a store knows its own.
        signal: how a file is checked and filtered; a store has its own.

    Raises:
        InputError: there is no such recording, or it cannot be read.
    """
    store, colon, name = record.rpartition(":")
    seen = _from_store(store, name) if colon else _from_file(record, amplitude, signal)
    target = Path(out or Path(name).name.removesuffix(".hea").removesuffix(".dat") + ".png")
    check_picture_file(target, read=(store or None, record))
    try:
        with replacing(target) as temporary:
            _draw(seen).savefig(temporary, dpi=150)
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"cannot write {target} ({error}); name another with --out") from error
    for code, text in seen.findings:
        print(printable(f"{code}: {text}"))
    print(printable(f"picture: {target}"))


def _from_file(record: str, amplitude: Amplitude, settings: SignalSettings) -> _View:
    """Read and check a record as `prepare` does; a rejected one is drawn as its file holds it."""
    import numpy as np

    from data_modules.reading.read import read_recording
    from data_modules.reading.reasons import RecordError
    from data_modules.signals.clean import clean_ecg
    from data_modules.store.read import COUNTS_PER_UNIT
    from lsemvae.core.leads import LEADS, lead_indices

    path = Path(record.removesuffix(".hea").removesuffix(".dat"))
    recording = read_recording(path.parent, path.name, amplitude=amplitude)
    calibrated = recording.unit == "mV"
    try:
        clean = clean_ecg(recording, settings)
    except RecordError as error:
        ecg = np.full((len(LEADS), recording.ecg.shape[1]), np.nan)
        ecg[lead_indices(recording.leads)] = [_centred(lead) for lead in recording.ecg]
        title, rate = (
            f"{record}: REJECTED, unfiltered, each lead centred",
            recording.sampling_rate_hz,
        )
        return _View(title, ecg, rate, calibrated, [(error.code, error.problem)])
    ecg = np.where(clean.present[:, None], clean.ecg / COUNTS_PER_UNIT, np.nan)
    findings = list(clean.warnings) or [("accepted", "the checks found nothing")]
    title = f"{record}: accepted{' with warnings' if clean.warnings else ''}"
    return _View(title, ecg, settings.sampling_rate_hz, calibrated, findings)


def _centred(lead: "npt.NDArray[np.floating]") -> "npt.NDArray[np.floating]":
    """Take the median of the samples that are there (T,) away."""
    import numpy as np

    there = lead[~np.isnan(lead)]
    return np.asarray(lead - np.median(there)) if there.size else lead


def _from_store(store: str, name: str) -> _View:
    """Read a record of a store and its lines of the quarantine list."""
    import numpy as np

    from data_modules.store.read import COUNTS_PER_UNIT, EcgStore

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
    findings = _quarantined(Path(store + ".quarantine.csv"), record)
    return _View(title, ecg, opened.sampling_rate_hz, opened.unit == "mV", findings)


def _quarantined(file: Path, record: str) -> Findings:
    """Return the lines of the quarantine list about a record."""
    import csv

    if not file.is_file():
        return [("unknown", f"there is no quarantine list {file.name} beside the store")]
    with file.open(newline="", encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["record"] == record]
    return [(row["code"], row["message"]) for row in rows] or [
        ("accepted", "the checks found nothing")
    ]


def _draw(seen: _View) -> "Figure":
    """Draw the leads and, below the paper, the findings."""
    from lsemvae.evaluation.plots.ecg_sheet import draw_twelve_leads

    figure = draw_twelve_leads(
        {seen.title: seen.ecg},
        sampling_rate_hz=seen.sampling_rate_hz,
        title=seen.title,
        styles=[{"color": "black", "linewidth": 0.7}],
        calibrated=seen.calibrated,
    )
    texts = (f"{code}: {text}" for code, text in seen.findings)
    lines = [line for text in texts for line in textwrap.wrap(text, CHARACTERS)]
    _add_below(figure, lines)
    return figure


def _add_below(figure: "Figure", lines: list[str]) -> None:
    """Lengthen a figure by lines of text; what it holds keeps its size and moves up."""
    height = figure.get_figheight()
    added = LINE_INCH * (len(lines) + 1)
    total = height + added
    figure.set_figheight(total)
    for axes in figure.axes:
        box = axes.get_position()
        bottom, tall = (box.y0 * height + added) / total, box.height * height / total
        axes.set_position((box.x0, bottom, box.width, tall))
    for text in figure.texts:
        text.set_y((text.get_position()[1] * height + added) / total)
    figure.text(
        0.02, (added - 0.4 * LINE_INCH) / total, "\n".join(lines), va="top", fontsize=7.5,
        family="monospace", linespacing=1.3,
    )  # fmt: skip
