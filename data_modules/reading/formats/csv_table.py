"""Read ECGs as text: a CSV file whose layout file says what the numbers mean."""

import io

import numpy as np

from data_modules.reading.formats.layout import Layout
from data_modules.reading.formats.xml_tree import invalid
from data_modules.reading.limits import check_extent
from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import RawRecording

_LONGEST_LINE = 4096


def read_csv_table(content: bytes, layout: Layout, *, record: str) -> RawRecording:
    """Read a table with one line for each sample and one column for each lead.

    Args:
        content: the file: UTF-8, separated by commas, semicolons or tabs; empty cells are missing
            samples.
        layout: what the columns are.
        record: the record as the user names it.

    Raises:
        RecordError: no table of numbers, or another number of columns than leads.
    """
    try:
        import pandas as pd
    except ImportError as error:
        problem = "CSV files need the package pandas; pip install pandas"
        raise RecordError("reader_missing", record=record, problem=problem) from error
    first = content[:_LONGEST_LINE].partition(b"\n")[0].decode("utf-8-sig", errors="replace")
    delimiter = max(",;\t", key=first.count)
    names = layout.leads or tuple(name.strip(' "\r') for name in first.split(delimiter))
    n_rows = content.count(b"\n") + 1
    check_extent(first.count(delimiter) + 1, n_rows, layout.sampling_rate_hz, record=record)
    try:
        table = pd.read_csv(
            io.BytesIO(content),
            sep=delimiter,
            header=None,
            skiprows=0 if layout.leads else 1,
            dtype=np.float64,
            na_values=[""],
            keep_default_na=False,
            encoding="utf-8-sig",
        )
    except (ValueError, OverflowError) as error:  # pandas' own errors are ValueErrors
        reason = " ".join(str(error).split())[:120]
        raise invalid(f"it is no table of numbers ({reason})", record=record) from error
    signals = table.to_numpy().T
    if len(names) != len(signals) or not signals.size:
        problem = f"it has {len(signals)} columns of {signals.shape[-1]} for {len(names)} leads"
        raise RecordError("size_mismatch", record=record, problem=problem)
    return RawRecording(
        names=names,
        signals=signals / layout.counts_per_unit,
        units=(layout.unit,) * len(names),
        sampling_rate_hz=layout.sampling_rate_hz,
    )
