"""Lay out the page of a row: what is stated, every number, and what each was computed from."""

from collections.abc import Sequence
from urllib.parse import quote

from lsemvae.core.counted import counted
from lsemvae.evaluation.report.blocks import Block, Section, Table, Text
from lsemvae.evaluation.report.written import number
from lsemvae.leaderboard.addresses import (
    PRETRAINED,
    SYNTHETIC,
    entry_anchor,
    folds_file,
    predictions_file,
    shown,
    shown_data,
)
from lsemvae.leaderboard.board import Board
from lsemvae.leaderboard.scoring import Scored
from lsemvae.leaderboard.submission import Row


def row_sections(board: Board, row: Row, scored: Sequence[Scored]) -> list[Section]:
    """Return the parts of a row's page.

    Args:
        board: the leaderboard.
        row: of it.
        scored: entries of all rows.
    """
    mine = {one.entry: one for one in scored if one.row is row}
    entries = [_entry_section(board, mine[entry]) for entry in row.statement.predictions]
    return [_statement(board, row), *entries]


def _statement(board: Board, row: Row) -> Section:
    stated = row.statement
    facts = {
        "leaderboard": board.title,
        "name": stated.name,
        "class path" if stated.class_path else "adapter": stated.class_path or stated.adapter,
        "licence": stated.licence,
        "made by": stated.version,
    }
    if stated.encoder is None:
        facts["frozen encoder"] = "none"
    else:
        facts |= {"frozen encoder, SHA-256": stated.encoder.sha256,
                  "training of the encoder": PRETRAINED[row.saw_test_patients]}  # fmt: skip
    caption = f"{stated.title}, as stated by whoever handed it in."
    cells = [[name, value] for name, value in facts.items()]
    back = {(0, 1): "../index.html"}
    blocks: list[Block] = [Text(SYNTHETIC, "warning")] if board.synthetic else []
    return Section("statement", "The method",
                   [*blocks, Table(caption, ("what", "value"), cells, wrap=True,
                                   links=back)])  # fmt: skip


def _entry_section(board: Board, scored: Scored) -> Section:
    entry = scored.entry
    caption = (
        f"{entry.task}, {entry.lead_set}, {shown_data(board)}: "
        f"{counted(len(scored.run.predictions), 'record')}, computed from the predictions."
    )
    cells = [[one.metric, shown(one), "" if one.sd is None else number(one.sd)]
             for one in scored.figures]  # fmt: skip
    figures = Table(caption, ("metric", "value [95 %]", "SD over folds"), cells)
    title = f"{entry.task}, {entry.lead_set}"
    anchor = entry_anchor(scored.row, entry)
    return Section(anchor, title, [figures, _source(board, scored)])


def _source(board: Board, scored: Scored) -> Table:
    """Return what the numbers of an entry were computed from, with addresses of the files."""
    entry, name = scored.entry, scored.row.statement.name
    public, folds = predictions_file(name, entry), folds_file(board.questions[entry.task])
    facts = {
        "predictions": public.rpartition("/")[2],
        "SHA-256 of the file handed in": entry.sha256,
        "folds": folds.rpartition("/")[2],
        "SHA-256 of the folds": entry.folds_sha256,
        "SHA-256 of the cohort": entry.cohort_sha256,
        "command": entry.command,
        "seed": str(entry.seed),
        "made by": scored.row.statement.version,
    }
    cells = [[what, value] for what, value in facts.items()]
    links = {(0, 1): f"../{quote(public)}", (2, 1): f"../{quote(folds)}"}
    caption = f"What the numbers of {entry.task}, {entry.lead_set} come from."
    return Table(caption, ("what", "value"), cells, wrap=True, links=links)
