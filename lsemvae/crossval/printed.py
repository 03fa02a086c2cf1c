"""Print the metrics of a cross-validation in a terminal."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from lsemvae.core.leads import lead_set_name
from lsemvae.crossval.run import CvSettings, cross_validate


def run_and_print(settings: CvSettings, cohort: str, out: Path, **others: Any) -> None:
    """Cross-validate and print the metrics; arguments as in `cross_validate`."""
    folder, metrics = cross_validate(settings, cohort, out, **others)
    print_table(metrics, folder)


def print_table(metrics: dict[str, Any], folder: Path) -> None:
    """Print the metrics of a cross-validation, with the label of the data."""
    data = f"{metrics['data']}{' (SYNTHETIC)' if metrics['synthetic'] else ''}"
    derived = "".join(f"; {way} in {n} records" for way, n in metrics["derived"].items())
    table = Table(
        title=f"{metrics['task']}, {metrics['method']}, {lead_set_name(metrics['leads'])}, {data}",
        caption=f"{metrics['n_records']} records of {metrics['n_patients']} patients, "
        f"{metrics['n_positive']} positive; accuracy of the larger class alone "
        f"{metrics['base_rate_accuracy']:.3f}{derived}",
    )
    for name in ("", "AUROC", "accuracy", "MCC"):
        table.add_column(name, justify="right" if name else "left")
    keys = ("auroc", "accuracy", "mcc")
    for number, fold in enumerate(metrics["folds"]):
        table.add_row(f"fold {number}", *(f"{fold[key]:.3f}" for key in keys))
    spread = [f"{metrics['mean'][key]:.3f} ± {metrics['sd'][key]:.3f}" for key in keys]
    table.add_row("mean ± SD", *spread, style="bold")
    table.add_row("pooled", *(f"{metrics['pooled'][key]:.3f}" for key in keys))
    Console().print(table)
    print(f"results: {folder}")
