"""Repeat a cross-validation with folds, weights and batches drawn anew, to see their spread."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from lsemvae.core.errors import InputError
from lsemvae.core.files import write_text
from lsemvae.core.printable import say
from lsemvae.crossval.printed import print_table
from lsemvae.crossval.run import cross_validate
from lsemvae.crossval.settings import FEATURES, CvSettings
from lsemvae.evaluation.runs import REPEATS, repeats_line

FOLDER = ".repeats"
STRIDE = 1000  # between seeds, so that no fold of one has the seed of another's


def repeat_and_print(
    settings: CvSettings, cohort: str, out: Path, *, seeds: int, **others: Any
) -> Path:
    """Cross-validate `seeds` times, print the first and the spread, and return its folder.

    The first is what `cross_validate` alone would give, and is what the folder holds. The others
    have folds of their own, which all methods share, in OUT/.repeats/seed_S; `repeats.csv` beside
    metrics.json has a row for each.

    Args:
        settings: of the first; the others have other seeds and no inner parts.
        cohort: see `cross_validate`.
        out: see `cross_validate`.
        seeds: how often, 2 or more.
        others: see `cross_validate`.

    Raises:
        InputError: as `cross_validate`; seeds below 2.
    """
    refuse_one_seed(seeds)
    folder, metrics = cross_validate(settings, cohort, out, **others)
    rows = [_row(settings.seed, metrics)]
    for number in range(1, seeds):
        again = replace(settings, seed=settings.seed + STRIDE * number, inner=_inner(settings))
        say(f"repeat {number + 1} of {seeds}, seed {again.seed}")
        _, found = cross_validate(
            again, cohort, out / FOLDER / f"seed_{again.seed}", feature_folder=out / FEATURES,
            **others,
        )  # fmt: skip
        rows.append(_row(again.seed, found))
    table = pd.DataFrame(rows)
    write_text(folder / REPEATS, table.to_csv(index=False))
    print_table(metrics, folder)
    say(repeats_line(table, metrics))
    return folder


def refuse_one_seed(seeds: int) -> None:
    """Refuse fewer repeats than have a spread.

    Raises:
        InputError: seeds below 2.
    """
    if seeds < 2:
        raise InputError(f"seeds must be >= 2 for a spread, got {seeds}; leave it out for one run")


def _inner(settings: CvSettings) -> bool | None:
    """Return whether repeats need inner parts: only the intervals of a number come from them."""
    return settings.inner if settings.target.kind == "number" else False


def _row(seed: int, metrics: dict[str, Any]) -> dict[str, float]:
    return {"seed": seed, **metrics["pooled"]}
