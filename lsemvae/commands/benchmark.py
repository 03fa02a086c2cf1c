"""Run `lsemvae benchmark`: methods x tasks x lead sets on the same folds, and the tables."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.leads import parse_leads
from lsemvae.core.one_writer import writing_alone
from lsemvae.core.printable import say
from lsemvae.core.tasks import PRESSURE_TASKS, Thresholds

if TYPE_CHECKING:
    from lsemvae.benchmark.budget import Budget


def benchmark(
    cohort: str | None = None,
    *,
    pretrain: list[str] | None = None,
    tasks: list[str] | None = None,
    methods: list[str] | None = None,
    leads: list[int | str] | None = None,
    budget: Literal["paper", "laptop"] | None = None,
    pretrain_epochs: int | None = None,
    epochs: int | None = None,
    lr: float | None = None,
    folds: int = 5,
    batch_size: int = 32,
    seed: int = 0,
    jobs: int = 1,
    dask: str | None = None,
    allow_leakage: bool = False,
    references: bool = False,
    distinct_ids: bool = False,
    mpap_threshold_mmhg: float = 20.0,
    pawp_threshold_mmhg: float = 15.0,
    pvr_threshold_wu: float = 2.0,
    estimate_mpap: bool = False,
    fold_column: str | None = None,
    out: str = "runs/benchmark",
) -> None:
    """Run methods x tasks x lead sets on the same folds and write Table 2.

    What is finished is not run again, so an interrupted benchmark goes on where it stopped. Tables
    (CSV, Markdown, LaTeX) and the bar chart stand in OUT; every run has a log beside its results.

    Args:
        cohort: store made by `lsemvae prepare cohort`; the demo's synthetic one by default.
        pretrain: stores for pre-training; with the demo's cohort, the demo's by default.
        tasks: detection and phenotype by default; pre_capillary, isolated_post_capillary,
            combined_post_capillary (ESC/ERS 2022); any column of 0 and 1 in the cohort's table; or
            mpap_mmhg, pawp_mmhg, pvr_wu, estimated in their units; labels joined by commas are
            predicted at once, see docs/targets.md.
        methods: names, or the groups table2 (default), ablations, authors_code,
            recommended, all, see docs/models.md; class paths and YAML files of your own, see
            docs/own_network.md.
        leads: lead sets; 12 and 6 by default.
        budget: paper (full size, the paper's schedule) or laptop (small networks, fewer epochs);
            paper by default, laptop with the demo's cohort.
        pretrain_epochs: epochs of every pre-training, in place of the budget's.
        epochs: epochs of every fold, in place of the budget's.
        lr: learning rate of every fold, in place of the budget's.
        folds: number of folds.
        batch_size: recordings per step of a fold.
        seed: of folds and training.
        jobs: runs at the same time, in processes of their own.
        dask: run the jobs on a Dask cluster: the scheduler's address, or local.
        allow_leakage: go on although pre-training saw patients or recordings of the cohort; the
            captions say so.
        references: compare every frozen encoder with its untrained twins, random convolutions and
            PCA, see docs/worth.md.
        distinct_ids: patient ids that differ only as they are written (1 and 1.0, 007 and 7) are
            different people; without it they are refused.
        mpap_threshold_mmhg: pulmonary hypertension is mPAP above this (20 or 25 are in use).
        pawp_threshold_mmhg: post-capillary is PAWP above this (12, 15 or 18 are in use).
        pvr_threshold_wu: a vascular resistance above this is raised (2 or 3 are in use).
        estimate_mpap: estimate a missing mPAP as (sPAP + 2 dPAP) / 3; every table then says so.
        fold_column: column of the cohort's table with the folds of its authors, such as
            official_fold of `prepare ptbxl`; --folds must be as many. Drawn by patient without it.
        out: folder of results.
    """
    from lsemvae.benchmark.budget import BUDGETS
    from lsemvae.benchmark.plan import Plan, run_plan
    from lsemvae.benchmark.tables import reasons_of, write_tables
    from lsemvae.commands.demo import (
        COHORT,
        PRETRAINING,
        demo_cohort,
        demo_pretraining,
        refuse_for_demo,
        still_to_make,
    )
    from lsemvae.core.joblib_backend import check_jobs

    chosen = _methods(methods or ["table2"])
    on_demo = cohort is None
    budget = budget or ("laptop" if on_demo else "paper")
    asked = _overridden(BUDGETS[budget], pretrain_epochs=pretrain_epochs, epochs=epochs, lr=lr)
    plan = Plan(
        cohort=str(Path(cohort or COHORT).resolve()),
        pretrain=tuple(str(Path(store).resolve()) for store in pretrain or [PRETRAINING] * on_demo),
        tasks=tuple(dict.fromkeys(tasks or PRESSURE_TASKS)),
        methods=tuple(chosen),
        leads=tuple(dict.fromkeys(leads or (12, 6))),
        budget=asked,
        folds=folds,
        batch_size=batch_size,
        seed=seed,
        allow_leakage=allow_leakage,
        references=references,
        distinct_ids=distinct_ids,
        thresholds=Thresholds(
            mpap_threshold_mmhg, pawp_threshold_mmhg, pvr_threshold_wu, estimate_mpap
        ),
        fold_column=fold_column,
    )
    for lead_set in plan.leads:
        parse_leads(lead_set)
    check_jobs(jobs)
    asked_of_folds = plan.settings()
    if on_demo:
        refuse_for_demo(asked_of_folds, pretrain)
        say(
            f"No cohort given: using the demo's SYNTHETIC one, {COHORT}, budget {budget}"
            f"{still_to_make()}"
        )
        demo_cohort()
        if not pretrain:
            demo_pretraining()
    folder = Path(out).resolve()
    plan.check(folder)
    left_out = plan.without_references()
    if left_out:
        say(left_out)
    with writing_alone(folder):
        failed = run_plan(plan, folder, jobs=jobs, dask=dask)
        write_tables(plan, folder, failed)
    if references:
        say(
            f"what pre-training was worth: references.csv of each run in {folder / 'cv'}; "
            f"`lsemvae report {folder / 'cv'}` shows it"
        )
    if failed:
        raise InputError(
            f"{counted(len(failed), 'run failed', 'runs failed')}, the others are kept: "
            f"{reasons_of(failed)}. Run the same command again to try them once more"
        )


def _methods(names: Sequence[str]) -> list[str]:
    """Resolve groups of methods; keep the order of the tables."""
    from lsemvae.models.methods import METHOD_GROUPS, METHODS, find_method, method_name
    from lsemvae.models.own_methods import is_file

    groups = {**METHOD_GROUPS, "all": tuple(METHODS)}
    wanted = dict.fromkeys(method for name in names for method in groups.get(name, [name]))
    for name in wanted:
        find_method(name)
    own = [str(Path(name).resolve()) if is_file(name) else name for name in wanted
           if name not in METHODS]  # fmt: skip
    rows = [method_name(name) for name in own]
    twice = sorted({row for row in rows if rows.count(row) > 1})
    if twice:
        raise InputError(f"two methods are called {', '.join(twice)}; rename one of the files")
    return [name for name in METHODS if name in wanted] + own


def _overridden(budget: "Budget", **given: Any) -> "Budget":
    return replace(budget, **{name: value for name, value in given.items() if value is not None})
