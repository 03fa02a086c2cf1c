"""Hold what a leaderboard asks: frozen folds and labels, which only its maintainer has."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lsemvae.core.errors import InputError
from lsemvae.core.files import file_sha256, write_text
from lsemvae.core.sealed_json import read_json
from lsemvae.core.targets import Target, target_of, task_folder
from lsemvae.evaluation.report.verify import splits_digest

FORMAT, VERSION = "lsemvae-leaderboard", 1
FILE, TRUTH, ROWS, ACCEPTED = "leaderboard.json", "truth", "rows", "accepted.json"
KEYS = ["record", "patient_id", "fold", "signal_sha256"]
PUT_BACK = "put the leaderboard back from a copy"


@dataclass(frozen=True)
class Question:
    """A task of a leaderboard.

    Attributes:
        task: its name.
        target: what is predicted.
        folds_sha256: digest of which record is in which fold.
        thresholds: pressures that define the labels, as in the settings of a run.
        truth: record, patient_id, fold, signal_sha256 and the target's truth, sorted by record.
    """

    task: str
    target: Target
    folds_sha256: str
    thresholds: Mapping[str, Any]
    truth: pd.DataFrame

    @property
    def file(self) -> str:
        """Name of the file of the truth, and of the public one of the folds."""
        return f"{task_folder(self.task)}.csv"

    @property
    def n_folds(self) -> int:
        """Number of folds."""
        return int(self.truth["fold"].nunique())


@dataclass(frozen=True)
class Board:
    """What all rows of a leaderboard share.

    Attributes:
        title: of the site.
        data: label of the recordings.
        synthetic: whether any of them is synthetic.
        derived: counts of labels that rest on something the table did not state.
        cohort_sha256: digest of the store.
        lead_sets: names such as 12L that rows may have.
        allow_leakage: whether encoders that saw test patients are shown, apart, instead of refused.
        questions: by the task's name.
    """

    title: str
    data: str
    synthetic: bool
    derived: Mapping[str, int]
    cohort_sha256: str
    lead_sets: tuple[str, ...]
    allow_leakage: bool
    questions: Mapping[str, Question]


def write_board(folder: Path, board: Board) -> None:
    """Write questions and truth into a new folder."""
    (folder / TRUTH).mkdir(parents=True)
    tasks = []
    for question in board.questions.values():
        file = folder / TRUTH / question.file
        write_text(file, question.truth.to_csv(index=False))
        tasks.append({
            "task": question.task, "target": asdict(question.target),
            "folds_sha256": question.folds_sha256, "thresholds": dict(question.thresholds),
            "truth_sha256": file_sha256(file),
        })  # fmt: skip
    about = {name: value for name, value in vars(board).items() if name != "questions"}
    content = {"format": FORMAT, "version": VERSION, **about, "tasks": tasks}
    write_text(folder / FILE, json.dumps(content, indent=1) + "\n")


def read_board(folder: Path) -> Board:
    """Read a leaderboard whose folds and labels are as they were when it was started.

    Raises:
        InputError: there is none, or a file was changed.
    """
    if not (folder / FILE).is_file():
        raise InputError(
            f"{folder} holds no leaderboard; name the folder of one with --board, or begin one "
            "with `lsemvae leaderboard start`"
        )
    found = read_json(folder / FILE, PUT_BACK)
    try:
        if (found.pop("format"), found.pop("version")) != (FORMAT, VERSION):
            raise KeyError("format")
        questions = {one["task"]: _question(folder, one) for one in found.pop("tasks")}
        found["lead_sets"] = tuple(found["lead_sets"])
        return Board(**found, questions=questions)
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{folder / FILE} is not a {FORMAT} file of version {VERSION} ({error}); {PUT_BACK}"
        ) from error


def _question(folder: Path, kept: Mapping[str, Any]) -> Question:
    target = target_of({"target": kept["target"]})
    file = folder / TRUTH / f"{task_folder(kept['task'])}.csv"
    if not file.is_file() or file_sha256(file) != kept["truth_sha256"]:
        raise InputError(
            f"{file} is not as it was when the leaderboard was started: folds or labels were "
            f"changed; {PUT_BACK}"
        )
    text = dict.fromkeys(("record", "patient_id", "signal_sha256"), str)
    missing = dict.fromkeys(target.truth, "")
    truth = pd.read_csv(file, dtype=text, keep_default_na=False, na_values=missing)
    fold_of = dict(zip(truth["record"], truth["fold"].tolist(), strict=True))
    if splits_digest(fold_of) != kept["folds_sha256"]:
        raise InputError(f"{folder / FILE} gives other folds than {file}; {PUT_BACK}")
    return Question(kept["task"], target, kept["folds_sha256"], kept["thresholds"], truth)
