"""A leaderboard of simulated predictions on the tiny cohort, and a row that is handed in."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data_modules.cohort.labels import number_values, task_labels
from data_modules.store.read import EcgStore
from lsemvae.cli import main
from lsemvae.core.targets import Target, find_target
from lsemvae.core.tasks import Thresholds
from lsemvae.crossval.gather import write_results
from lsemvae.evaluation.predictions import summarise
from tests.report_runs import write_run

TASKS = ("detection", "phenotype")
METHODS = ("ls_emvae", "multimodal_cnn")
HANDED_IN = "mvae"
LABELS = "detection,phenotype"
NUMBER = "mpap_mmhg"


def labelled(store: EcgStore, task: str) -> pd.DataFrame:
    """Return record, patient and label of a task."""
    label = task_labels(store.table, task, Thresholds())
    return store.table[["record", "patient_id"]].assign(label=label)[label.notna()]


def simulate(out: Path, store: EcgStore, task: str, method: str, leads: int, seed: int) -> Path:
    """Write a run with a yes or no."""
    return write_run(out, labelled(store, task), task=task, method=method, leads=leads,
                     cohort_sha256=store.sha256, seed=seed, encoder_sha256=None)  # fmt: skip


def simulate_target(out: Path, store: EcgStore, task: str, method: str, seed: int) -> Path:
    """Write a run of a number or of several labels in the folds of a run with a yes or no."""
    rng, target = np.random.default_rng(seed), find_target(task)
    spread = labelled(store, "detection")  # in this order every fold gets both phenotypes
    spread = spread.loc[task_labels(store.table, "phenotype", Thresholds()).sort_values().index]
    folder = write_run(out, spread, task=task, method=method, cohort_sha256=store.sha256,
                       encoder_sha256=None)  # fmt: skip
    table = pd.read_csv(folder / "predictions.csv", dtype={"record": str, "patient_id": str})
    of_binary = set(summarise(table, Target("binary", (task,)))) | {"inner"}
    kept = json.loads((folder / "metrics.json").read_text())
    about: dict[str, Any] = {name: kept[name] for name in kept if name not in of_binary}
    by_record = store.table.set_index("record").loc[table["record"]].reset_index()
    if target.kind == "number":
        values = number_values(by_record, task, Thresholds()).to_numpy(np.float32)
        table["measured"] = values
        table["estimated"] = values + rng.normal(0, 6, len(table))
    else:
        for name in target.names:
            label = task_labels(by_record, name, Thresholds()).to_numpy(float)
            log_odds = 1.5 * np.nan_to_num(label) + rng.normal(size=len(table))
            table[f"label:{name}"], table[f"probability:{name}"] = (
                label,
                1 / (1 + np.exp(-log_odds)),
            )
    (folder / "inner_predictions.csv").unlink()
    write_results(folder, table[target.columns], {**about, "target": target.described()},
                  target=target)  # fmt: skip
    return folder


@pytest.fixture(scope="session")
def store(cohort: Path) -> EcgStore:
    return EcgStore(cohort)


@pytest.fixture(scope="session")
def arena(store: EcgStore, cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with runs/, a leaderboard of them, and a row that is handed in."""
    folder = tmp_path_factory.mktemp("arena")
    for place, task in enumerate(TASKS):
        for number, method in enumerate((*METHODS, HANDED_IN)):
            out = folder / ("more" if method == HANDED_IN else "runs")
            for leads in (12, 6):
                simulate(out, store, task, method, leads, 100 * place + 10 * number + leads)
    start = ["leaderboard", "start", str(folder / "runs"), "--cohort", str(cohort)]
    assert main([*start, "--out", str(folder / "board"), "--title", "A leaderboard"]) == 0
    pack = ["leaderboard", "pack", str(folder / "more"), "--out", str(folder / "row")]
    assert main(pack) == 0
    return folder


@pytest.fixture
def board(arena: Path, tmp_path: Path) -> Path:
    """Return a copy of the leaderboard."""
    return Path(shutil.copytree(arena / "board", tmp_path / "board"))


@pytest.fixture
def row(arena: Path, tmp_path: Path) -> Path:
    """Return a copy of the row that is handed in."""
    return Path(shutil.copytree(arena / "row", tmp_path / "row"))
