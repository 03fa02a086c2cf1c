"""Write the static site of a leaderboard: the same files give the same bytes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lsemvae.core.earlier_results import remember_result, replaced_result, tell
from lsemvae.core.errors import InputError
from lsemvae.core.files import file_sha256
from lsemvae.core.whole_folder import whole_folder
from lsemvae.evaluation.report.html import render_page
from lsemvae.leaderboard.addresses import folds_file, predictions_file, row_page
from lsemvae.leaderboard.board import Board, read_board
from lsemvae.leaderboard.index_page import index_sections
from lsemvae.leaderboard.row_page import row_sections
from lsemvae.leaderboard.rows import read_rows
from lsemvae.leaderboard.scoring import Scored, score_rows
from lsemvae.leaderboard.submission import Row

SCORES = "scores.csv"
COLUMNS = ["task", "leads", "method", "metric", "value", "low", "high", "sd", "predictions",
           "sha256", "folds_sha256", "cohort_sha256", "command", "seed"]  # fmt: skip


def build_site(folder: Path, out: Path) -> Path:
    """Check everything, score every row again, and write the site in one step.

    Args:
        folder: of the leaderboard.
        out: of the site; an earlier one is replaced, and told where its numbers differ.

    Returns:
        The first page.

    Raises:
        InputError: a row or a file of the leaderboard is not as it was accepted, or `out` holds
            something else than a site; nothing is written.
    """
    _check_out(out, folder)
    board = read_board(folder)
    rows = read_rows(folder, board)
    if not rows:
        raise InputError(f"{folder} has no row; hand one in with `lsemvae leaderboard add`")
    files = site_files(board, rows, score_rows(rows, board))
    with whole_folder(out) as begun:
        for name, text in files.items():
            file = begun / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
        note = replaced_result(begun / SCORES, out / SCORES)
    tell(note)
    return out / "index.html"


def _check_out(out: Path, folder: Path) -> None:
    """Refuse a folder that holds something else than an earlier site.

    Raises:
        InputError: names it.
    """
    if out.resolve() == folder.resolve() or out.resolve() in folder.resolve().parents:
        raise InputError(f"{out} holds the leaderboard; name another folder with --out")
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; name a folder with --out")
    if out.is_dir() and any(out.iterdir()):
        if not _is_site(out):
            raise InputError(f"{out} holds something else than a site; name another with --out")
        remember_result(out / SCORES, file_sha256)


def _is_site(out: Path) -> bool:
    file = out / SCORES
    return file.is_file() and file.read_text().startswith(",".join(COLUMNS))


def site_files(board: Board, rows: Sequence[Row], scored: Sequence[Scored]) -> dict[str, str]:
    """Return every file of the site by its path."""
    beside = [f"{SCORES} (every number)", "predictions/", "folds/"]
    sections = index_sections(board, rows, scored)
    files = {
        "index.html": render_page(board.title, sections, beside),
        SCORES: scores_table(scored).to_csv(index=False),
    }
    for question in board.questions.values():
        public = question.truth[["record", "fold"]]
        files[folds_file(question)] = public.to_csv(index=False)
    for row in rows:
        name = row.statement.name
        files[row_page(name)] = render_page(
            row.statement.title, row_sections(board, row, scored), [f"../{SCORES}"]
        )
        for entry, table in row.predictions.items():
            files[predictions_file(name, entry)] = table.to_csv(index=False)
    return files


def scores_table(scored: Sequence[Scored]) -> pd.DataFrame:
    """Return every number of the site with what it comes from, a row for each."""
    return pd.DataFrame([line for one in scored for line in _lines(one)], columns=COLUMNS)


def _lines(one: Scored) -> list[list[Any]]:
    entry, name = one.entry, one.row.statement.name
    source = [predictions_file(name, entry), entry.sha256, entry.folds_sha256, entry.cohort_sha256,
              entry.command, entry.seed]  # fmt: skip
    return [
        [entry.task, entry.lead_set, name, figure.metric, figure.value, figure.low, figure.high,
         figure.sd, *source]
        for figure in one.figures
    ]  # fmt: skip
