"""Accept rows into a leaderboard, and read them again as they were accepted."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from lsemvae.core.errors import InputError
from lsemvae.core.files import file_sha256, write_text
from lsemvae.core.one_writer import writing_alone
from lsemvae.core.sealed_json import read_json
from lsemvae.core.whole_folder import whole_folder
from lsemvae.leaderboard.board import ACCEPTED, PUT_BACK, ROWS, Board
from lsemvae.leaderboard.statement import FILE
from lsemvae.leaderboard.submission import Row, read_row, refuse_alike


def read_rows(folder: Path, board: Board, handed_in: Sequence[Row] = ()) -> list[Row]:
    """Read every accepted row of a leaderboard, all checks done again.

    Args:
        folder: of the leaderboard.
        board: read from it.
        handed_in: rows whose copies may stand there: what a stopped `add` of them left.

    Raises:
        InputError: a row was changed, removed, or put there by hand.
    """
    accepted = _accepted(folder)
    there = {one.name for one in (folder / ROWS).glob("[!.]*")}
    copies = {row.statement.name for row in handed_in if _is_copied(row, folder)}
    strange = sorted(there - set(accepted) - copies)
    if strange:
        raise InputError(
            f"{folder / ROWS / strange[0]} was not accepted; move it away and hand it in by "
            "`lsemvae leaderboard add`"
        )
    rows = []
    for name, digest in sorted(accepted.items()):
        statement = folder / ROWS / name / FILE
        if not statement.is_file() or file_sha256(statement) != digest:
            raise InputError(
                f"{statement} is not as it was when the row was accepted: the statement was "
                f"changed; {PUT_BACK}"
            )
        try:
            rows.append(read_row(statement.parent, board))
        except InputError as error:
            raise InputError(
                f"an accepted row was changed or damaged: {error}; {PUT_BACK}"
            ) from error
    refuse_alike(rows, board)
    return rows


def accept_rows(folder: Path, board: Board, submissions: Sequence[Path]) -> list[Row]:
    """Check rows that are handed in and copy them into a leaderboard: all of them, or none.

    Args:
        folder: of the leaderboard.
        board: read from it.
        submissions: folders with a statement and what it names.

    Raises:
        InputError: see `read_row` and `refuse_alike`.
    """
    rows = [read_row(submission, board) for submission in submissions]
    with writing_alone(folder, wait=True):
        _accept(rows, folder, board)
    return rows


def _accept(rows: Sequence[Row], folder: Path, board: Board) -> None:
    accepted = _accepted(folder)
    for row in rows:
        name = row.statement.name
        if accepted.get(name) == file_sha256(row.folder / FILE):
            raise InputError(
                f"{row.folder}: two rows have the name {name!r}, for this very row was accepted "
                "before; leave it out"
            )
    refuse_alike([*read_rows(folder, board, rows), *rows], board)
    (folder / ROWS).mkdir(exist_ok=True)
    for row in rows:
        with whole_folder(folder / ROWS / row.statement.name) as begun:
            for name in (FILE, *row.statement.files):
                shutil.copyfile(row.folder / name, begun / name)
            accepted[row.statement.name] = file_sha256(begun / FILE)
    write_text(folder / ACCEPTED, json.dumps(accepted, indent=1, sort_keys=True) + "\n")


def _is_copied(row: Row, folder: Path) -> bool:
    """Tell whether a leaderboard has the very files of a row under its name."""
    there = folder / ROWS / row.statement.name
    return all(
        (there / name).is_file() and file_sha256(there / name) == file_sha256(row.folder / name)
        for name in (FILE, *row.statement.files)
    )


def _accepted(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of the statement of every accepted row, by its name."""
    file = folder / ACCEPTED
    if not file.is_file():
        return {}
    return read_json(file, PUT_BACK)
