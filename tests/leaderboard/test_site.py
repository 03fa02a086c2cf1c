"""The static site: every number is scored again and leads to what it was computed from."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import r2_score, roc_auc_score

from data_modules.store.read import EcgStore
from lsemvae.cli import main
from lsemvae.core.files import file_sha256
from lsemvae.core.sealed_json import write_json
from tests.conftest import error_of
from tests.leaderboard.conftest import LABELS, METHODS, NUMBER, TASKS, simulate, simulate_target
from tests.leaderboard.test_forgeries import contents

SECRET = {"patient_id", "label", "measured", "signal_sha256"}


class Links(HTMLParser):
    """Collect the addresses and the anchors of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: set[str] = set()
        self.anchors: set[str] = set()
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.add(tag)
        self.anchors |= {str(found["id"])} if "id" in found else set()
        self.addresses |= {str(found["href"])} if "href" in found else set()


def links_of(page: Path) -> Links:
    found = Links()
    found.feed(page.read_text())
    return found


@pytest.fixture(scope="module")
def site(arena: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site") / "site"
    assert main(["leaderboard", "build", str(arena / "board"), "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def scores(site: Path) -> pd.DataFrame:
    return pd.read_csv(site / "scores.csv", dtype={"method": str})


def test_two_builds_give_the_same_bytes_and_name_no_time_and_no_place(
    arena: Path, site: Path, tmp_path: Path
) -> None:
    board = shutil.copytree(arena / "board", tmp_path / "elsewhere")
    assert main(["leaderboard", "build", str(board), "--out", str(tmp_path / "again")]) == 0
    assert contents(tmp_path / "again") == contents(site)
    text = (site / "index.html").read_text() + (site / "scores.csv").read_text()
    assert str(arena) not in text
    assert not re.search(r"\b20\d\d-\d\d-\d\d\b", text)


def test_every_number_is_scored_again_from_predictions_and_frozen_labels(
    arena: Path, scores: pd.DataFrame
) -> None:
    assert len(scores) == len(METHODS) * len(TASKS) * 2 * 5
    run = pd.read_csv(arena / "runs/detection/ls_emvae/6L/predictions.csv")
    mine = scores.query("task == 'detection' and method == 'ls_emvae' and leads == '6L'")
    value = mine.set_index("metric")["value"]
    by_fold = [roc_auc_score(p["label"], p["probability"]) for _, p in run.groupby("fold")]
    np.testing.assert_allclose(value["AUROC"], np.mean(by_fold))
    np.testing.assert_allclose(value["AUROC, pooled"],
                               roc_auc_score(run["label"], run["probability"]))  # fmt: skip


def test_every_number_leads_to_its_predictions_digests_command_and_seed(
    site: Path, scores: pd.DataFrame
) -> None:
    index = links_of(site / "index.html")
    for row in scores.drop_duplicates(["task", "leads", "method"]).itertuples():
        assert (site / str(row.predictions)).is_file()
        page = (site / f"rows/{row.method}.html").read_text()
        for told in (row.sha256, row.folds_sha256, row.cohort_sha256, row.command):
            assert str(told) in page
    for address in index.addresses:
        file, _, anchor = address.partition("#")
        page = site / file if file else site / "index.html"
        assert page.is_file(), address
        assert not anchor or anchor in links_of(page).anchors, address
    for page in (site / "rows").glob("*.html"):
        found = links_of(page)
        assert "script" not in found.tags
        assert all((page.parent / one).resolve().is_file() for one in found.addresses
                   if not one.startswith("#"))  # fmt: skip


def test_the_site_holds_no_label_and_no_patient(site: Path, store: EcgStore) -> None:
    columns = {name for file in site.rglob("*.csv") for name in pd.read_csv(file, nrows=0)}
    assert not columns & SECRET
    patients = set(store.table["patient_id"])
    assert not patients & set(pd.read_csv(site / "folds/detection.csv", dtype=str).to_numpy().flat)


def test_rows_are_ordered_and_compared_with_the_first(site: Path, scores: pd.DataFrame) -> None:
    text = (site / "index.html").read_text()
    auroc = scores.query("task == 'detection' and leads == '12L' and metric == 'AUROC'")
    assert auroc["value"].is_monotonic_decreasing
    assert "first minus this [95\N{NO-BREAK SPACE}%]" in text
    assert "SYNTHETIC recordings" in text


def test_a_row_that_is_added_stands_in_the_site_and_changes_no_other_number(
    arena: Path, board: Path, row: Path, scores: pd.DataFrame, tmp_path: Path
) -> None:
    assert main(["leaderboard", "add", str(row), "--board", str(board)]) == 0
    out = tmp_path / "site"
    out.mkdir()
    assert main(["leaderboard", "build", str(board), "--out", str(out)]) == 0
    more = pd.read_csv(out / "scores.csv")
    assert set(more["method"]) == {*METHODS, "mvae"}
    keys = ["task", "leads", "method", "metric"]
    same = more[more["method"] != "mvae"].sort_values(keys, ignore_index=True)
    pd.testing.assert_frame_equal(same, scores.sort_values(keys, ignore_index=True))
    handed_in = more.query("method == 'mvae' and task == 'phenotype' and leads == '12L'")
    assert set(handed_in["sha256"]) == {file_sha256(row / "phenotype_12L.csv")}


def test_a_folder_of_something_else_is_not_replaced(
    arena: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.txt").write_text("mine\n")
    assert main(["leaderboard", "build", str(arena / "board"), "--out", str(tmp_path)]) == 2
    assert "holds something else than a site" in error_of(capsys)
    assert main(["leaderboard", "build", str(arena / "board"), "--out", str(arena / "board")]) == 2
    assert "holds the leaderboard" in error_of(capsys)


def test_an_earlier_site_with_other_numbers_is_replaced_with_a_note(
    arena: Path, site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = Path(shutil.copytree(site, tmp_path / "site"))
    (out / "scores.csv").write_text((out / "scores.csv").read_text() + "detection\n")
    build = ["leaderboard", "build", str(arena / "board"), "--out", str(out)]
    assert main(build) == 0
    assert f"note: {out / 'scores.csv'} replaced another result" in capsys.readouterr().err
    assert main(build) == 0
    assert "replaced" not in capsys.readouterr().err


def test_numbers_and_several_labels_have_their_own_figures(
    store: EcgStore, cohort: Path, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    for seed, method in enumerate(METHODS):
        for task in (NUMBER, LABELS):
            simulate_target(runs, store, task, method, seed)
    start = ["leaderboard", "start", str(runs), "--cohort", str(cohort)]
    assert main([*start, "--out", str(tmp_path / "board")]) == 0
    out = tmp_path / "site"
    assert main(["leaderboard", "build", str(tmp_path / "board"), "--out", str(out)]) == 0
    scores = pd.read_csv(out / "scores.csv").set_index(["task", "method", "metric"])["value"]
    table = pd.read_csv(runs / f"{NUMBER}/{METHODS[0]}/12L/predictions.csv")
    error = (table["estimated"] - table["measured"]).abs().mean()
    np.testing.assert_allclose(scores[NUMBER, METHODS[0], "MAE (mmHg)"], error)
    np.testing.assert_allclose(scores[NUMBER, METHODS[0], "R²"],
                               r2_score(table["measured"], table["estimated"]))  # fmt: skip
    table = pd.read_csv(runs / f"{LABELS}/{METHODS[1]}/12L/predictions.csv")
    mean = [
        roc_auc_score(known[f"label:{name}"], known[f"probability:{name}"])
        for name in TASKS
        for _, part in table.groupby("fold")
        for known in [part.dropna(subset=[f"label:{name}"])]
    ]
    np.testing.assert_allclose(scores[LABELS, METHODS[1], "macro AUROC"], np.mean(mean))
    assert all((out / file).is_file() for file in pd.read_csv(out / "scores.csv")["predictions"])


def test_encoders_that_saw_test_patients_are_refused_or_stand_apart(
    store: EcgStore, cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = tmp_path / "runs"
    simulate(runs, store, "detection", "multimodal_cnn", 12, 1)
    run = simulate(runs, store, "detection", "ls_emvae", 12, 2)
    metrics = json.loads((run / "metrics.json").read_text())
    seen = {"encoder_saw_these_recordings": True, "encoder_sha256": "e" * 64}
    write_json(run / "metrics.json", metrics | seen)
    start = ["leaderboard", "start", str(runs), "--cohort", str(cohort), "--out"]
    assert main([*start, str(tmp_path / "strict")]) == 2
    assert "leakage" in error_of(capsys)
    assert not (tmp_path / "strict").exists()
    assert main([*start, str(tmp_path / "board"), "--allow_leakage"]) == 0
    build = ["leaderboard", "build", str(tmp_path / "board"), "--out", str(tmp_path / "site")]
    assert main(build) == 0
    page = (tmp_path / "site/index.html").read_text()
    assert page.count("Not comparable with the rows above") >= 1
    bars = page[page.index("Bars of AUROC") :].split('"')[0]
    assert "LS-EMVAE (saw test patients), 12L" in bars
    assert bars.count("saw test patients") == 1
    assert page.count("<tbody>") == 4  # two groups of the task, rows, folds
