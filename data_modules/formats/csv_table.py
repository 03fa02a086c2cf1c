"""Read ECGs as text: a CSV file whose layout file says what the numbers mean."""

import io

import numpy as np

from data_modules.formats.layout import Layout
from data_modules.formats.xml_tree import invalid
from data_modules.limits import MAX_SIGNALS, check_extent
from data_modules.reasons import RecordError
from data_modules.recording import RawRecording


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
    import pandas as pd

    first, _, _ = content[:4096].partition(b"\n")
    delimiter = max(",;\t", key=lambda sign: first.count(sign.encode()))
    if first.count(delimiter.encode()) >= MAX_SIGNALS or len(first) == 4096:
        problem = f"its first line has more than {MAX_SIGNALS} columns"
        raise RecordError("header_limit", record=record, problem=problem)
    rows = content.count(b"\n") + 1
    check_extent(first.count(delimiter.encode()) + 1, rows, layout.sampling_rate_hz, record=record)
    try:
        table = pd.read_csv(
            io.BytesIO(content),
            sep=delimiter,
            header=None if layout.leads else 0,
            dtype=np.float64 if layout.leads else None,
            na_values=[""],
            keep_default_na=False,
            encoding="utf-8-sig",
        )
        signals = table.to_numpy(dtype=np.float64).T
    except (ValueError, OverflowError, TypeError, pd.errors.ParserError) as error:
        reason = " ".join(str(error).split())[:120]
        raise invalid(f"it is no table of numbers ({reason})", record=record) from error
    names = layout.leads or tuple(str(name) for name in table.columns)
    if len(names) != len(signals) or not signals.size:
        problem = f"it has {len(signals)} columns of {signals.shape[-1]} for {len(names)} leads"
        raise RecordError("size_mismatch", record=record, problem=problem)
    return RawRecording(
        names=names,
        signals=signals / layout.counts_per_unit,
        units=(layout.unit,) * len(names),
        sampling_rate_hz=layout.sampling_rate_hz,
    )
