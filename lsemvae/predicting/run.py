"""Predict many recordings in blocks: bounded memory, and nothing is done twice after a stop."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from data_modules.progress import counted_progress
from data_modules.reading.amplitude import Amplitude
from data_modules.reading.reasons import RecordError
from data_modules.store.content import COUNTS_PER_UNIT
from lsemvae.core.counted import counted
from lsemvae.core.earlier_results import tell
from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS, lead_indices
from lsemvae.core.one_writer import writing_alone
from lsemvae.core.printable import say
from lsemvae.model_file.description import Description
from lsemvae.model_file.trained_on import NOBODY
from lsemvae.predicting.journal import RowJournal
from lsemvae.predicting.outcome import (
    NEARLY_TRAINED_ON,
    RESULT,
    Row,
    error_row,
    judged_row,
    with_score,
)
from lsemvae.predicting.output import check_out, write_rows
from lsemvae.predicting.pictures import (
    check_pictures,
    draw_rows,
    file_names,
    refuse_foreign_pictures,
)
from lsemvae.predicting.predictor import Predictor
from lsemvae.predicting.sources import Loaded, Loader, Source, find_sources

BLOCK = 32  # recordings in memory at once


@dataclass(frozen=True)
class Options:
    """What a user may ask for.

    Attributes:
        point: operating point; None for the model's own.
        amplitude: how units in files are taken; None for what the model's unit asks for.
        fewest_leads: withhold recordings with fewer; None for the fewest of the training.
        allow_trained_on: predict recordings and patients of the training too.
        pictures: folder for a picture of every recording that could be read, None for none.
    """

    point: str | None = None
    amplitude: Amplitude | None = None
    fewest_leads: int | None = None
    allow_trained_on: bool = False
    pictures: str | None = None

    def __post_init__(self) -> None:
        """Refuse a number of leads that withholds nothing, or everything."""
        if self.fewest_leads is not None and not 1 <= self.fewest_leads <= len(LEADS):
            raise InputError(
                f"--fewest_leads must be in 1..{len(LEADS)}, got {str(self.fewest_leads)[:40]}"
            )


class NoResultError(InputError):
    """Every recording was withheld or an error; the rows that say why are written."""


class Judged(NamedTuple):
    """A row that may await its score, and the recording where it could be read."""

    row: Row
    loaded: Loaded | None


class Predicted(NamedTuple):
    """What became of the recordings.

    Attributes:
        counts: how many had which outcome.
        near: those with a result that are nearly ones that the model was trained on.
    """

    counts: Counter[str]
    near: list[str]


def predict_to(
    out: Path, predictor: Predictor, named: Sequence[str], options: Options
) -> Predicted:
    """Predict everything that is named and write it to a file.

    Args:
        out: .csv or .json; a journal lies beside it until all is done.
        predictor: the model.
        named: files, folders, stores.
        options: of the user.

    Returns:
        See `Predicted`.

    Raises:
        InputError: nothing to predict, no recording gave a result, options or a store that do not
            fit the model, or a full disk; rows that are done are kept in the journal.
    """
    predictor.description = chosen_point(predictor.description, options.point)
    check_pictures(options.pictures)
    check_out(out)
    sources = find_sources(named)
    check_out(out, read=dict.fromkeys(source.path for source in sources))
    journal_file = out.with_name(f"{out.name}.journal")
    if options.pictures is not None:
        earlier = refuse_foreign_pictures(Path(options.pictures), [one.name for one in sources])
        if earlier and not journal_file.exists():
            replaced = counted(earlier, "earlier picture is", "earlier pictures are")
            tell(f"note: {replaced} replaced in {options.pictures}")
    try:
        identities = {source.name: source.identity for source in sources}
        with (
            _drawing_alone(options.pictures),
            RowJournal(journal_file, _key(predictor, options), identities) as journal,
        ):
            _predict_missing(journal, predictor, sources, options)
            write_rows(out, journal.rows(), about(predictor))
            counts: Counter[str] = Counter()
            first, near = None, []
            for row in journal.rows():
                counts[row.outcome] += 1
                if row.outcome != RESULT:
                    first = first or row
                elif NEARLY_TRAINED_ON in row.findings.split():
                    near.append(row.recording)
    except OSError as error:
        raise InputError(
            f"cannot write {error.filename or out} ({error.strerror or error}); what is predicted "
            f"is kept in {journal_file}: make room or get the rights, then start again to go on"
        ) from error
    journal_file.unlink(missing_ok=True)
    if not counts[RESULT] and first is not None:
        raise NoResultError(
            f"none of {counted(counts.total(), 'recording')} gave a result, see {out}; "
            f"{first.recording}: {first.outcome} ({first.code}), {first.message}"
        )
    return Predicted(counts, near)


def _drawing_alone(pictures: str | None) -> AbstractContextManager[None]:
    return nullcontext() if pictures is None else writing_alone(Path(pictures))


def chosen_point(description: Description, point: str | None) -> Description:
    """Return the description with another operating point.

    Raises:
        InputError: the model has no such point.
    """
    if point is None:
        return description
    if point not in description.point_names:
        known = ", ".join(description.point_names) or "none: it estimates a number"
        raise InputError(f"the model has no operating point {point!r}; it has {known}")
    return replace(description, point=point)


def about(predictor: Predictor) -> dict[str, Any]:
    """Return what the predictions say of the model that they are from."""
    model = predictor.description
    return {
        "sha256": predictor.digest,
        "task": asdict(model.task),
        "leads": model.leads,
        "unit": model.unit,
        **_decided(model),
        "synthetic": model.synthetic,
        "notice": "research software, not a medical device",
    }


def _decided(model: Description) -> dict[str, Any]:
    """Say at which point decisions are made, and which values stand in place of one probability."""
    if model.target == "binary":
        return {"point": model.point, "threshold": model.threshold}
    point = {"point": model.point} if model.labels else {}
    return {**point, "values": model.value_columns}


def _key(predictor: Predictor, options: Options) -> str:
    described = json.dumps([predictor.digest, predictor.description.point, asdict(options)])
    return hashlib.sha256(described.encode()).hexdigest()


def _predict_missing(
    journal: RowJournal, predictor: Predictor, sources: Sequence[Source], options: Options
) -> None:
    missing = [source for source in sources if source.name not in journal.done]
    done = len(sources) - len(missing)
    if done:
        n = f"{len(sources):,}"
        say(
            f"going on: {counted(done, f'recording of {n} was', f'recordings of {n} were')} "
            "predicted before"
        )
    with counted_progress("predicting", already=done) as report:
        names = file_names([source.name for source in sources])
        for rows in predicted_blocks(predictor, missing, options, names):
            journal.add(rows)
            done += len(rows)
            report(done, len(sources))


def predicted_blocks(
    predictor: Predictor, sources: Sequence[Source], options: Options, names: Mapping[str, str]
) -> Iterator[list[Row]]:
    """Yield the rows of some recordings at a time; `names` are those of their pictures."""
    loader = Loader(predictor.description, options.amplitude)
    for start in range(0, len(sources), BLOCK):
        block = sources[start : start + BLOCK]
        judged = [_judge(loader, source, predictor, options) for source in block]
        rows = score_block(predictor, judged)
        if options.pictures is not None:
            loaded = [one.loaded for one in judged]
            draw_rows(Path(options.pictures), rows, loaded, predictor.description, names)
        yield rows


def _judge(loader: Loader, source: Source, predictor: Predictor, options: Options) -> Judged:
    try:
        loaded = loader.load(source)
    except RecordError as error:
        return Judged(error_row(source.name, error), None)
    return judge(source.name, loaded, predictor, options)


def judge(name: str, loaded: Loaded, predictor: Predictor, options: Options) -> Judged:
    """Say of a recording whether it may have a score."""
    model = predictor.description
    seen = NOBODY if options.allow_trained_on else predictor.trained_on
    fewest = model.fewest_leads if options.fewest_leads is None else options.fewest_leads
    return Judged(judged_row(name, loaded, model, seen, fewest), loaded)


def score_block(predictor: Predictor, judged: Sequence[Judged]) -> list[Row]:
    """Give those rows their score that may have one."""
    rows = [one.row for one in judged]
    waiting = [i for i, row in enumerate(rows) if row.outcome == RESULT]
    if not waiting:
        return rows
    chosen = lead_indices(predictor.description.leads)
    loaded = [one.loaded for one in judged if one.loaded and one.row.outcome == RESULT]
    counts = np.stack([one.ecg[chosen] for one in loaded])
    ecg = np.asarray(counts / np.float32(COUNTS_PER_UNIT), np.float32)
    scores = predictor.score(ecg, np.stack([one.present[chosen] for one in loaded]))
    for i, p, u in zip(waiting, scores.probability, scores.uncertainty, strict=True):
        rows[i] = with_score(rows[i], p, float(u), predictor.description)
    return rows
