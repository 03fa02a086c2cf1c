"""Show what other devices, electrodes and postures do to a locked model: `lsemvae stress`."""

import math
from pathlib import Path
from typing import TYPE_CHECKING

from lsemvae.core.printable import say

if TYPE_CHECKING:
    from lsemvae.stress.run import Measured


def stress(
    model: str,
    *,
    cohort: str,
    out: str = "reports/stress",
    label: str | None = None,
    n: int = 500,
    seed: int = 0,
    allow_trained_on: bool = False,
) -> None:
    """Change recordings as other devices would, and see what a locked model does.

    Amplitude of I and aVL, axis, baseline wander, noise of an electrode, pacing spikes, exchanged
    electrodes, bands, sampling rates, heart rate: AUROC, calibration slope, share withheld and mean
    change of the probability for each dose. With --out RUN/stress, `lsemvae report` shows it.

    Args:
        model: written by `lsemvae lock`, or by `lsemvae export`.
        cohort: store made by `lsemvae prepare cohort`, with the model's task among its columns.
        out: folder that gets stress.json, stress.csv and stress.svg.
        label: column of 0 and 1 that means the same as the model's task, where it has another name.
        n: recordings, drawn at random.
        seed: of the recordings and of noise.
        allow_trained_on: take recordings and patients of the training too; AUROC and slope are
            then too good.
    """
    from lsemvae.commands.predict import open_yes_or_no
    from lsemvae.core.errors import InputError
    from lsemvae.core.one_writer import writing_alone
    from lsemvae.evaluation.plots.stress import row_name
    from lsemvae.stress.output import check_stress_folder, write_stress
    from lsemvae.stress.run import LEAST_RECORDINGS, Measured, about, choose, measure

    if n < LEAST_RECORDINGS:
        raise InputError(f"--n must be at least {LEAST_RECORDINGS}, got {n}")
    folder = Path(out)
    check_stress_folder(folder)
    predictor = open_yes_or_no(Path(model), "stress")
    chosen = choose(
        predictor, cohort, label=label, n=n, seed=seed, allow_trained_on=allow_trained_on
    )
    rows, skipped = [], {}
    for found in measure(predictor, chosen, seed=seed):
        if not isinstance(found, Measured):
            skipped[found[0]] = found[1]
            say(f"not tried: {found[0]}: {found[1]}")
            continue
        rows.append(found)
        name = row_name({"shift": found.shift, "dose": found.dose, "unit": found.unit})
        say(f"{name:45} {figures_of(found)}")
    with writing_alone(folder, wait=True):
        write_stress(folder, rows, about(predictor, cohort, chosen, allow_trained_on), skipped)
    if allow_trained_on:
        say("warning: the model may have been trained on these recordings: AUROC and slope are "
              "too good, only the changes mean anything")  # fmt: skip
    say(f"stress: {folder / 'stress.svg'}, stress.csv, stress.json")


def figures_of(found: "Measured") -> str:
    """Return the figures of a shift and dose, or why there are none."""
    withheld = f"withheld {found.withheld:4.0%}"
    if math.isnan(found.auroc.value):
        return f"AUROC and slope not available ({found.auroc.method}), {withheld}"
    return (
        f"AUROC {found.auroc.value:.3f}, slope {found.slope.value:5.2f}, {withheld}, "
        f"change {found.change:.3f}"
    )
