"""Show what the latent space of a pre-training run does, and where the records lie in it."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS
from lsemvae.evaluation.plots.figures import epoch_figure
from lsemvae.evaluation.report.blocks import Block, Picture, Section, Table, draw
from lsemvae.evaluation.report.curves import legend, panel
from lsemvae.evaluation.report.evidence import Evidence, PretrainEvidence, RunEvidence
from lsemvae.evaluation.report.written import grouped, number, unavailable

PREFIX = "latent/"
CURVES = (
    ("loss", {"train/loss": "training", "val/loss": "validation"}, "Loss per record."),
    ("loss term", {"train/reconstruction": "reconstruction", "train/kl": "KL", "train/alignment":
                   "alignment"}, "Terms of the training loss, before beta and gamma."),
    ("beta", {"train/beta": "beta"}, "Beta, the weight of the KL divergence."),
    ("R²", {"latent/r2/limb": "limb leads", "latent/r2/chest": "chest leads",
            "latent/r2_from_limb/chest": "chest from limb leads",
            "latent/r2_from_limb/least_squares": "the same, least squares"},
     "Reconstruction of held-out records."),
    ("gate", {"latent/gate_12_entropy": "entropy, 12 leads (nats)", "latent/gate_12_largest":
              "largest weight, 12 leads", "latent/gate_6_entropy": "entropy, 6 leads (nats)"},
     "Gate: an entropy near 0 means that one expert has taken over."),
    ("latent", {"latent/active_units": "active units"}, "Latent dimensions in use."),
)  # fmt: skip
READ = {
    "active_units": "latent dimensions whose posterior mean varies over records (variance above "
    "0.01): few of many mean that the posterior has collapsed",
    "kl_per_dimension/mean": "information per dimension (nats): near 0 is collapse",
    "r2/limb": "share of the limb leads' energy that is reconstructed from 12 leads: 1 is all",
    "r2/chest": "the same of the chest leads",
    "r2_from_limb/chest": "chest leads from the 6 limb leads alone: what the model knows of leads "
    "that it does not see",
    "r2_from_limb/least_squares": "the best linear combination of limb leads on the same records: "
    "a model below it has learned nothing that a regression does not know",
    "gate_12_entropy": "spread of the gate over experts with 12 leads (nats): 0 is one expert "
    "alone, ln 13 = 2.56 all alike",
    "gate_6_entropy": "the same with 6 leads: ln 7 = 1.95 is all alike",
    "gate_12_largest": "mean largest weight with 12 leads: near 1 is one expert alone",
    "gate_6_largest": "the same with 6 leads",
    "alignment": "distance of the experts' means from the fused mean: falls as leads agree",
    "alignment_per_variance": "the same per variance of the means, so that a collapsed space does "
    "not look aligned",
    "disagreement_share": "share of the posterior's variance that is disagreement of experts",
    "kl_6_to_12_leads": "shift of the posterior when 6 of 12 leads are left (nats): 0 is none",
}


def latent_section(evidence: Evidence) -> Section:
    """Return the diagnostics of the pre-training run and the projections of the runs."""
    blocks: list[Block] = []
    facts: dict[str, Any] = {}
    if evidence.pretrain is None:
        why = "no pre-training run was given (--pretrain)"
        blocks.append(unavailable("Diagnostics of the latent space", why))
    else:
        last = last_values(evidence.pretrain.log)
        facts = {"data": evidence.pretrain.data, "last_epoch": last}
        blocks += _tables(evidence.pretrain, last)
        blocks += _curves(evidence.pretrain)
    shown, projected = _projections(evidence)
    return Section("latent", "Latent space", [*blocks, *shown], facts | {"projection": projected})


def last_values(log: pd.DataFrame) -> dict[str, float]:
    """Return the last value of every logged diagnostic, by its name without prefix."""
    names = [str(name) for name in log if str(name).startswith(PREFIX)]
    return {
        name.removeprefix(PREFIX): float(log[name].dropna().iloc[-1])
        for name in names
        if log[name].notna().any()
    }


def _tables(run: PretrainEvidence, last: dict[str, float]) -> Sequence[Block]:
    if not last:
        why = "its metrics.csv has none; LatentDiagnostics logs them, for LS-EMVAE on 12 leads"
        return [unavailable("Diagnostics of the latent space", why)]
    rows = [[name, number(last[name]), text] for name, text in READ.items() if name in last]
    absent = {name: "not logged by this run" for name in READ if name not in last}
    leads = [
        [lead, *(number(last.get(f"{part}/{lead}")) if f"{part}/{lead}" in last else "-"
                 for part in ("r2", "mae_mv", "r2_from_limb"))]
        for lead in LEADS
    ]  # fmt: skip
    unit = "mV" if run.calibrated else "units of the store, which is not calibrated"
    header = ("lead", "R², from 12 leads", f"mean absolute error ({unit})", "R², from 6 limb leads")
    return [
        Table(f"Latent space at the last epoch, validation records of {run.label}.",
              ("figure", "value", "how to read it"), rows, wrap=True),
        *grouped(absent),
        Table(f"Reconstruction by lead at the last epoch, validation records of {run.label}. R² "
              "near 1: the shape is kept; below 0: worse than a flat line.", header, leads),
    ]  # fmt: skip


def _curves(run: PretrainEvidence) -> list[Picture]:
    pictures = []
    for ylabel, columns, caption in CURVES:
        if any(name in run.log for name in columns):
            figure = epoch_figure(run.log, columns, ylabel, run.label)
            name = "training_" + ylabel.replace(" ", "_").replace("²", "2")
            pictures.append(
                draw(figure, name, caption=f"{caption} Pre-training on {run.label}.",
                     alt=f"{caption} Curve by epoch.")
            )  # fmt: skip
    return pictures


def _projections(evidence: Evidence) -> tuple[list[Block], dict[str, Any]]:
    blocks: list[Block] = []
    missing, facts = {}, {}
    for task in evidence.tasks:
        for run in evidence.detailed(task):
            if run.projection is None:
                known = run.run.metrics["encoder_sha256"]
                missing[f"Projection of {run.key}"] = (
                    "the run kept none (older version); run `lsemvae cv` again to get one"
                    if known
                    else "the method has no frozen encoder, so each fold has features of its own"
                )
                continue
            share = [float(run.projection[f"explained_{n}"].iloc[0]) for n in (1, 2)]
            facts[run.key] = {"explained": share}
            blocks.append(_projection(evidence, run, run.projection, share))
    return [*blocks, *grouped(missing)], facts


def _projection(
    evidence: Evidence, run: RunEvidence, places: pd.DataFrame, share: list[float]
) -> Picture:
    label = run.run.predictions.set_index("record")["label"]
    unknown = places["record"][~places["record"].isin(label.index)]
    if len(unknown):
        raise InputError(
            f"{run.run.folder}: projection.csv names {unknown.iloc[0]}, which predictions.csv does "
            "not; run `lsemvae cv` again"
        )
    of_record = label[places["record"]].to_numpy()
    figure, axes = panel(f"component 1 ({share[0]:.1%} of the variance)",
                         f"component 2 ({share[1]:.1%})",
                         f"{run.task}, {run.title}, {evidence.label}", square=False)  # fmt: skip
    for value, colour, sign in ((0, "#0b5394", "o"), (1, "#b45f06", "x")):
        part = places[of_record == value]
        axes.scatter(part["component_1"], part["component_2"], s=14, marker=sign, c=colour,
                     alpha=0.6, linewidths=0.9,
                     label=f"label {value} (n = {len(part)})")  # fmt: skip
    legend(axes)
    caption = (
        f"Features of {run.title} on their first two principal components, {evidence.label}; the "
        f"label ({run.task}) had no part in it. Groups that overlap here may still differ in other "
        "directions."
    )
    alt = f"Scatter of records by label, {run.task}, {run.title}"
    # Thousands of points are smaller as pixels.
    return draw(figure, f"projection_{run.key.replace('/', '_')}", caption=caption, alt=alt,
                kind="png")  # fmt: skip
