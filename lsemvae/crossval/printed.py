"""Print the metrics of a cross-validation in a terminal."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from lsemvae.core.leads import lead_set_name
from lsemvae.core.targets import Target, target_of
from lsemvae.crossval.run import CvSettings, cross_validate

DIGITS = 3
BINARY = {"auroc": "AUROC", "accuracy": "accuracy", "mcc": "MCC"}


def run_and_print(settings: CvSettings, cohort: str, out: Path, **others: Any) -> None:
    """Cross-validate and print the metrics; arguments as in `cross_validate`."""
    folder, metrics = cross_validate(settings, cohort, out, **others)
    print_table(metrics, folder)


def print_table(metrics: dict[str, Any], folder: Path) -> None:
    """Print the metrics of a cross-validation, with the label of the data."""
    target = target_of(metrics)
    data = f"{metrics['data']}{' (SYNTHETIC)' if metrics['synthetic'] else ''}"
    derived = "".join(f"; {way} in {n} records" for way, n in metrics["derived"].items())
    table = Table(
        title=f"{metrics['task']}, {metrics['method']}, {lead_set_name(metrics['leads'])}, {data}",
        caption=f"{metrics['n_records']} records of {metrics['n_patients']} patients, "
        f"{_base(metrics, target)}{derived}",
    )
    columns = _columns(target)
    for name in ("", *columns.values()):
        table.add_column(name, justify="right" if name else "left")
    for number, fold in enumerate(metrics["folds"]):
        table.add_row(f"fold {number}", *(_shown(fold[key]) for key in columns))
    spread = [f"{_shown(metrics['mean'][key])} ± {_shown(metrics['sd'][key])}" for key in columns]
    table.add_row("mean ± SD", *spread, style="bold")
    table.add_row("pooled", *(_shown(metrics["pooled"][key]) for key in columns))
    Console().print(table)
    print(f"results: {folder}")


def _columns(target: Target) -> dict[str, str]:
    """Return titles of the metrics, by their names."""
    if target.kind == "binary":
        return BINARY
    unit = target.number.unit
    return {"mae": f"MAE ({unit})", "rmse": f"RMSE ({unit})", "r2": "R²", "pearson": "Pearson",
            "ccc": "CCC", "bias": f"bias ({unit})"}  # fmt: skip


def _base(metrics: dict[str, Any], target: Target) -> str:
    """Return what is right, or how wrong, without any model."""
    if target.kind == "binary":
        return (
            f"{metrics['n_positive']} positive; accuracy of the larger class alone "
            f"{metrics['base_rate_accuracy']:.3f}"
        )
    measured, number = metrics["measured"], target.number
    return (
        f"{number.title} {measured['mean']:.1f} ± {measured['sd']:.1f} {number.unit}; MAE of the "
        f"training mean alone {metrics['training_mean_mae']:.3f} {number.unit}"
    )


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.{DIGITS}f}"
