"""Forged, leaking, incomplete and foreign rows are refused in one line, and nothing is written."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from data_modules.store.content import patient_hashes, signal_hashes
from data_modules.store.read import EcgStore
from lsemvae.cli import main
from lsemvae.core.errors import InputError
from lsemvae.core.files import file_sha256, write_text
from lsemvae.core.one_writer import writing_alone
from lsemvae.evaluation.report.gather import find_runs
from lsemvae.leaderboard.pack import pack_method
from tests.conftest import error_of
from tests.killed import KILLED, killed_at

FILE = "detection_12L.csv"
Forgery = Callable[[Path], None]


def statement_of(row: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((row / "statement.yaml").read_text())
    return found


def state(row: Path, found: dict[str, Any]) -> None:
    (row / "statement.yaml").write_text(yaml.safe_dump(found, sort_keys=False))


def stated(change: Callable[[dict[str, Any]], Any]) -> Forgery:
    """Return a forgery that changes the statement."""

    def forge(row: Path) -> None:
        found = statement_of(row)
        change(found)
        state(row, found)

    return forge


def entry(name: str, value: Any) -> Forgery:
    """Return a forgery that changes a value of the first predictions in the statement."""
    return stated(lambda found: found["predictions"][0].update({name: value}))


def take_digests(row: Path) -> None:
    """State the digests of the files as they are now, as a careful forger would."""
    found = statement_of(row)
    for one in found["predictions"]:
        one["sha256"] = file_sha256(row / one["file"])
    state(row, found)


def written(content: bytes) -> Forgery:
    """Return a forgery that replaces a file of predictions, and states its digest."""

    def forge(row: Path) -> None:
        (row / FILE).write_bytes(content)
        take_digests(row)

    return forge


def edited(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Forgery:
    """Return a forgery that edits a table of predictions, and states its digest."""

    def forge(row: Path) -> None:
        table = pd.read_csv(row / FILE, dtype=str, keep_default_na=False)
        change(table).to_csv(row / FILE, index=False)
        take_digests(row)

    return forge


def cell(column: str, value: str) -> Forgery:
    return edited(lambda table: table.assign(**{column: [value, *table[column][1:]]}))


def edited_after_the_digest(row: Path) -> None:
    text = (row / FILE).read_text().splitlines()
    text[1] = text[1].replace("0.", "0.9", 1)
    (row / FILE).write_text("\n".join(text) + "\n")


def cut(row: Path) -> None:
    content = (row / FILE).read_bytes()
    written(content[: len(content) // 2])(row)


def cut_at_a_line(row: Path) -> None:
    lines = (row / FILE).read_bytes().splitlines(keepends=True)
    written(b"".join(lines[:-3]))(row)


def another_tasks_file(row: Path) -> None:
    shutil.copyfile(row / "phenotype_12L.csv", row / FILE)
    take_digests(row)


def six_leads_as_twelve(row: Path) -> None:
    shutil.copyfile(row / "detection_6L.csv", row / FILE)
    take_digests(row)


def a_link_out_of_the_folder(row: Path) -> None:
    (row.parent / "outside.csv").write_bytes((row / FILE).read_bytes())
    (row / FILE).unlink()
    (row / FILE).symlink_to(row.parent / "outside.csv")


def copied_from_another_row(row: Path) -> None:
    theirs = pd.read_csv(row.parent / "board/rows/ls_emvae" / FILE, dtype=str)
    share = theirs["probability"].astype(float)
    theirs.assign(probability=share**2, label=theirs["label"]).to_csv(row / FILE, index=False)
    take_digests(row)


def swap(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(label=np.where(table["label"].astype(float) == 1, "0", "1"))


def tear(table: pd.DataFrame) -> pd.DataFrame:
    """Give a patient's record a second line in another fold."""
    return table.assign(fold=[str((int(table["fold"][0]) + 1) % 3), *table["fold"][1:]])


FORGERIES: dict[str, tuple[Forgery, str]] = {
    "edited after the digest": (edited_after_the_digest, "was changed afterwards"),
    "missing fold": (edited(lambda t: t[t["fold"] != "2"]), "fold 2 is missing"),
    "missing patient": (edited(lambda t: t[1:]), "has no prediction"),
    "extra patient": (
        edited(lambda t: pd.concat([t, t[:1].assign(record="stranger", patient_id="p")])),
        "record stranger is not of task detection",
    ),
    "duplicated row": (edited(lambda t: pd.concat([t, t[:1]])), "is predicted twice"),
    "other folds": (entry("folds_sha256", "a" * 64), "was made with another folds"),
    "record in another fold": (edited(tear), "is predicted in fold"),
    "patient id of another": (cell("patient_id", "somebody"), "is of another patient"),
    "number typed into metrics": (
        stated(lambda found: found.update(metrics={"auroc": 0.99})),
        "'metrics': metrics are computed here, never taken",
    ),
    "number typed beside a file": (entry("auroc", 0.99), "metrics are computed here, never taken"),
    "swapped labels": (edited(swap), "all labels are swapped"),
    "one other label": (
        edited(lambda t: pd.concat([swap(t[:1]), t[1:]])), "(1 of 60 differ)",
    ),
    "NaN": (cell("probability", "nan"), "must be a probability of 0 to 1, got 'nan'"),
    "infinite": (cell("probability", "inf"), "got 'inf'"),
    "beyond every number": (cell("probability", "1e999"), "got '1e999'"),
    "above one": (cell("probability", "1.01"), "got '1.01'"),
    "below zero": (cell("probability", "-0.2"), "got '-0.2'"),
    "empty cell": (cell("probability", ""), "got ''"),
    "formula in a cell": (cell("probability", "=1-0.1"), "got '=1-0.1'"),
    "formula in a title": (entry("command", "=HYPERLINK(1)"), "take for a formula"),
    "another task's file": (another_tasks_file, "has no prediction"),
    "a task that is not asked": (entry("task", "mortality"), "'mortality' is not of this leader"),
    "other cohort": (entry("cohort_sha256", "b" * 64), "was made with another cohort"),
    "cut within a line": (cut, "is cut"),
    "cut at a line": (cut_at_a_line, "has no prediction"),
    "leads that are not asked": (entry("leads", ["I", "II"]), "leads 2L-I-II are not of this"),
    "no such lead": (entry("leads", ["I", "V9"]), "unknown lead name 'V9'"),
    "six leads handed in as twelve": (six_leads_as_twelve, "ranks all records as"),
    "path out of the folder": (entry("file", "../row/" + FILE), "without / and .."),
    "absolute path": (entry("file", "/etc/passwd"), "without / and .."),
    "link out of the folder": (a_link_out_of_the_folder, "is a link"),
    "script in a name": (
        stated(lambda found: found.update(title="<script>alert(1)</script>")),
        "plain text without < and >",
    ),
    "right-to-left mark in a name": (
        stated(lambda found: found.update(title="My\N{RIGHT-TO-LEFT OVERRIDE}Net")),
        "one line of printable characters",
    ),
    "a name that leads elsewhere": (
        stated(lambda found: found.update(name="../other")), "name must be letters",
    ),
    "name of another row": (stated(lambda found: found.update(name="LS_EMVAE")), "two rows have"),
    "title of another row": (
        stated(lambda found: found.update(title="ls-emvae")), "two rows have the title",
    ),
    "copied and disguised": (copied_from_another_row, "ranks all records as ls_emvae"),
    "no predictions": (stated(lambda found: found.update(predictions=[])), "nothing was handed in"),
    "empty file": (written(b""), "it is empty"),
    "binary file": (written(bytes(range(256)) * 4), "it is no text"),
    "no statement": (lambda row: (row / "statement.yaml").unlink(), "there is no file"),
    "no licence": (stated(lambda found: found.pop("licence")), "licence must be a text"),
    "the same predictions twice": (
        stated(lambda found: found["predictions"].append(found["predictions"][0])),
        "predictions of detection/12L are listed twice",
    ),
    "encoder that admits to have seen test patients": (
        stated(lambda found: found.update(encoder={"sha256": "e" * 64, "saw_test_patients": True})),
        "leakage: the encoder was trained on patients",
    ),
}  # fmt: skip


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes()
            for file in sorted(folder.rglob("*")) if file.is_file()}  # fmt: skip


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_row_is_refused_in_one_line_and_nothing_is_written(
    name: str, row: Path, board: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forge, expected = FORGERIES[name]
    forge(row)
    before = contents(board)
    capsys.readouterr()
    assert main(["leaderboard", "add", str(row), "--board", str(board)]) == 2
    error = error_of(capsys)
    assert expected in error
    assert str(row) in error or "two rows" in error
    assert contents(board) == before


def test_a_row_that_is_not_forged_is_accepted_once(
    row: Path, board: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["leaderboard", "add", str(row), "--board", str(board)]) == 0
    assert "mvae, detection, 12L: AUROC 0." in capsys.readouterr().out
    assert main(["leaderboard", "add", str(row), "--board", str(board)]) == 2
    assert "two rows have the name 'mvae'" in error_of(capsys)


def test_a_row_whose_ids_were_respelt_on_the_way_is_accepted(row: Path, board: Path) -> None:
    edited(lambda table: table.assign(patient_id=table["patient_id"].str.lower() + ".0"))(row)
    assert main(["leaderboard", "add", str(row), "--board", str(board)]) == 0


def test_a_row_is_accepted_while_no_other_add_writes(
    row: Path, board: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each would write its own list of accepted rows, and the row of one were lost."""

    def write(folder: Path, text: str) -> None:
        with pytest.raises(InputError, match="another process"), writing_alone(board):
            pass
        write_text(folder, text)

    monkeypatch.setattr("lsemvae.leaderboard.rows.write_text", write)
    assert main(["leaderboard", "add", str(row), "--board", str(board)]) == 0
    assert "mvae" in (board / "accepted.json").read_text()


@pytest.mark.parametrize("step", [5, 9])
def test_an_add_that_was_killed_is_done_by_the_next_one(
    step: int, row: Path, board: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add = ["leaderboard", "add", str(row), "--board", str(board)]
    assert killed_at(step, add) in (KILLED, 0)
    if main(add) == 2:
        assert "this very row was accepted before; leave it out" in error_of(capsys)
    assert main(["leaderboard", "build", str(board), "--out", str(board.parent / "site")]) == 0
    assert (board / "rows/mvae/statement.yaml").is_file()
    assert not list(board.rglob(".*"))


def test_a_start_that_was_killed_leaves_no_labels(
    arena: Path, store: EcgStore, tmp_path: Path
) -> None:
    start = ["leaderboard", "start", str(arena / "runs"), "--cohort", str(store.path),
             "--out", str(tmp_path / "board")]  # fmt: skip
    assert killed_at(20, start) == KILLED
    assert main(start) == 0
    assert [one.name for one in tmp_path.iterdir()] == ["board"]


@pytest.mark.parametrize("kind", ["patient", "signal"])
def test_an_encoder_that_was_trained_on_a_test_patient_is_refused_by_its_hashes(
    kind: str, row: Path, board: Path, store: EcgStore, capsys: pytest.CaptureFixture[str]
) -> None:
    hashes = {"patient": patient_hashes(["x"]), "signal": signal_hashes(["0" * 16])}
    known = {"patient": patient_hashes, "signal": signal_hashes}[kind]
    column = {"patient": "patient_id", "signal": "signal_sha256"}[kind]

    def hand_in(saw: bool = False, **seen: Any) -> int:
        np.savez(row / "trained_on.npz", **{**hashes, **seen})
        stated(lambda found: found.update(encoder={
            "sha256": "e" * 64, "trained_on": "trained_on.npz", "saw_test_patients": saw,
        }))(row)  # fmt: skip
        return main(["leaderboard", "add", str(row), "--board", str(board)])

    assert hand_in(saw=True) == 2
    assert "it is that of another encoder" in error_of(capsys)
    assert hand_in(**{kind: known([store.table[column].iloc[0]])}) == 2
    assert "leakage: the encoder was trained on 1 " in error_of(capsys)
    assert hand_in() == 0


def change_truth(board: Path) -> None:
    file = board / "truth/detection.csv"
    table = pd.read_csv(file, dtype=str, keep_default_na=False)
    table.assign(label=[*table["label"][1:], table["label"][0]]).to_csv(file, index=False)


def move_a_record(board: Path) -> None:
    file = board / "truth/detection.csv"
    table = pd.read_csv(file, dtype=str, keep_default_na=False)
    table.assign(fold=[str((int(table["fold"][0]) + 1) % 3), *table["fold"][1:]]).to_csv(
        file, index=False
    )


def change_the_command(board: Path) -> None:
    entry("command", "lsemvae cv --epochs 5")(board / "rows/ls_emvae")


def improve(board: Path) -> None:
    row = board / "rows/ls_emvae"
    cell("probability", "0.5")(row)


def improve_without_digest(board: Path) -> None:
    edited_after_the_digest(board / "rows/ls_emvae")


def put_there_by_hand(board: Path) -> None:
    shutil.copytree(board / "rows/ls_emvae", board / "rows/my_net")


def remove_a_row(board: Path) -> None:
    shutil.rmtree(board / "rows/ls_emvae")


@pytest.mark.parametrize(
    ("forge", "expected"),
    [
        (change_truth, "folds or labels were changed"),
        (move_a_record, "folds or labels were changed"),
        (change_the_command, "the statement was changed"),
        (improve, "the statement was changed"),
        (improve_without_digest, "was changed afterwards"),
        (put_there_by_hand, "was not accepted"),
        (remove_a_row, "is not as it was when the row was accepted"),
        (
            lambda board: (board / "leaderboard.json").unlink(),
            "holds no leaderboard; name the folder of one with --board",
        ),
    ],
)
def test_a_leaderboard_that_was_changed_by_hand_is_not_built(
    forge: Forgery, expected: str, board: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forge(board)
    capsys.readouterr()
    assert main(["leaderboard", "build", str(board), "--out", str(tmp_path / "site")]) == 2
    assert expected in error_of(capsys)
    assert not (tmp_path / "site").exists()


def change_settings(run: Path) -> None:
    (run / "fold_0").mkdir()
    (run / "fold_0/finished.json").write_text('{"epochs": 5, "method": "mvae"}')


def type_a_metric(run: Path) -> None:
    text = (run / "metrics.json").read_text()
    found = yaml.safe_load(text)
    typed = text.replace(f'"auroc": {found["pooled"]["auroc"]}', '"auroc": 0.999')
    assert typed != text
    (run / "metrics.json").write_text(typed)


def rename_the_leads(run: Path) -> None:
    run.rename(run.with_name("2L-I-II"))


@pytest.mark.parametrize(
    ("forge", "expected"),
    [
        (change_settings, "settings are not those of fold_0 (epochs 5 against 50)"),
        (type_a_metric, "metrics.json is not of predictions.csv (auroc)"),
        (rename_the_leads, "metrics.json is of 12L, the folder of 2L-I-II"),
    ],
)
def test_a_run_whose_files_do_not_belong_together_is_not_packed(
    forge: Forgery, expected: str, arena: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = Path(shutil.copytree(arena / "more", tmp_path / "more"))
    forge(runs / "detection/mvae/12L")
    capsys.readouterr()
    assert main(["leaderboard", "pack", str(runs), "--out", str(tmp_path / "row")]) == 2
    assert expected in error_of(capsys)
    assert not (tmp_path / "row").exists()


def test_a_row_tells_of_one_encoder_and_of_its_own_training(
    arena: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hashes = tmp_path / "trained_on.npz"
    np.savez(hashes, patient=patient_hashes(["x"]), signal=signal_hashes(["0" * 16]), sha256="")
    pack = ["leaderboard", "pack", str(arena / "more"), "--out", str(tmp_path / "row")]
    assert main([*pack, "--trained_on", str(hashes)]) == 2
    assert "these runs have no frozen encoder; leave --trained_on out" in error_of(capsys)
    runs, _ = find_runs([str(arena / "more")])
    other = [replace(run, metrics={**run.metrics, "encoder_sha256": f"{i}" * 64})
             for i, run in enumerate(runs)]  # fmt: skip
    with pytest.raises(InputError, match=f"has runs of {len(runs)} encoders"):
        pack_method(other, tmp_path / "row", class_path="a.B", licence="MIT", title="t")
    assert not (tmp_path / "row").exists()


@pytest.mark.parametrize("kind", ["pipe", "text", "missing"])
def test_a_row_is_not_packed_with_something_else_for_the_hashes_of_the_training(
    kind: str, arena: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hashes = tmp_path / "hashes.npz"
    if kind == "pipe":
        os.mkfifo(hashes)
    elif kind == "text":
        hashes.write_text("a,b\n")
    pack = ["leaderboard", "pack", str(arena / "more"), "--out", str(tmp_path / "row")]
    assert main([*pack, "--trained_on", str(hashes)]) == 2
    assert str(hashes) in error_of(capsys)
    assert not (tmp_path / "row").exists()


def test_a_row_with_a_pipe_for_a_file_is_refused(
    board: Path, row: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = next(row.glob("*.csv"))
    file.unlink()
    os.mkfifo(file)
    assert main(["leaderboard", "add", str(row), "--board", str(board)]) == 2
    assert str(file) in error_of(capsys)
