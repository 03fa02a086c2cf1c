"""Check the rows of untrained twins against earlier ones: `python -m benchmarks.twin_rows`.

The earlier figures are of one twin and of the best of four heads: logistic regressions with C .003,
.03 and .3, and the MLP for 20 epochs at 1e-3, chosen on the folds that are reported. So they are
too high, alike in all rows; `lsemvae worth` chooses on inner parts. This program does what was done
then, for five twins, and prints how far it comes out from it.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.machine import write_results
from benchmarks.public_recordings import prepared
from data_modules.rhc_cohort import RhcCohort
from lsemvae.core.types import EcgInput
from lsemvae.evaluation.statistics.repeated_scores import RepeatedScores
from lsemvae.heads.mlp import MlpSettings
from lsemvae.models import LsEmvae, Pretrained
from lsemvae.models.checkpoint import DataState
from lsemvae.references.mlp_scores import mlp_scores
from lsemvae.references.probing import ProbeSettings, labelled_folds, linear_scores
from lsemvae.references.rows import UNTRAINED, Row, encoder_rows

EARLIER = {
    "super_CD": (0.893, 0.920),
    "super_NORM": (0.926, 0.947),
    "rhythm_AFIB": (0.914, 0.969),
    "sub_IRBBB": (0.837, 0.912),
}
FEATURES = ("mixture_mean", "lead_means")
STRENGTHS = (0.003, 0.03, 0.3)
N_TWINS, LATENT_DIM, CLOSE = 5, 64, 0.01
PAGE, OUT = Path("docs/worth.md"), Path("reports/twin_rows.json")


def best_of_four(rows: Sequence[Row], data: RhcCohort) -> np.ndarray:
    """Return the mean AUROC over the folds, (S,) by seed, of the best head of each."""
    cohort = labelled_folds(data.labelled(), data.load_splits())
    heads = [
        linear_scores(rows, cohort, ProbeSettings((1.0,), strengths=(strength,)))
        for strength in STRENGTHS
    ]
    heads.append(mlp_scores(rows, cohort, MlpSettings(epochs=20, lr=1e-3)))
    kind = rows[0].kind
    values = [
        RepeatedScores(cohort, {kind: found[kind, 1.0]}).values(kind)[:, 0] for found in heads
    ]
    best: np.ndarray = np.max(values, 0)
    return best


def untrained_like(ecg_input: EcgInput) -> Pretrained:
    """Return an encoder of the architecture, for the description that twins are made of."""
    data = DataState(ecg_input, "nothing", synthetic=False, calibrated=False, sha256="")
    return Pretrained(LsEmvae(ecg_input.n_samples, LATENT_DIM).eval(), "untrained", data)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, compare, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--tasks", nargs="+", choices=EARLIER, default=list(EARLIER))
    parser.add_argument("--cache", type=Path, default=Path("runs/twin_rows"))
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args(arguments)
    store = prepared("median_beat", 100.0) / "ptbxl.h5"
    lines = []
    for task in options.tasks:
        data = RhcCohort(
            str(store), task, splits=str(options.cache / f"{task}.json"), normalisation="record"
        )
        for feature, earlier in zip(FEATURES, EARLIER[task], strict=True):
            rows = encoder_rows(
                [untrained_like(data.ecg_input)], data, options.cache, n_twins=N_TWINS,
                feature=feature,
            )  # fmt: skip
            found = best_of_four([row for row in rows if row.kind.startswith(UNTRAINED)], data)
            lines.append({"task": task, "feature": feature, "earlier": earlier,
                          "mean": float(found.mean()), "lowest": float(found.min()),
                          "highest": float(found.max())})  # fmt: skip
            print(lines[-1], flush=True)
    write_results(OUT, lines, markdown(lines), page=options.page, program="benchmarks.twin_rows")


def markdown(lines: Sequence[dict[str, float]]) -> str:
    """Return the comparison as a table."""
    rows = [
        "| task | features of the twin | earlier, one twin | five twins | range | difference |",
        "|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {line['task']} | {line['feature']} | {line['earlier']:.3f} | {line['mean']:.3f} | "
        f"{line['lowest']:.3f} to {line['highest']:.3f} | {line['mean'] - line['earlier']:+.3f} |"
        for line in lines
    ]
    n_close = sum(abs(line["mean"] - line["earlier"]) <= CLOSE for line in lines)
    rows.append(f"\n{n_close} of {len(lines)} lie within {CLOSE:g}.")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    main()
