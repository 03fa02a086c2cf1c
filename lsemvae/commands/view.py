"""Draw a recording on ECG paper with what the checks found."""

from pathlib import Path

from data_modules.reading.amplitude import Amplitude
from data_modules.signals.settings import SignalSettings
from lsemvae.core.errors import InputError
from lsemvae.core.figure_files import save_figure
from lsemvae.core.findings import FindingsFoundError
from lsemvae.core.outputs import check_picture_file
from lsemvae.core.printable import say

DEFAULT_SIGNAL = SignalSettings()


def view(
    record: str,
    *,
    out: str | None = None,
    whole: bool = False,
    amplitude: Amplitude = "calibrated",
    signal: SignalSettings = DEFAULT_SIGNAL,
) -> None:
    """Draw the twelve leads of a recording with the findings of the checks.

    The exit code is 0 for a recording that `lsemvae prepare` would keep, 1 for one that it would
    reject, which is drawn as well, and 2 for one that cannot be read.

    Args:
        record: a WFDB record (its path, with or without .hea or .dat), a file of any other kind
            that `lsemvae prepare` reads, or STORE.h5:RECORD for one of a store, RECORD being its
            name or its row.
        out: the picture to write; by default in this folder, named as the file, or as the store
            and the record of it.
        whole: every second of every lead, one below the other; otherwise 2.5 s of each, and a strip
            of II below them.
        amplitude: as in `lsemvae prepare cohort`; a store knows its own.
        signal: how a file is checked and filtered; a store has its own.

    Raises:
        InputError: there is no such recording, or it cannot be read.
        FindingsFoundError: it is drawn, but `lsemvae prepare` would reject it.
    """
    from lsemvae.viewing.recordings import finding_line, view_of_file, view_of_stored
    from lsemvae.viewing.sheet import draw_view

    store, colon, name = record.rpartition(":")
    seen = view_of_stored(store, name) if colon else view_of_file(record, amplitude, signal)
    target = Path(out or f"{seen.name}.png")
    check_picture_file(target, read=(store or None, record))
    try:
        save_figure(draw_view(seen, whole=whole), target, dpi=150)
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"cannot write {target} ({error}); name another with --out") from error
    say(f"recording: {seen.title}")
    for code, text in seen.findings:
        say(finding_line(code, text))
    say(f"picture: {target}")
    if seen.rejected:
        raise FindingsFoundError
