"""List a folder of exports: what each file says of patient and time, and why some are no use."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import pandas as pd

from data_modules.linking.pseudonyms import record_name
from data_modules.progress import counted_progress
from data_modules.reading.reasons import REASONS, REMEDIES, RecordError
from data_modules.reading.stored.dates import ordered_date
from data_modules.reading.stored.facts import StoredFacts, day_first
from data_modules.reading.stored.read import list_records, read_facts
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.joblib_backend import joblib_backend

DateOrder = Literal["month_first", "day_first"]
BLOCK = 256


class Left(NamedTuple):
    """Who was left out, or kept in doubt.

    Attributes:
        who: a row of the table or a file, without identities.
        reason: why, in words that the flow counts.
        next_step: what to do.
    """

    who: str
    reason: str
    next_step: str


class Archive(NamedTuple):
    """The files of a folder.

    Attributes:
        files: a row for each file that states its patient: path, record, patient (as the file
            writes it), acquired (ISO text, empty where it is not stated), sex, birth_date,
            age_years, statements, measured.
        left: files that were left out.
        n_files: all of them.
    """

    files: pd.DataFrame
    left: list[Left]
    n_files: int


def read_archive(source: Path, key: bytes, *, order: DateOrder | None, jobs: int) -> Archive:
    """Read what every file below a folder says; no signal is decoded.

    Args:
        source: the folder.
        key: of the pseudonyms.
        order: of day and month where the file leaves it to its maker (GE MUSE: month first); None
            where nobody asks for dates.
        jobs: processes; -1 takes one for each core.

    Raises:
        InputError: there is no file, or the dates of files contradict their order.
    """
    from joblib import Parallel, delayed

    paths = list_records(source)
    if not paths:
        raise InputError(f"{source} holds no file; source is the folder of the exports")
    blocks = [paths[start : start + BLOCK] for start in range(0, len(paths), BLOCK)]
    found: list[StoredFacts | str] = []
    progress = counted_progress("reading what files say", already=0)
    with joblib_backend(jobs, None), progress as report:
        work = Parallel(return_as="generator")
        for part in work(delayed(_read_block)(source, block) for block in blocks):
            found += part
            report(len(found), len(paths))
    facts = dict(zip(paths, found, strict=True))
    if order is not None:
        _check_order(facts.values(), order)
    return _sort(facts, key, order)


def _read_block(source: Path, paths: Sequence[str]) -> list[StoredFacts | str]:
    """Return what each file says, or the code of the reason why it says nothing."""
    found: list[StoredFacts | str] = []
    for path in paths:
        try:
            found.append(read_facts(source, path))
        except RecordError as error:
            found.append(error.code)
    return found


def _check_order(found: Iterable[StoredFacts | str], order: DateOrder) -> None:
    """Refuse an order of day and month that the files disprove.

    Raises:
        InputError: a date exists in the other order only.
    """
    other = sum(
        isinstance(one, StoredFacts)
        and bool(one.numbered_dates)
        and ordered_date(one.numbered_dates[0], day_first=order == "day_first") is None
        and ordered_date(one.numbered_dates[0], day_first=order != "day_first") is not None
        for one in found
    )
    if other:
        meant = "month_first" if order == "day_first" else "day_first"
        raise InputError(
            f"the dates of {counted(other, 'file')} are not {order.replace('_', ' ')}; if their "
            f"devices write the other way, say --file_dates {meant}; if not, take these files out"
        )


def _sort(facts: dict[str, StoredFacts | str], key: bytes, order: DateOrder | None) -> Archive:
    rows, left = [], []
    for path, found in facts.items():
        name = record_name(path, key)
        if isinstance(found, str):
            left.append(Left(f"file {name}", f"not read: {REASONS[found]}", REMEDIES[found]))
            continue
        one = day_first(found) if order == "day_first" else found
        if not one.patient_id.known:
            state = "a default" if one.patient_id.status == "default" else "no"
            step = "export it again with the patient's id, or leave it"
            left.append(Left(f"file {name}", f"{state} patient id in the file", step))
            continue
        if "\ufffd" in one.patient_id.known:
            step = "export it again in UTF-8"
            left.append(
                Left(f"file {name}", "a letter of the patient id in the file is lost", step)
            )
            continue
        rows.append((
            path, name, one.patient_id.known, one.acquired.known, one.sex.known,
            one.birth_date.known, one.age_years.known, one.statements, dict(one.measured),
        ))  # fmt: skip
    columns = ["path", "record", "patient", "acquired", "sex", "birth_date", "age_years",
               "statements", "measured"]  # fmt: skip
    return Archive(pd.DataFrame(rows, columns=columns), left, len(facts))


def take_dated(archive: Archive) -> tuple[pd.DataFrame, list[Left], list[Left]]:
    """Return the files with a date, each recording once; those without, and the second copies.

    Two files are one recording where patient, date and time of day are the same.
    """
    files = archive.files
    dated = files["acquired"] != ""
    undated = [
        Left(f"file {name}", "no date of acquisition in the file, or a default",
             "set the clock's date in the file's source and export it again")
        for name in files["record"][~dated]
    ]  # fmt: skip
    files = files[dated]
    clocked = files["acquired"].str.contains("T", regex=False)
    again = clocked & files.duplicated(["patient", "acquired"])
    first = files[clocked].drop_duplicates(["patient", "acquired"])
    home = dict(
        zip(zip(first["patient"], first["acquired"], strict=True), first["record"], strict=True)
    )
    names = zip(files["record"], files["patient"], files["acquired"], again, strict=True)
    copies = [
        Left(f"file {name}", "the same recording as another file",
             f"nothing; {home[patient, acquired]} is kept")
        for name, patient, acquired, is_copy in names if is_copy
    ]  # fmt: skip
    return files[~again].reset_index(drop=True), undated, copies
