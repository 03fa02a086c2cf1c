"""Compare whole recordings with their median beats: `python -m benchmarks.median_beats`.

The same pre-trained encoders read every beat of a recording, as they do by default, or its median
beat alone, which holds neither the rhythm nor what differs between beats. Probe, folds and features
are those of `make public ARGS="--worth"`, whose encoders and kept scores are taken.
"""

import argparse
import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from benchmarks.machine import write_results
from benchmarks.pretraining_worth import LEADS, SEEDS, STRENGTHS, TASKS
from benchmarks.public_recordings import prepared
from data_modules.rhc_cohort import RhcCohort
from lsemvae.core.errors import InputError
from lsemvae.core.leads import canonical_order, parse_leads
from lsemvae.crossval.features import cached_features
from lsemvae.evaluation.worth import LINEAR, PRETRAINED, worth_table
from lsemvae.models import BeatLsEmvae, EcgNetwork, Pretrained, load_pretrained
from lsemvae.nn.pooled_responses import pooled_responses, pooled_size
from lsemvae.references.probing import ProbeSettings, labelled_folds, linear_scores
from lsemvae.references.rows import Row
from lsemvae.references.study import SCORES

MEDIAN = "median beats"
ASKED = ("CD", "NORM", "AFIB")
MARGIN = 0.02
PAGE, OUT = Path("docs/pretraining.md"), Path("reports/median_beats.json")
PROBE = ProbeSettings((1.0,), strengths=STRENGTHS)


class MedianBeatReader(EcgNetwork):
    """Reads the median beat of whole recordings by a network that is made for every beat.

    Args:
        network: whose encoders, fusion and beats are taken.
    """

    def __init__(self, network: BeatLsEmvae) -> None:
        super().__init__(network.n_samples)
        self.network = network

    def feature_dim(self, leads: Sequence[str]) -> int:
        """Return D, and D and the pooled responses of each lead."""
        return self.network.latent_dim + len(leads) * (self.network.latent_dim + pooled_size())

    def encode(self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None) -> Tensor:
        """Return the features of `BeatLsEmvae`, but for spread and rhythm, (B, F)."""
        ecg, present = self._checked(ecg, leads, present)
        median = self.network.kept_beats.of(ecg, present).median
        posterior = self.network.beat.posterior(median, leads, present)
        response = pooled_responses(self.network.beat.encoders, median, leads)
        response = torch.where(present.unsqueeze(-1), response, 0.0)
        by_lead = (posterior.expert_mean[:, : len(leads)], response)
        ordered = [part[:, canonical_order(leads)].flatten(1) for part in by_lead]
        return torch.cat([posterior.mean, *ordered], 1)


def reader_of(encoder: Pretrained) -> Pretrained:
    """Return an encoder that reads the median beat.

    Raises:
        InputError: the encoder is not one of single beats.
    """
    if not isinstance(encoder.network, BeatLsEmvae):
        raise InputError(f"BeatLsEmvae is needed, got {type(encoder.network).__name__}")
    digest = hashlib.sha256(f"{MEDIAN} {encoder.sha256}".encode()).hexdigest()
    return replace(encoder, network=MedianBeatReader(encoder.network).eval(), sha256=digest)


def compare(
    encoders: Sequence[Pretrained], store: Path, column: str, leads: int, out: Path
) -> dict[str, Any]:
    """Return AUROC of whole recordings and of median beats, and the paired difference."""
    data = RhcCohort(
        str(store), column, splits=str(out / column / "splits.json"),
        leads=list(parse_leads(leads)), normalisation=encoders[0].data.ecg_input.normalisation,
    )  # fmt: skip
    cache = out / "features"
    rows = [Row(PRETRAINED, cached_features(one, data, cache)) for one in encoders]
    rows += [Row(MEDIAN, cached_features(reader_of(one), data, cache)) for one in encoders]
    cohort = labelled_folds(data.labelled(), data.load_splits())
    scores = linear_scores(rows, cohort, PROBE, kept=cache / SCORES)
    table = worth_table(cohort, {LINEAR: scores}).set_index("row")
    gap = table.loc[MEDIAN]
    return {
        "whole": float(table["auroc"][PRETRAINED]), "median": float(gap["auroc"]),
        "difference": float(gap["difference"]), "low": float(gap["difference_low"]),
        "high": float(gap["difference_high"]),
    }  # fmt: skip


def markdown(lines: Sequence[dict[str, Any]], n_encoders: int) -> str:
    """Return the comparison as a table, and how many lines lie within the margin."""
    table = pd.DataFrame(lines)
    rows = [
        f"| {one.task}, {one.leads} | {one.whole:.3f} | {one.median:.3f} | "
        f"{one.difference:+.3f} [{one.low:+.3f}, {one.high:+.3f}] |"
        for one in table.itertuples()
    ]
    n_within = int((table["difference"] >= -MARGIN).sum())
    return "\n".join([
        f"Linear probe, 100 % of the labels, mean of {n_encoders} pre-trainings, the same folds.",
        "",
        "| task | every beat of the recording | its median beat alone | difference [95 %] |",
        "|---|---|---|---|",
        *rows,
        "",
        f"Whole recordings are no more than {MARGIN:g} below median beats on {n_within} of "
        f"{len(table)} lines.",
        "",
    ])  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the table and put it into the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    trained = [f"runs/public_worth/encoders/seed_{n}/checkpoints/last.ckpt" for n in SEEDS]
    parser.add_argument("--encoders", nargs="+", default=trained, help="of `--worth`")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(ASKED))
    parser.add_argument("--out", type=Path, default=Path("runs/public_worth"))
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args(arguments)
    encoders = [load_pretrained(path) for path in options.encoders]
    store = prepared("record", 100.0) / "ptbxl.h5"
    lines = [
        {"task": task, "leads": name, **compare(encoders, store, TASKS[task], n, options.out)}
        for n, name in LEADS.items()
        for task in options.tasks
    ]
    print(json.dumps(lines, indent=1))
    write_results(OUT, lines, markdown(lines, len(encoders)), page=options.page,
                  program="benchmarks.median_beats")  # fmt: skip


if __name__ == "__main__":
    main()
