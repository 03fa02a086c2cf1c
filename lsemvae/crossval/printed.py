"""Print the metrics of a cross-validation in a terminal."""

from pathlib import Path
from typing import Any

from rich.table import Table

from lsemvae.core.counted import counted
from lsemvae.core.leads import lead_set_name
from lsemvae.core.printable import say
from lsemvae.core.targets import Target, target_of
from lsemvae.crossval.run import cross_validate
from lsemvae.crossval.settings import CvSettings
from lsemvae.evaluation.statistics.labels_summary import MACRO
from lsemvae.evaluation.tables.terminal import PlainConsole

DIGITS = 3
PUBLISHED_LR = 1e-4
SMALL_COHORT = "experiments/small_cohort.yaml"
BINARY = {"auroc": "AUROC", "accuracy": "accuracy", "mcc": "MCC"}


def run_and_print(settings: CvSettings, cohort: str, out: Path, **others: Any) -> Path:
    """Cross-validate, print the metrics and return the folder; see `cross_validate`."""
    folder, metrics = cross_validate(settings, cohort, out, **others)
    print_table(metrics, folder)
    return folder


def print_table(metrics: dict[str, Any], folder: Path) -> None:
    """Print the metrics of a cross-validation, with the label of the data."""
    target = target_of(metrics)
    data = f"{metrics['data']}{' (SYNTHETIC)' if metrics['synthetic'] else ''}"
    derived = "".join(f"; {way} in {counted(n, 'record')}" for way, n in metrics["derived"].items())
    table = Table(
        title=f"{metrics['task']}, {metrics['method']}, {lead_set_name(metrics['leads'])}, {data}",
        caption=f"{counted(metrics['n_records'], 'record')} of "
        f"{counted(metrics['n_patients'], 'patient')}, {_base(metrics, target)}{derived}",
    )
    if target.kind == "labels":
        _add_labels(table, metrics, target)
    else:
        _add_folds(table, metrics, _columns(target))
    PlainConsole().print(table)
    if target.kind == "binary" and metrics["mean"]["accuracy"] <= metrics["base_rate_accuracy"]:
        say(_below_larger_class(metrics))
    say(f"results: {folder}")


def _below_larger_class(metrics: dict[str, Any]) -> str:
    """Say why the accuracy need not be above that of the larger class, and what to do."""
    alpha, lr = metrics.get("focal_alpha", 0.25), metrics.get("lr", 0.0)
    text = (
        f"note: the accuracy is at the threshold 0.5, and the loss weighs positives by {alpha:g}, "
        "so naming the larger class alone may be right more often: compare AUROC and MCC, and see "
        "`lsemvae report` for thresholds chosen on inner parts"
    )
    if lr > PUBLISHED_LR:
        return text
    return (
        f"{text}. On some hundred patients the published schedule ends too early: `lsemvae cv "
        f"--config {SMALL_COHORT}` trains with lr 1e-3; decide before looking at test folds"
    )


def _add_folds(table: Table, metrics: dict[str, Any], columns: dict[str, str]) -> None:
    for name in ("", *columns.values()):
        table.add_column(name, justify="right" if name else "left")
    for number, fold in enumerate(metrics["folds"]):
        table.add_row(f"fold {number}", *(_shown(fold[key]) for key in columns))
    table.add_row("mean ± SD", *(_spread(metrics, key) for key in columns), style="bold")
    table.add_row("pooled", *(_shown(metrics["pooled"][key]) for key in columns))


def _add_labels(table: Table, metrics: dict[str, Any], target: Target) -> None:
    """Add a row for each label: AUROC over the folds, all records at once, how many are known."""
    for name in ("label", "AUROC, mean ± SD", "pooled", "known", "positive"):
        table.add_column(name, justify="left" if name == "label" else "right")
    for name in target.names:
        key, counts = f"auroc:{name}", metrics["labels"][name]
        table.add_row(name, _spread(metrics, key), _shown(metrics["pooled"][key]),
                      str(counts["n_known"]), str(counts["n_positive"]))  # fmt: skip
    table.add_row("macro", _spread(metrics, MACRO), _shown(metrics["pooled"][MACRO]),
                  style="bold")  # fmt: skip


def _spread(metrics: dict[str, Any], key: str) -> str:
    return f"{_shown(metrics['mean'][key])} ± {_shown(metrics['sd'][key])}"


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
            f"{counted(metrics['n_positive'], 'record')} positive; accuracy of the "
            f"larger class alone {metrics['base_rate_accuracy']:.3f}"
        )
    if target.kind == "labels":
        return f"{counted(len(target.names), 'label')}; an AUROC of chance is 0.500"
    measured, number = metrics["measured"], target.number
    return (
        f"{number.title} {measured['mean']:.1f} ± {measured['sd']:.1f} {number.unit}; MAE of the "
        f"training mean alone {metrics['training_mean_mae']:.3f} {number.unit}"
    )


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.{DIGITS}f}"
