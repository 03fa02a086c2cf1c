"""Draw each recording on ECG paper with its outcome above it."""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from data_modules.store.content import COUNTS_PER_UNIT
from lsemvae.core.errors import InputError
from lsemvae.core.figure_files import save_figure
from lsemvae.core.leads import LEADS
from lsemvae.core.outputs import refuse_foreign
from lsemvae.model_file.description import Description
from lsemvae.predicting.decimals import told_apart
from lsemvae.predicting.outcome import RESULT, Row
from lsemvae.predicting.sources import Loaded

MARK = b"lsemvae predict"  # in a picture's own words, by which it is known as ours


def check_pictures(folder: str | None) -> None:
    """Check that pictures may go to a folder, before anything is computed.

    Raises:
        InputError: a file is there.
    """
    if folder is not None and Path(folder).exists() and not Path(folder).is_dir():
        raise InputError(f"--pictures takes a folder, and {folder} is none; name another")


def refuse_foreign_pictures(folder: Path, recordings: Sequence[str]) -> int:
    """Return how many pictures of an earlier run would be replaced.

    Raises:
        InputError: a file of that name was not written by this command.
    """
    places = [folder / f"{name}.png" for name in file_names(recordings).values()]
    way_out = "name another folder with --pictures"
    return sum(
        refuse_foreign(place, mark=MARK, way_out=way_out) for place in places if place.is_file()
    )


def draw_rows(
    folder: Path, rows: Sequence[Row], loaded: Sequence[Loaded | None], model: Description,
    names: Mapping[str, str],
) -> None:  # fmt: skip
    """Draw the recordings that could be read, `folder/NAME.png`; those of errors have none.

    Args:
        folder: of the pictures.
        rows: what came out.
        loaded: the recordings, None where they could not be read.
        model: that was applied.
        names: from `file_names`.

    Raises:
        InputError: the package matplotlib is missing.
    """
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise InputError("--pictures needs matplotlib; pip install matplotlib") from error
    from lsemvae.evaluation.plots.ecg_sheet import draw_twelve_leads

    folder.mkdir(parents=True, exist_ok=True)
    for row, one in zip(rows, loaded, strict=True):
        if one is None:
            continue
        figure = draw_twelve_leads(
            {row.recording: np.where(one.present[:, None], one.ecg / COUNTS_PER_UNIT, np.nan)},
            sampling_rate_hz=float(model.signal["sampling_rate_hz"]),
            title=f"{row.recording}\n{headline(row, model)}",
            styles=[{"color": "black", "linewidth": 0.7}],
            calibrated=model.unit == "mV",
            leads=LEADS,
        )
        words = {"Software": MARK.decode()}
        save_figure(figure, folder / f"{names[row.recording]}.png", dpi=150, words=words)
        pyplot.close(figure)


def headline(row: Row, model: Description) -> str:
    """Say in one line what came out, and that nobody is to be treated by it."""
    synthetic = "SYNTHETIC; " if model.synthetic or "synthetic" in row.findings else ""
    notice = f"{synthetic}research software, not a medical device"
    if row.outcome == RESULT and model.target != "binary":
        told = ", ".join(_values(row, model))
        return f"{told} ({notice})"
    if row.outcome != RESULT or row.probability is None or row.threshold is None:
        return f"{row.outcome}: {row.message} ({notice})"
    side = "at or above" if row.decision else "below"
    probability, threshold = told_apart(row.probability, row.threshold, least=3)
    return (
        f"{model.task.positive}: {probability}, {side} the threshold {threshold} "
        f"({row.point}; {notice})"
    )


def _values(row: Row, model: Description) -> list[str]:
    """Write an estimate with its interval, or the probability of each label."""
    if model.number is not None:
        estimated, low, high, unit = row.values
        interval = "" if low is None else f" [{low:.1f}, {high:.1f}]"
        return [f"{model.number.title}: {estimated:.1f} {unit}{interval}"]
    return [f"{one.positive}: {p:.3f}"
            for one, p in zip(model.labels, row.values[::3], strict=True)]  # fmt: skip


def file_names(recordings: Sequence[str]) -> dict[str, str]:
    """Return the name of each recording's picture; no two are alike, in any case of letters.

    Names that would be the same, as of `a/b` and `a_b`, get a digest of the recording's name.
    """
    plain = {name: _file_name(name) for name in recordings}
    count = Counter(one.casefold() for one in plain.values())
    return {
        name: one if count[one.casefold()] == 1 else f"{one}_{_digest(name)}"
        for name, one in plain.items()
    }


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:8]


def _file_name(recording: str) -> str:
    return re.sub(r"[^\w.-]+", "_", recording).strip("_.")[-180:] or "recording"
