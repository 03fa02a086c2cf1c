"""Table 2 from files of runs, against figures computed by hand and by scikit-learn."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from lsemvae.core.leads import LEADS, LIMB_LEADS
from lsemvae.evaluation.predictions import summarise
from lsemvae.evaluation.runs import CvRun
from lsemvae.evaluation.statistics.delong import delong
from lsemvae.evaluation.tables.auroc_bars import auroc_bars
from lsemvae.evaluation.tables.table2 import MethodRow, comparison_table, long_table, table_2

ROWS = [
    MethodRow("resnet1d", "ResNet1d", "Unimodal", pretrained=False),
    MethodRow("st_mem", "ST-MEM", "Unimodal", pretrained=True),
    MethodRow("ls_emvae", "LS-EMVAE", "Multimodal", pretrained=True),
]
STRENGTH = {"resnet1d": 0.5, "st_mem": 1.0, "ls_emvae": 2.0}


def run(method: str, leads: tuple[str, ...], task: str = "detection") -> CvRun:
    generator = np.random.default_rng(len(leads))
    label = (np.arange(200) % 4 != 0).astype(float)
    noise = generator.normal(size=200)
    score = STRENGTH[method] * label + noise
    predictions = pd.DataFrame({
        "record": [f"r{number}" for number in range(200)],
        "patient_id": [f"p{number}" for number in range(200)],
        "fold": np.arange(200) // 4 % 5,
        "label": label,
        "probability": 1 / (1 + np.exp(-score)),
    })  # fmt: skip
    about = {"task": task, "method": method, "leads": leads, "data": "made up", "synthetic": True}
    return CvRun(Path(), {**about, **summarise(predictions)}, predictions)


@pytest.fixture(scope="module")
def runs() -> list[CvRun]:
    return [run(row.name, leads) for row in ROWS for leads in (LEADS, LIMB_LEADS)]


def test_every_run_has_its_figures_with_intervals(runs: list[CvRun]) -> None:
    long = long_table(runs)
    assert len(long) == 6 * 3
    row = long[(long["method"] == "st_mem") & (long["leads"] == "6L") & (long["metric"] == "auroc")]
    predictions = runs[3].predictions
    folds = [
        roc_auc_score(part["label"], part["probability"]) for _, part in predictions.groupby("fold")
    ]
    assert row["mean"].item() == pytest.approx(np.mean(folds))
    assert row["sd"].item() == pytest.approx(np.std(folds, ddof=1))
    half = 2.776445 * np.std(folds, ddof=1) * np.sqrt(1 / 5 + 1 / 4)  # t of 4 degrees of freedom
    assert row["retrained_high"].item() - row["mean"].item() == pytest.approx(half, rel=1e-5)
    pooled = roc_auc_score(predictions["label"], predictions["probability"])
    assert row["pooled"].item() == pytest.approx(pooled)
    found = delong(predictions["label"], predictions["probability"], fold=predictions["fold"])
    assert row["mean"].item() == pytest.approx(found.value[0])
    width = row["high"].item() - row["low"].item()
    assert width == pytest.approx(2 * 1.96 * found.covariance[0, 0] ** 0.5, rel=0.05)
    assert row["data"].item() == "made up (SYNTHETIC data)"
    assert row["paper"].item() == "0.793 ± 0.01"


def test_the_best_is_bold_and_the_best_unimodal_underlined(runs: list[CvRun]) -> None:
    table = table_2(long_table(runs), ROWS, ["12L", "6L"])
    titles = table.cells["method"]
    assert titles[table.bold["AUROC 12L"]].tolist() == ["LS-EMVAE"]
    assert titles[table.underline["AUROC 12L"]].tolist() == ["ST-MEM"]
    assert not table.bold[["method", "study", "paper AUROC 12L"]].to_numpy().any()
    last = table.cells.iloc[-1]
    assert (last["method"], last["accuracy 6L"], last["AUROC 6L"]) == (
        "larger class alone", "0.750", "0.500"
    )  # fmt: skip


def test_a_missing_run_is_a_dash_and_never_the_best(runs: list[CvRun]) -> None:
    table = table_2(long_table([part for part in runs if part.title != "ls_emvae 6L"]), ROWS,
                    ["12L", "6L"])  # fmt: skip
    missing = table.cells.set_index("method").loc["LS-EMVAE"]
    assert missing[["AUROC 6L", "accuracy 6L", "AUROC 6L [95 %]"]].tolist() == ["-"] * 3
    assert missing["paper MCC 6L"] == "0.412 ± 0.05"
    assert table.cells["method"][table.bold["AUROC 6L"]].tolist() == ["ST-MEM"]


def test_tasks_that_the_paper_lacks_have_no_columns_of_it() -> None:
    parts = [run(row.name, LEADS, "super_NORM") for row in ROWS]
    table = table_2(long_table(parts), ROWS, ["12L"])
    assert not [name for name in table.cells if name.startswith("paper")]


def test_comparisons_are_paired_signed_and_corrected(runs: list[CvRun]) -> None:
    titles = {row.name: row.title for row in ROWS}
    table = comparison_table(runs, "ls_emvae", titles)
    assert len(table) == 4
    assert set(table["LS-EMVAE minus"]) == {"ResNet1d", "ST-MEM"}
    first = table[(table["leads"] == "12L") & (table["LS-EMVAE minus"] == "ResNet1d")].iloc[0]
    aurocs = {
        part.metrics["method"]: part.metrics["mean"]["auroc"]
        for part in runs
        if part.leads == "12L"
    }
    difference = aurocs["ls_emvae"] - aurocs["resnet1d"]
    assert first["difference [95 %]"].startswith(f"{difference:+.3f} [+")
    assert first["p (DeLong)"] == "<0.001"
    assert comparison_table(runs[:2], "ls_emvae", titles).empty


def test_the_bars_are_as_long_as_the_aurocs(runs: list[CvRun]) -> None:
    long = long_table(runs[:5])
    titles = {row.name: row.title for row in ROWS}
    figure = auroc_bars(long, titles, leads=["12L", "6L"], caption="made up (SYNTHETIC data)")
    (axes,) = figure.axes
    widths = [bar.get_width() for bar in axes.patches]
    expected = [part.metrics["mean"]["auroc"] for part in (*runs[0:5:2], *runs[1:5:2])]
    assert widths[:5] == pytest.approx(expected)
    assert np.isnan(widths[5])
    assert figure.get_suptitle() == "made up (SYNTHETIC data)"
    assert "95 % interval" in axes.get_xlabel()


def test_bars_of_all_tasks_begin_at_one_place(runs: list[CvRun]) -> None:
    long = long_table(runs[:5])
    worse = long.assign(task="phenotype", low=long["low"] - 0.4)
    both = pd.concat([long, worse], ignore_index=True)
    figure = auroc_bars(
        both, {row.name: row.title for row in ROWS}, leads=["12L"], caption="made up"
    )
    limits = [axes.get_xlim() for axes in figure.axes]
    assert limits[0] == limits[1]
    assert limits[0][0] <= worse["low"].min()
