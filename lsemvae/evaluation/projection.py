"""Keep the first two principal components of a run's features for the report's picture."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.decomposition import PCA

from lsemvae.core.errors import InputError
from lsemvae.core.files import write_text
from lsemvae.evaluation.kept_files import read_kept_table

FILE_NAME = "projection.csv"
COLUMNS = ["record", "component_1", "component_2", "explained_1", "explained_2"]
AGAIN = "remove it, and run `lsemvae cv` again"


def project(features: npt.NDArray[np.floating], record: pd.Series) -> pd.DataFrame:
    """Return every record's place on the first two principal components of the features.

    No label has a part in it.

    Args:
        features: (N, F), finite; F may be 1.
        record: (N,) names.

    Returns:
        Columns record, component_1, component_2 and, the same in every row, the shares of the
        variance that they explain, explained_1 and explained_2.
    """
    n_components = min(2, features.shape[1], len(features))
    pca = PCA(n_components, svd_solver="full")
    places = pca.fit_transform(features.astype(np.float64))
    table: dict[str, npt.ArrayLike] = {"record": record.to_numpy()}
    for number in range(2):
        there = number < n_components
        table[f"component_{number + 1}"] = places[:, number] if there else np.zeros(len(features))
    for number in range(2):
        there = number < n_components
        share = float(pca.explained_variance_ratio_[number]) if there else 0.0
        table[f"explained_{number + 1}"] = np.full(len(features), share)
    return pd.DataFrame(table)


def write_projection(folder: Path, projection: pd.DataFrame) -> None:
    """Write `projection.csv` into a run's folder."""
    write_text(folder / FILE_NAME, projection.to_csv(index=False, float_format="%.6g"))


def read_projection(folder: Path) -> pd.DataFrame | None:
    """Read it, None where the run has none.

    Raises:
        InputError: it is not what a run writes.
    """
    file = folder / FILE_NAME
    if not file.is_file():
        return None
    table = read_kept_table(file, AGAIN, dtype={"record": str}, keep_default_na=False)
    if list(table) != COLUMNS:
        raise InputError(f"{file} is changed or damaged (its columns are others); {AGAIN}")
    return table
