"""Read a folder that somebody hands in: a statement and the predictions that it names."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from scipy.stats import rankdata

from lsemvae.core.errors import InputError
from lsemvae.core.files import file_sha256
from lsemvae.core.yaml_text import read_yaml
from lsemvae.leaderboard.board import Board, Question
from lsemvae.leaderboard.encoder_leak import saw_test_patients
from lsemvae.leaderboard.predicted import read_predicted
from lsemvae.leaderboard.statement import FILE, Entry, Statement, parse_statement


class Row(NamedTuple):
    """A row whose files were all checked.

    Attributes:
        folder: that it was read from.
        statement: of the row.
        predictions: record, fold and what is predicted, by entry.
        saw_test_patients: whether its encoder did; None where nobody knows.
    """

    folder: Path
    statement: Statement
    predictions: Mapping[Entry, pd.DataFrame]
    saw_test_patients: bool | None


def read_row(folder: Path, board: Board) -> Row:
    """Read and check a row; nothing that it says of its own results is believed.

    Raises:
        InputError: names the file and everything that is wrong with it.
    """
    file = _own_file(folder, FILE)
    statement = parse_statement(read_yaml(file).content, str(file))
    faults = [fault for entry in statement.predictions for fault in _entry_faults(entry, board)]
    if faults:
        raise InputError(f"{file}: {'; '.join(faults)}")
    for name in statement.files:
        _own_file(folder, name)
    for entry in statement.predictions:
        if file_sha256(folder / entry.file) != entry.sha256:
            raise InputError(
                f"{folder / entry.file} is not the file whose SHA-256 the statement gives: it was "
                "changed afterwards; state the digest of what is handed in"
            )
    saw = saw_test_patients(statement.encoder, folder, board)
    tables = {
        entry: read_predicted(folder / entry.file, board.questions[entry.task])
        for entry in statement.predictions
    }
    return Row(folder, statement, tables, saw)


def _own_file(folder: Path, name: str) -> Path:
    """Return a file of a folder; a link could lead out of it.

    Raises:
        InputError: it is missing, a link or no file.
    """
    file = folder / name
    if file.is_symlink():
        raise InputError(f"{file} is a link, which could lead out of the folder; copy the file")
    if not file.is_file():
        raise InputError(f"there is no file {file}; a row is a folder of {FILE} and what it names")
    return file


def _entry_faults(entry: Entry, board: Board) -> list[str]:
    question = board.questions.get(entry.task)
    if question is None:
        return [f"task {entry.task!r} is not of this leaderboard ({', '.join(board.questions)})"]
    faults = []
    if entry.lead_set not in board.lead_sets:
        faults.append(f"{entry.task}: leads {entry.lead_set} are not of this leaderboard "
                      f"({', '.join(board.lead_sets)})")  # fmt: skip
    for what, told, own in (
        ("folds", entry.folds_sha256, question.folds_sha256),
        ("cohort", entry.cohort_sha256, board.cohort_sha256),
    ):
        if told != own:
            faults.append(f"{entry.task}/{entry.lead_set} was made with another {what} (SHA-256 "
                          f"{told[:12]}, the leaderboard's {own[:12]})")  # fmt: skip
    return faults


def refuse_alike(rows: Sequence[Row], board: Board) -> None:
    """Refuse names that are taken, and predictions that put the records in the order of others.

    Two trainings never agree in the rank of every record: such predictions were copied, whatever
    was done to their values, or belong to another set of leads.

    Raises:
        InputError: names both.
    """
    for what, texts in (
        ("name", [row.statement.name for row in rows]),
        ("title", [row.statement.title for row in rows]),
    ):
        seen: set[str] = set()
        for text in texts:
            if text.casefold() in seen:
                raise InputError(f"two rows have the {what} {text!r}; choose another")
            seen.add(text.casefold())
    ranks: dict[tuple[str, bytes], str] = {}
    for row in rows:
        for entry, table in row.predictions.items():
            found = _ranks(table, board.questions[entry.task])
            here = f"{row.statement.name} ({entry.task}, {entry.lead_set})"
            if found is None:
                continue
            other = ranks.setdefault((entry.task, found), here)
            if other != here:
                raise InputError(
                    f"{row.folder / entry.file}: {here} ranks all records as {other} does: these "
                    "are the same predictions under another name; hand in those of the method"
                )


def _ranks(table: pd.DataFrame, question: Question) -> bytes | None:
    """Return the ranks of all records; None where the predictions tell none apart."""
    ranks = rankdata(table[question.target.predicted].to_numpy(), axis=0)
    return None if (ranks == ranks[0]).all() else ranks.tobytes()
