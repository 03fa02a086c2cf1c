"""Read ECGs as text: a table whose layout file says what the numbers mean."""

import io
import re

import numpy as np
import numpy.typing as npt

from data_modules.reading.formats.layout import Layout
from data_modules.reading.formats.table_start import TableStart, find_start, is_number, split_cells
from data_modules.reading.lead_names import known_lead
from data_modules.reading.limits import check_extent
from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import RawRecording
from data_modules.reading.stated_numbers import invalid
from data_modules.reading.text_cells import MISSING, is_missing, split_separator

_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2},\d{3}", re.ASCII)
_MOST_TEXT_LINES = 200
_LONGEST_LINE = 8192


def read_csv_table(content: bytes, layout: Layout, *, record: str) -> RawRecording:
    """Read a table with one line for each sample and one column for each lead.

    Args:
        content: the file: text with cells between commas, semicolons, tabs or blanks; empty cells
            and words such as NaN are missing samples; a line of units may follow the names.
        layout: what the columns are.
        record: the record as the user names it.

    Raises:
        RecordError: no table of numbers, or another number of columns than leads; the message
            names the line.
    """
    stated, text = split_separator(_decode(content))
    lines = text.splitlines()
    while lines and not lines[-1].strip(" \t,;|"):
        lines.pop()
    head = [line[:_LONGEST_LINE] for line in lines[: layout.skip_lines + _MOST_TEXT_LINES]]
    # the message counts lines as an editor does
    shift = 1 if stated else 0
    start = find_start(head, layout, stated, shift, record=record)
    check_extent(len(start.names), len(lines), layout.sampling_rate_hz, record=record)
    chosen = [i for i, name in enumerate(start.names) if known_lead(name)]
    if not chosen:
        listed = ", ".join(start.names)[:200]
        problem = f"no column is one of the twelve leads; line {start.first + shift} has {listed}"
        raise RecordError("no_known_lead", record=record, problem=problem)
    signals = _numbers(lines, start, chosen, layout, shift, record=record)
    return RawRecording(
        names=tuple(start.names[i] for i in chosen),
        signals=signals / layout.counts_per_unit,
        units=(layout.unit,) * len(chosen),
        sampling_rate_hz=layout.sampling_rate_hz,
        ignored=tuple(name for i, name in enumerate(start.names) if i not in chosen),
    )


def _decode(content: bytes) -> str:
    """Decode the text; beside the numbers only names may be misread, and those are then unknown."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _numbers(
    lines: list[str],
    start: TableStart,
    chosen: list[int],
    layout: Layout,
    shift: int,
    *,
    record: str,
) -> npt.NDArray[np.float64]:
    """Return the chosen columns, shape (L, T)."""
    try:
        import pandas as pd
    except ImportError as error:
        problem = "CSV files need the package pandas; pip install pandas"
        raise RecordError("reader_missing", record=record, problem=problem) from error
    rows, n_columns = lines[start.first :], len(start.names)
    surplus = bool(rows) and len(split_cells(rows[0], start.delimiter)) == n_columns + 1
    trailing = surplus and rows[0].rstrip().endswith(start.delimiter)
    for number, row in enumerate(rows, start=start.first + 1 + shift):
        n_cells = len(row.split()) if start.delimiter == " " else row.count(start.delimiter) + 1
        if n_cells != n_columns + trailing and '"' not in row:
            problem = f"line {number} has {n_cells} cells for {n_columns} columns"
            code = "size_mismatch" if number == start.first + 1 + shift else "file_invalid"
            raise RecordError(code, record=record, problem=problem)
    decimal = layout.decimal or _decimal(rows, start.delimiter, shift, start.first, record=record)
    words = [form for word in MISSING for form in (word, word.lower(), word.upper())]
    try:
        table = pd.read_csv(
            io.StringIO("\n".join(rows)),
            sep=r"\s+" if start.delimiter == " " else start.delimiter,
            header=None,
            usecols=chosen,
            dtype=np.float64,
            decimal=decimal,
            na_values=["", *words],
            keep_default_na=False,
            skipinitialspace=True,
            skip_blank_lines=False,
        )
    except (ValueError, OverflowError) as error:  # pandas' own errors are ValueErrors
        raise _odd_cell(rows, start, chosen, shift, str(error), record=record) from error
    signals = table[sorted(chosen)].to_numpy().T
    if not signals.size:
        raise RecordError("size_mismatch", record=record, problem="it has no line of numbers")
    return np.asarray(signals, dtype=np.float64)


def _decimal(rows: list[str], delimiter: str, shift: int, first: int, *, record: str) -> str:
    """Tell decimal commas from points by all cells; refuse what could be thousands."""
    if delimiter == "," and '"' not in rows[0] if rows else True:
        return "."
    text = "\n".join(rows)
    if "," not in text:
        return "."
    quoted = delimiter == ","
    cells = (
        re.findall(r'"([^"\n]*)"', text)
        if quoted
        else [cell for row in rows for cell in split_cells(row, delimiter)]
    )
    commas = [cell for cell in cells if "," in cell]
    if not commas:
        return "."
    if any("." in cell for cell in cells) or all(map(_THOUSANDS.fullmatch, commas)):
        problem = (
            f"line {first + 1 + shift} and others hold numbers such as {commas[0][:20]!r}, whose "
            'comma may be decimal or between thousands; write "decimal": "," into the layout, or '
            "decimal points into the file"
        )
        raise invalid(problem, record=record)
    return ","


def _odd_cell(
    rows: list[str], start: TableStart, chosen: list[int], shift: int, reason: str, *, record: str
) -> RecordError:
    """Name the first line and cell that are no number."""
    for number, row in enumerate(rows, start=start.first + 1 + shift):
        cells = split_cells(row, start.delimiter)
        odd = [
            cells[i]
            for i in chosen
            if i < len(cells) and not is_number(cells[i]) and not is_missing(cells[i])
        ]
        if odd:
            problem = (
                f"line {number} holds {odd[0][:40]!r}; expected a number; remove the line, or "
                'write "skip_lines" into the layout where it stands above the numbers'
            )
            return RecordError("file_invalid", record=record, problem=problem)
    short = " ".join(reason.split())[:120]
    return invalid(f"it is no table of numbers ({short})", record=record)
