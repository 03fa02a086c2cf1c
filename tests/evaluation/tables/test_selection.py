from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lsemvae.core.leads import LEADS, LIMB_LEADS
from lsemvae.evaluation.runs import CvRun
from lsemvae.evaluation.tables.selection import select_on_inner_parts


def run(
    method: str,
    inner: list[float] | None,
    outer: list[float],
    leads: tuple[str, ...] = LEADS,
    task: str = "x",
) -> CvRun:
    metrics: dict[str, Any] = {
        "task": task, "method": method, "leads": leads, "folds": [{"auroc": v} for v in outer],
    }  # fmt: skip
    if inner is not None:
        metrics["inner"] = {"folds": [{"auroc": v} for v in inner]}
    return CvRun(Path(), metrics, pd.DataFrame())


def test_the_choice_is_made_by_fold_on_inner_scores_and_scored_on_the_held_out_fold() -> None:
    runs = [
        run("a", [0.7, 0.9, 0.8], [0.60, 0.61, 0.62]),
        run("b", [0.8, 0.8, 0.7], [0.70, 0.71, 0.72]),
    ]
    found = select_on_inner_parts(runs, "a")
    assert found is not None
    (row,) = found.nested.to_dict("records")
    assert row["reference"] == pytest.approx(0.61)
    assert row["chosen"] == pytest.approx((0.70 + 0.61 + 0.62) / 3)
    assert row["choices"] == "a 2, b 1"


def test_held_out_scores_have_no_say_in_the_choice() -> None:
    choices = []
    for outer in ([0.1, 0.1], [0.9, 0.9]):
        runs = [run("a", [0.7, 0.9], [0.5, 0.5]), run("b", [0.8, 0.8], outer)]
        found = select_on_inner_parts(runs, "a")
        assert found is not None
        choices.append((found.nested["choices"].item(), found.inner["inner_auroc"].tolist()))
    assert choices[0] == choices[1]


def test_inner_means_are_sorted_with_paired_differences() -> None:
    runs = [
        run("a", [0.7, 0.9], [0.5, 0.5]),
        run("b", [0.8, 0.9], [0.5, 0.5]),
        run("a", [0.6, 0.6], [0.5, 0.5], task="y"),
        run("b", [0.7, 0.8], [0.5, 0.5], task="y"),
    ]
    found = select_on_inner_parts(runs, "a")
    assert found is not None
    best, reference = found.inner.to_dict("records")
    assert (best["method"], reference["method"]) == ("b", "a")
    assert best["difference"] == pytest.approx(0.1)  # .05 on task x, .15 on y
    assert best["standard_error"] == pytest.approx(0.05)
    assert reference["difference"] == reference["standard_error"] == 0


def test_runs_without_inner_parts_cannot_be_chosen() -> None:
    assert select_on_inner_parts([run("a", [0.7], [0.5]), run("b", None, [0.9])], "a") is None
    assert select_on_inner_parts([run("a", None, [0.5]), run("b", [0.7], [0.9])], "a") is None


def test_methods_that_lack_a_part_are_left_out_and_a_reference_that_does_ends_it() -> None:
    whole = [run(name, [0.7], [0.5], leads) for name in "ab" for leads in (LEADS, LIMB_LEADS)]
    found = select_on_inner_parts([*whole, run("c", [0.9], [0.9])], "a")
    assert found is not None
    assert set(found.inner["method"]) == {"a", "b"}
    assert select_on_inner_parts([*whole[1:], run("c", [0.9], [0.9])], "a") is None


def test_one_task_has_no_standard_error() -> None:
    found = select_on_inner_parts([run("a", [0.7], [0.5]), run("b", [0.8], [0.5])], "a")
    assert found is not None
    assert found.inner["standard_error"].isna().all()
