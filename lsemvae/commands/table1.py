"""Show the characteristics of a cohort beside the paper's: `lsemvae table1`."""

from pathlib import Path

from lsemvae.core.printable import say

PAPER = " Paper: its Table 1, other patients."


def table1(
    cohort: str,
    *,
    tasks: list[str] | None = None,
    mpap_threshold_mmhg: float = 20.0,
    pawp_threshold_mmhg: float = 15.0,
    pvr_threshold_wu: float = 2.0,
    estimate_mpap: bool = False,
    columns: dict[str, str] | None = None,
    out: str = "reports/table1",
) -> None:
    """Write the patients' characteristics by group as CSV, Markdown and LaTeX.

    Args:
        cohort: store made by `lsemvae prepare cohort`.
        tasks: columns of 0 and 1, or tasks, to make groups by; those of the pressures where left
            out.
        mpap_threshold_mmhg: pulmonary hypertension is mPAP above this.
        pawp_threshold_mmhg: post-capillary is PAWP above this.
        pvr_threshold_wu: a vascular resistance above this is raised (2 or 3 are in use).
        estimate_mpap: estimate a missing mPAP as (sPAP + 2 dPAP) / 3; every table then says so.
        columns: further columns of the cohort and their names in print, for example
            --columns.bmi="Body mass index".
        out: path of the files without extension.
    """
    from data_modules.cohort.group_words import tell_group_words
    from data_modules.cohort.labels import task_labels
    from data_modules.store.read import EcgStore
    from lsemvae.core.errors import InputError
    from lsemvae.core.one_writer import writing_alone
    from lsemvae.core.tasks import (
        DEFINED_TASKS,
        ESTIMATED,
        PRESSURE_TASKS,
        RESISTANCE_TASKS,
        Thresholds,
        find_task,
    )
    from lsemvae.evaluation.tables.table1 import (
        CHARACTERISTICS,
        TwoGroups,
        characteristics_table,
        counting_note,
    )
    from lsemvae.evaluation.tables.table_files import table_stem, write_table
    from lsemvae.evaluation.tables.terminal import print_frame

    table_stem(Path(out))
    store = EcgStore(cohort)
    absent = sorted(set(columns or {}) - set(store.table))
    if absent:
        raise InputError(f"{cohort} has no column {', '.join(absent)}; it has "
                         f"{', '.join(map(str, store.table))}")  # fmt: skip
    thresholds = Thresholds(
        mpap_threshold_mmhg, pawp_threshold_mmhg, pvr_threshold_wu, estimate_mpap
    )
    chosen = tasks or [
        task.name for task in PRESSURE_TASKS.values() if set(task.columns) <= set(store.table)
    ]
    comparisons = [
        TwoGroups(name, task_labels(store.table, name, thresholds), find_task(name).groups)
        for name in chosen
    ]
    if not comparisons:
        raise InputError(
            f"{cohort} has no pressures (mpap_mmhg, pawp_mmhg) to make groups by; name a column of "
            "0 and 1 with --tasks"
        )
    tell_group_words(store.table, columns or {})
    shown = characteristics_table(
        store.table, comparisons, variables=CHARACTERISTICS | (columns or {})
    )
    by_pressures = "" if not set(chosen) & set(DEFINED_TASKS) else (
        f", mPAP > {mpap_threshold_mmhg:g} mmHg, PAWP > {pawp_threshold_mmhg:g} mmHg"
        f"{f', PVR > {pvr_threshold_wu:g} WU' * bool(set(chosen) & set(RESISTANCE_TASKS))}"
        f"{f' ({ESTIMATED})' * estimate_mpap}"
    )  # fmt: skip
    whose = f"{store.label}{' (SYNTHETIC)' if store.synthetic else ''}"
    caption = (
        f"Patient characteristics of {whose}{by_pressures}: mean ± SD and "
        f"Welch's t-test, n (%) and chi-squared test.{counting_note(store.table, comparisons)}"
        f"{PAPER * bool(by_pressures)}"
    )
    with writing_alone(Path(out).parent, wait=True):
        files = write_table(shown, Path(out), caption)
    for comparison in comparisons:
        below = caption if comparison is comparisons[-1] else ""
        title = f"Table 1, {comparison.name}, {whose}"
        print_frame(comparison.columns_of(shown), title, below)
    say("written: " + ", ".join(map(str, files)))
