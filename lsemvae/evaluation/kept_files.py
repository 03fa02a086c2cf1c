"""Read what an earlier command wrote; say what to run again where it is spoilt."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

import pandas as pd

from lsemvae.core.errors import InputError
from lsemvae.core.npz_file import read_npz


def read_kept_table(file: Path, next_step: str, **options: Any) -> pd.DataFrame:
    """Read a CSV file of this program.

    Args:
        file: that is there.
        next_step: what writes it again.
        options: of `pandas.read_csv`.

    Raises:
        InputError: it is empty, cut, or of something else.
    """
    try:
        return read_every_cell(file, **options)
    except ValueError as error:  # pandas' own errors are ValueErrors
        raise _spoilt(file, error, next_step) from error


def read_every_cell(file: Path | TextIO, **options: Any) -> pd.DataFrame:
    """Read a CSV file whose lines have no more cells than its header.

    pandas would take the first column for an index, and so move every other by one.

    Args:
        file: CSV file, or its text.
        options: of `pandas.read_csv`.

    Raises:
        ValueError: lines are longer, or it is no CSV file.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            table: pd.DataFrame = pd.read_csv(file, index_col=False, **options)
        except pd.errors.ParserWarning as error:
            raise ValueError("its lines have more cells than its header") from error
    return table


def read_kept_arrays(file: Path, next_step: str, needs: Sequence[str] = ()) -> dict[str, Any]:
    """Read an NPZ file of this program; arguments as in `read_kept_table` and `read_npz`.

    Raises:
        InputError: it is empty, cut or changed.
    """
    try:
        return read_npz(file, needs)
    except ValueError as error:
        raise _spoilt(file, error, next_step) from error


def _spoilt(file: Path, error: Exception, next_step: str) -> InputError:
    reason = " ".join(str(error).split())[:120]
    return InputError(
        f"{file} ({file.stat().st_size} bytes) is empty, cut or damaged ({reason}); {next_step}"
    )
