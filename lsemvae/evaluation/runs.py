"""Read finished cross-validations from their folders."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lsemvae.core.counted import counted
from lsemvae.core.files import file_sha256
from lsemvae.core.leads import lead_set_name
from lsemvae.core.sealed_json import FILES, changed_files, read_unverified
from lsemvae.core.targets import Target, target_of
from lsemvae.evaluation.kept_files import read_kept_table
from lsemvae.evaluation.predictions import read_predictions

REPEATS, METRICS = "repeats.csv", "metrics.json"
PREDICTED = "predictions_sha256"
"""Under this name a model or an explanation keeps the digest of its run's predictions.csv."""
PREDICTIONS, INNER = "predictions.csv", "inner_predictions.csv"
NEEDED = ("task", "method", "leads", "data", "synthetic", "splits_sha256", "pooled", "folds")
AGAIN = "run `lsemvae cv` again with the same options: finished folds are kept"


@dataclass(frozen=True)
class CvRun:
    """A finished cross-validation, read from its folder.

    Attributes:
        folder: with metrics.json and predictions.csv.
        metrics: what metrics.json holds.
        predictions: one row per record, out of fold.
        inner: predictions of the inner validation parts, None where there are none.
        repeats: seed and pooled metrics of every repetition, None where it was not repeated.
        as_written: whether metrics.json holds what the run wrote; older ones cannot tell.
    """

    folder: Path
    metrics: dict[str, Any]
    predictions: pd.DataFrame
    inner: pd.DataFrame | None = None
    repeats: pd.DataFrame | None = None
    as_written: bool = True

    @property
    def target(self) -> Target:
        """What the run predicts."""
        return target_of(self.metrics)

    @property
    def leads(self) -> str:
        """Name of the lead set, such as 12L."""
        return lead_set_name(self.metrics["leads"])

    @property
    def method_title(self) -> str:
        """Published name of the method; runs of older versions have its short name only."""
        return str(self.metrics.get("title", self.metrics["method"]))

    @property
    def title(self) -> str:
        """Method and leads, for legends."""
        return f"{self.metrics['method']} {self.leads}"

    def predicted(self, digest: str | None) -> bool:
        """Tell whether these are the predictions of a digest; older files keep none, which is yes.

        Settings are alike where a run was trained again with another seed, the digest is not.
        """
        return digest in (None, file_sha256(self.folder / PREDICTIONS))

    @property
    def changed_files(self) -> list[str]:
        """Name the files that are not what the run wrote."""
        if not self.as_written:
            return [METRICS]
        return changed_files(self.folder, self.metrics.get(FILES, {}))

    @property
    def data_label(self) -> str:
        """Label of the data, with a warning where any of it is synthetic or derived."""
        return data_label(self.metrics["data"], self.metrics["synthetic"], self.derived)

    @property
    def derived(self) -> tuple[str, ...]:
        """What labels rest on that the table did not state, one note each."""
        return derived_notes(self.metrics.get("derived", {}))


def derived_notes(counts: Mapping[str, int]) -> tuple[str, ...]:
    """Return a note for each way in which labels were derived, with the number of records."""
    return tuple(f"{way} in {counted(n, 'record')}" for way, n in counts.items())


def data_label(data: str, synthetic: bool, derived: Iterable[str] = ()) -> str:
    """Return a data set's name, with a warning where any of it is synthetic or derived."""
    notes = [*(["SYNTHETIC data"] if synthetic else []), *derived]
    return f"{data} ({'; '.join(notes)})" if notes else data


def read_cv_run(folder: Path) -> CvRun:
    """Read one finished cross-validation."""
    metrics, as_written = read_unverified(folder / METRICS, AGAIN, needs=NEEDED)
    inner, target = folder / INNER, target_of(metrics)
    repeats = folder / REPEATS
    return CvRun(
        folder,
        metrics,
        read_predictions(folder / PREDICTIONS, target),
        read_predictions(inner, target) if inner.is_file() else None,
        read_kept_table(repeats, AGAIN) if repeats.is_file() else None,
        as_written,
    )


def repeats_line(repeats: pd.DataFrame, metrics: Mapping[str, Any]) -> str:
    """Say how far the first metric spreads over repetitions of a cross-validation.

    Args:
        repeats: `repeats.csv`, seed and pooled metrics; the first row is the run itself.
        metrics: of the run; where a column gave its folds, they were the same every time.
    """
    name = repeats.columns[1]
    values = repeats[name]
    column = metrics.get("fold_column")
    anew = f"weights drawn anew, folds of {column}" if column else "folds and weights drawn anew"
    return (
        f"repeated {len(values)} times with {anew}: pooled {name} "
        f"{values.mean():.3f} ± {values.std(ddof=1):.3f} (SD), {values.min():.3f} to "
        f"{values.max():.3f}; this run {values.iloc[0]:.3f}"
    )
