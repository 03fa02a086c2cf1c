"""Write what a benchmark found: tables, comparisons, bar charts."""

from pathlib import Path

import pandas as pd

from data_modules.store import EcgStore
from lsemvae.commands.benchmark_plan import Plan
from lsemvae.errors import InputError
from lsemvae.evaluation.cv_runs import CvRun, read_cv_run
from lsemvae.evaluation.tables.auroc_bars import auroc_bars
from lsemvae.evaluation.tables.selection import select_on_inner_parts
from lsemvae.evaluation.tables.table2 import MethodRow, comparison_table, long_table, table_2
from lsemvae.evaluation.tables.table_files import write_table
from lsemvae.leads import lead_set_name, parse_leads
from lsemvae.models.methods import ABLATIONS, AUTHORS_CODE, METHODS, TABLE_2

REFERENCE = "ls_emvae"
GROUPS = {
    "table2": (*TABLE_2, *AUTHORS_CODE),
    "ablations": (REFERENCE, *ABLATIONS),
}


def write_tables(plan: Plan, folder: Path) -> None:
    """Write everything that the finished runs of a plan allow, and say where.

    `benchmark.csv` holds every figure of every run. The methods of Table 2 and the ablations of
    Fig. 2 each get a table per task, paired comparisons and a bar chart.

    Args:
        plan: what was compared.
        folder: of the benchmark.

    Raises:
        InputError: no run is finished.
    """
    runs = finished_runs(plan, folder)
    if not runs:
        raise InputError(f"no run below {folder} is finished; its logs say why")
    long = long_table(runs)
    long.to_csv(folder / "benchmark.csv", index=False)
    for stem, group in GROUPS.items():
        methods = [name for name in plan.methods if name in group]
        chosen = [run for run in runs if run.metrics["method"] in methods]
        if chosen and methods != [REFERENCE]:
            _write_group(plan, folder, stem, methods, chosen)
    print(f"{len(runs)} of {plan.n_runs} runs are in the tables of {folder}")


def _write_group(
    plan: Plan, folder: Path, stem: str, methods: list[str], runs: list[CvRun]
) -> None:
    leads = [lead_set_name(parse_leads(lead_set)) for lead_set in plan.leads]
    rows = [_row(name) for name in methods]
    titles = {row.name: row.title for row in rows}
    long, about = long_table(runs), caption(plan, runs)
    for task, part in long.groupby("task", sort=False):
        table = table_2(part, rows, leads)
        write_table(table.cells, folder / f"{stem}_{task}", f"{task}. {about}",
                    bold=table.bold, underline=table.underline)  # fmt: skip
    compared = comparison_table(runs, REFERENCE, titles)
    if len(compared):
        text = f"Paired differences in AUROC. {about}"
        write_table(compared, folder / f"{stem}_comparisons", text)
    _write_selection(folder / f"{stem}_selection", runs, titles, about)
    figure = auroc_bars(long, titles, leads=leads, caption=runs[0].data_label)
    for kind in ("png", "svg"):
        figure.savefig(folder / f"{stem}_auroc.{kind}", dpi=130)


def _write_selection(stem: Path, runs: list[CvRun], titles: dict[str, str], about: str) -> None:
    """Write which setting the inner validation parts favour, where runs have them."""
    found = select_on_inner_parts(runs, REFERENCE)
    if found is None:
        return
    inner = pd.DataFrame(
        {
            "method": found.inner["method"].map(titles),
            "AUROC, inner parts": found.inner["inner_auroc"].map("{:.4f}".format),
            "difference ± standard error": [
                f"{row.difference:+.4f} ± {row.standard_error:.4f}"
                for row in found.inner.itertuples()
            ],
        }
    )
    write_table(inner, stem, f"Mean over tasks, leads and folds on inner validation parts. {about}")
    nested = found.nested.assign(
        reference=found.nested["reference"].map("{:.3f}".format),
        chosen=found.nested["chosen"].map("{:.3f}".format),
    ).rename(columns={"reference": titles[REFERENCE], "chosen": "chosen on the inner part"})
    text = f"AUROC on the held-out folds, mean over the folds (nested cross-validation). {about}"
    write_table(nested, stem.with_name(f"{stem.name}_nested"), text)


def finished_runs(plan: Plan, folder: Path) -> list[CvRun]:
    """Read the finished runs of a plan, in its order."""
    runs = []
    for task, method, lead_set in plan.combinations():
        run = folder / "cv" / task / method / lead_set_name(parse_leads(lead_set))
        if (run / "metrics.json").is_file():
            runs.append(read_cv_run(run))
    return runs


def _row(name: str) -> MethodRow:
    method = METHODS[name]
    return MethodRow(
        name, method.title, "Multimodal" if method.multimodal else "Unimodal", method.pretrained
    )


def caption(plan: Plan, runs: list[CvRun]) -> str:
    """Say what the figures are of: data, recordings, folds, and what training was allowed."""
    store, budget = EcgStore(plan.cohort), plan.budget
    segment = str(store.settings["segment"]).replace("_", " ")
    saw = any(run.metrics["encoder_saw_these_recordings"] for run in runs)
    pretrained = any(METHODS[name].pretrained for name in plan.methods)
    parts = [
        f"{runs[0].data_label}; {segment}s at {store.sampling_rate_hz:g} Hz, "
        f"{store.n_samples} samples.",
        f"Mean ± SD over {plan.folds} folds by patient at the last epoch.",
        f"Budget: {budget.described(pretrained)}.",
    ]
    if saw:
        parts.append("The encoders were pre-trained on these recordings too, without labels.")
    return " ".join(parts)
