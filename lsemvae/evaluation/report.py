"""One self-contained HTML page from the files of finished runs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, select_autoescape

from lsemvae.errors import InputError
from lsemvae.evaluation.cv_runs import CvRun
from lsemvae.evaluation.ecg_paper import draw_twelve_leads
from lsemvae.evaluation.figures import embedded_png, epoch_figure, roc_figure
from lsemvae.evaluation.tables.paper import paper_result
from lsemvae.leads import lead_set_name

ORIGINAL = {"color": "#111111", "linewidth": 0.9}
RECONSTRUCTED = {"color": "#0b5394", "linewidth": 1.1, "linestyle": "--"}
FROM_LIMB = {"color": "#b45f06", "linewidth": 1.0, "linestyle": ":"}


@dataclass(frozen=True)
class Picture:
    """An embedded picture with its caption and its text for those who cannot see it."""

    source: str
    caption: str
    alt: str


@dataclass
class ReportContent:
    """What the page's template shows.

    Attributes:
        title: of the page.
        data: label of the data.
        synthetic: whether anything in it is synthetic.
        flow: steps from records listed to records used, with counts.
        groups: characteristics by group, header first.
        results: one row per cross-validation.
        pictures: by section: roc, training, reconstructions.
        provenance: name and value.
    """

    title: str
    data: str
    synthetic: bool
    flow: list[tuple[str, str]] = field(default_factory=list)
    groups: list[list[str]] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)
    pictures: dict[str, list[Picture]] = field(default_factory=dict)
    provenance: list[tuple[str, str]] = field(default_factory=list)


def result_rows(runs: Sequence[CvRun]) -> list[dict[str, Any]]:
    """Return the rows of the metrics table, with the paper's figures beside ours."""
    rows = []
    for run in runs:
        metrics = run.metrics
        spread = {
            name: f"{metrics['mean'][name]:.3f} ± {metrics['sd'][name]:.3f}"
            for name in metrics["mean"]
        }
        leads = lead_set_name(metrics["leads"])
        rows.append(
            {
                "task": metrics["task"],
                "method": metrics["method"],
                "leads": leads,
                "data": metrics["data"] + (" (synthetic)" if metrics["synthetic"] else ""),
                **spread,
                "pooled_auroc": f"{metrics['pooled']['auroc']:.3f}",
                "base_rate": f"{metrics['base_rate_accuracy']:.3f}",
                "n": f"{metrics['n_records']} ({metrics['n_positive']})",
                "paper_auroc": paper_result(metrics["task"], metrics["method"], leads),
            }
        )
    return rows


def roc_pictures(runs: Sequence[CvRun]) -> list[Picture]:
    """Return one picture per task with the ROC curves of its runs."""
    pictures = []
    for task in sorted({run.metrics["task"] for run in runs}):
        mine = [run for run in runs if run.metrics["task"] == task]
        label = " SYNTHETIC data" if mine[0].metrics["synthetic"] else ""
        legends = {
            f"{run.title} (AUROC {run.metrics['pooled']['auroc']:.3f})": run.predictions
            for run in mine
        }
        figure = roc_figure(legends, f"{task},{label or ' ' + mine[0].metrics['data']}")
        caption = f"ROC of {task}, pooled out-of-fold predictions, {mine[0].metrics['data']}."
        pictures.append(Picture(embedded_png(figure), caption, f"ROC: {'; '.join(legends)}"))
    return pictures


TRAINING_CURVES = (
    ("loss", {"train/loss": "training", "val/loss": "validation"}, "Loss per record."),
    ("loss term", {"train/reconstruction": "reconstruction", "train/kl": "KL", "train/alignment":
                   "alignment"}, "Terms of the training loss, before beta and gamma."),
    ("beta", {"train/beta": "beta"}, "Beta, the weight of the KL divergence."),
    ("R²", {"latent/r2/limb": "limb leads", "latent/r2/chest": "chest leads",
            "latent/r2_from_limb/chest": "chest leads from limb leads",
            "latent/r2_from_limb/least_squares": "the same, least squares"},
     "Reconstruction of held-out records."),
    ("gate", {"latent/gate_12_entropy": "entropy, 12 leads (nats)", "latent/gate_12_largest":
              "largest weight, 12 leads", "latent/gate_6_entropy": "entropy, 6 leads (nats)"},
     "Gate: an entropy near 0 means that one expert has taken over."),
    ("latent", {"latent/active_units": "active units"}, "Latent dimensions in use."),
)  # fmt: skip


def training_pictures(folder: Path) -> list[Picture]:
    """Return the curves of a pre-training run.

    Raises:
        InputError: the folder holds no log.
    """
    file = folder / "metrics.csv"
    if not file.is_file():
        raise InputError(f"{file} not found; a pre-training run with a CSVLogger writes it")
    log = pd.read_csv(file)
    pictures = []
    for ylabel, columns, caption in TRAINING_CURVES:
        if any(name in log for name in columns):
            figure = epoch_figure(log, columns, ylabel)
            pictures.append(Picture(embedded_png(figure), caption, f"{caption} Curve by epoch."))
    return pictures


def reconstruction_pictures(
    folder: Path, *, sampling_rate_hz: float, calibrated: bool
) -> list[Picture]:
    """Return recordings with their reconstructions on ECG paper.

    Args:
        folder: of the pre-training run, with `reconstructions.npz`.
        sampling_rate_hz: of the recordings.
        calibrated: whether they are in mV.
    """
    file = folder / "reconstructions.npz"
    if not file.is_file():
        return []
    with np.load(file) as kept:
        arrays = {name: kept[name] for name in kept.files}
    pictures = []
    for number, record in enumerate(arrays["record"]):
        traces = {"recording": arrays["ecg_mv"][number], "from 12 leads": arrays["from_12"][number]}
        styles = [ORIGINAL, RECONSTRUCTED]
        if "from_6" in arrays:
            traces["from the 6 limb leads"] = arrays["from_6"][number]
            styles.append(FROM_LIMB)
        figure = draw_twelve_leads(
            traces, sampling_rate_hz=sampling_rate_hz, title=f"record {record}", styles=styles,
            calibrated=calibrated,
        )  # fmt: skip
        caption = f"Held-out record {record} and its reconstructions, at most 2.5 s of each lead."
        pictures.append(Picture(embedded_png(figure), caption, caption))
    return pictures


def write_report(content: ReportContent, out: Path) -> Path:
    """Write `index.html` into a folder and return its path."""
    environment = Environment(
        loader=PackageLoader("lsemvae.evaluation", "templates"),
        autoescape=select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("report.html.j2").render(content=content)
    out.mkdir(parents=True, exist_ok=True)
    file = out / "index.html"
    file.write_text(page, encoding="utf-8")
    return file
