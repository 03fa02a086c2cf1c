"""Lay out the first page of a leaderboard: tables whose every number leads to its predictions."""

from collections.abc import Sequence
from urllib.parse import quote

from lsemvae.core.targets import Kind
from lsemvae.core.tasks import Thresholds, find_task
from lsemvae.evaluation.report.blocks import Block, Picture, Section, Table, Text, draw
from lsemvae.evaluation.report.first_screen import RESEARCH
from lsemvae.evaluation.report.written import p_value
from lsemvae.evaluation.tables.auroc_bars import auroc_bars
from lsemvae.evaluation.tables.table2 import long_table
from lsemvae.leaderboard.addresses import (
    PRETRAINED,
    SYNTHETIC,
    entry_anchor,
    folds_file,
    row_page,
    shown,
    shown_data,
)
from lsemvae.leaderboard.board import Board, Question
from lsemvae.leaderboard.scoring import Figure, Scored, differences
from lsemvae.leaderboard.submission import Row

Links = dict[tuple[int, int], str]
HOW = (
    "Every number is computed by this program from predictions by record id, with frozen folds and "
    "labels. A metric cannot be handed in. Each number leads to its predictions, their digests, "
    "the command and the seed."
)
MEASURED: dict[Kind, str] = {
    "binary": "AUROC: mean over the folds, interval by patient (DeLong within folds). MCC and "
    "accuracy at a probability of one half, ± SD over the folds.",
    "labels": "AUROC: means over the folds, intervals by patient (DeLong).",
    "number": "Out of fold, all records at once; intervals by a bootstrap of patients.",
}
COMPARED = (
    " Last columns: the first row minus this one on the same patients; p by DeLong{holm}. Where "
    "intervals overlap the order is not settled."
)
SAW = (
    "{task}, {leads}: encoders that saw test patients of {data}, without labels. Not comparable "
    "with the rows above."
)
ADD = (
    "Train on the folds, predict each record in the fold that holds it out, and make a folder of "
    "statement.yaml (below) and one CSV for each task and set of leads. The maintainer checks it "
    "with: lsemvae leaderboard add FOLDER --board BOARD"
)


def index_sections(board: Board, rows: Sequence[Row], scored: Sequence[Scored]) -> list[Section]:
    """Return the parts of the first page.

    Args:
        board: the leaderboard.
        rows: all of them.
        scored: their entries, the best first.
    """
    tasks = [
        _task_section(board, place, question, scored)
        for place, question in enumerate(board.questions.values())
    ]
    return [_summary(board, rows), *tasks, _rows(rows), _questions(board), _how_to_add(board)]


def _summary(board: Board, rows: Sequence[Row]) -> Section:
    blocks: list[Block] = [Text(SYNTHETIC, "warning")] if board.synthetic else []
    counts = f"Rows: {len(rows)}. Tasks: {len(board.questions)}. Data: {shown_data(board)}."
    blocks += [Text(HOW), Text(counts), Text(RESEARCH)]
    return Section("summary", "What this is", blocks)


def _task_section(
    board: Board, place: int, question: Question, scored: Sequence[Scored]
) -> Section:
    mine = [one for one in scored if one.entry.task == question.task]
    blocks: list[Block] = [Text(_asked(question))]
    for lead_set in board.lead_sets:
        for saw in (False, True):
            group = [one for one in mine if one.entry.lead_set == lead_set
                     and bool(one.row.saw_test_patients) is saw]  # fmt: skip
            if group:
                blocks.append(_table(board, group, saw=saw))
    if question.target.kind == "binary" and mine:
        blocks.append(_bars(board, f"auroc_{place}", mine))
    return Section(f"task_{place}", question.task, blocks)


def _asked(question: Question) -> str:
    target = question.target
    if target.kind == "binary":
        asked = find_task(question.task).question(Thresholds.of_settings(question.thresholds))
        return f"{asked[0].upper()}{asked[1:]}"
    if target.kind == "number":
        return f"How well does the ECG estimate {target.title}?"
    return f"How well does one head tell each of {target.title}?"


def _table(board: Board, scored: Sequence[Scored], *, saw: bool) -> Table:
    first = scored[0]
    compared = {} if saw else differences(scored)
    header = ["method", *(one.metric for one in first.figures), "licence"]
    header += ["first minus this [95 %]", "p"] if compared else []
    rows: list[list[str]] = []
    links: Links = {}
    for line, one in enumerate(scored):
        stated = one.row.statement
        anchor = f"{row_page(stated.name)}#{entry_anchor(one.row, one.entry)}"
        links[line, 0] = row_page(stated.name)
        links |= {(line, column): anchor for column in range(1, len(one.figures) + 1)}
        cells = [stated.title, *map(_with_sd, one.figures), stated.licence]
        if compared:
            difference, p = compared.get(stated.name, (None, None))
            cells += [shown(difference, "+"), p_value(p)] if difference else ["", ""]
        rows.append(cells)
    return Table(_caption(board, first, compared=bool(compared), saw=saw), header, rows,
                 links=links)  # fmt: skip


def _caption(board: Board, first: Scored, *, compared: bool, saw: bool) -> str:
    task, leads, data = first.entry.task, first.entry.lead_set, shown_data(board)
    if saw:
        return SAW.format(task=task, leads=leads, data=data)
    kind = first.run.target.kind
    holm = ", adjusted by Holm's method" if kind == "binary" else ", not adjusted"
    more = COMPARED.format(holm=holm) if compared else ""
    return f"{task}, {leads}, {data}, ordered by {first.figures[0].metric}. {MEASURED[kind]}{more}"


def _with_sd(figure: Figure) -> str:
    spread = "" if figure.sd is None or figure.low is not None else f" ± {figure.sd:.3f}"
    return f"{shown(figure)}{spread}"


def _bars(board: Board, name: str, scored: Sequence[Scored]) -> Picture:
    titles = {one.row.statement.name: _marked(one) for one in scored}
    long = long_table([one.run for one in scored])
    leads = [lead_set for lead_set in board.lead_sets if lead_set in set(long["leads"])]
    figure = auroc_bars(long, titles, leads=leads, caption=shown_data(board))
    said = "; ".join(f"{_marked(one)}, {one.entry.lead_set}: {shown(one.figures[0])}"
                     for one in scored)  # fmt: skip
    caption = f"{scored[0].entry.task}: AUROC with its 95 % interval, {shown_data(board)}."
    return draw(figure, name, caption=caption, alt=f"Bars of AUROC. {said}", wide=True)


def _marked(one: Scored) -> str:
    """Return the title of a row, marked where it is not comparable with the others."""
    return f"{one.row.statement.title}{' (saw test patients)' * bool(one.row.saw_test_patients)}"


def _rows(rows: Sequence[Row]) -> Section:
    cells: list[list[str]] = []
    links: Links = {}
    for line, row in enumerate(rows):
        stated = row.statement
        trained = "none" if stated.encoder is None else PRETRAINED[row.saw_test_patients]
        links[line, 0] = row_page(stated.name)
        cells.append([stated.title, stated.name, stated.class_path or f"adapter {stated.adapter}",
                      stated.licence, stated.version, trained])  # fmt: skip
    header = ("method", "name", "class path or adapter", "licence", "made by",
              "training of a frozen encoder")  # fmt: skip
    caption = "What whoever handed in a row states of it."
    return Section("rows", "Rows", [Table(caption, header, cells, wrap=True, links=links)])


def _questions(board: Board) -> Section:
    cells: list[list[str]] = []
    links: Links = {}
    for line, question in enumerate(board.questions.values()):
        truth = question.truth
        links |= {(line, column): quote(folds_file(question)) for column in (0, 5)}
        cells.append([question.task, str(len(truth)), str(truth["patient_id"].nunique()),
                      _known(question), str(question.n_folds), question.folds_sha256,
                      board.cohort_sha256])  # fmt: skip
    header = ("task", "records", "patients", "known", "folds", "SHA-256 of the folds",
              "SHA-256 of the cohort")  # fmt: skip
    caption = "What is asked. The files hold record and fold; the maintainer keeps the labels."
    return Section("questions", "Folds", [Table(caption, header, cells, wrap=True, links=links)])


def _known(question: Question) -> str:
    values = question.truth[question.target.truth]
    if question.target.kind == "number":
        unit = question.target.number.unit
        return f"{values.iloc[:, 0].mean():.1f} ± {values.iloc[:, 0].std():.1f} {unit}"
    counts = [(int((values[name] == 1).sum()), int(values[name].notna().sum()))
              for name in values]  # fmt: skip
    if question.target.kind == "binary":
        return f"{counts[0][0]} positive"
    return ", ".join(f"{name}: {positive} positive of {known}" for name, (positive, known) in
                     zip(question.target.names, counts, strict=True))  # fmt: skip


def _how_to_add(board: Board) -> Section:
    question = next(iter(board.questions.values()))
    example = f"""name: my_net
title: MyNet
licence: MIT
version: my_program 1.0
class_path: my_net.MyNet
predictions:
  - task: {question.task}
    leads: 12
    file: my_predictions.csv
    sha256: SHA-256 of my_predictions.csv
    folds_sha256: {question.folds_sha256}
    cohort_sha256: {board.cohort_sha256}
    command: what made them
    seed: 0"""
    columns = ", ".join(["record", *question.target.predicted])
    told = Text(f"The columns of a CSV of {question.task}: {columns}.")
    return Section("add", "Add a row", [Text(ADD), told, Text(example, "verbatim")])
