"""Read ECGs as text: a table whose layout file says what the numbers mean."""

import io
import re

import numpy as np
import numpy.typing as npt

from data_modules.reading.formats.layout import Layout
from data_modules.reading.formats.layout_checks import (
    check_rate_lines,
    check_unit_lines,
    check_whole,
)
from data_modules.reading.formats.table_rows import Rows, rows_of_numbers
from data_modules.reading.formats.table_start import TableStart, find_start, is_number, split_cells
from data_modules.reading.formats.table_times import check_times
from data_modules.reading.lead_names import known_lead, read_name
from data_modules.reading.limits import check_extent
from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import RawRecording
from data_modules.reading.stated_numbers import invalid
from data_modules.reading.text_cells import MISSING, is_missing, sniff_table
from data_modules.reading.units import mv_per_unit

_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2},\d{3}", re.ASCII)
_POINTED = re.compile(r"[-+]?[1-9]\d{0,2}\.\d{3}", re.ASCII)
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
    sniffed = sniff_table(content)
    stated, lines = sniffed.separator, sniffed.text.splitlines()
    while lines and not lines[-1].strip(" \t,;|"):
        lines.pop()
    head = [line[:_LONGEST_LINE] for line in lines[: layout.skip_lines + _MOST_TEXT_LINES]]
    # the message counts lines as an editor does
    shift = 1 if stated else 0
    start = find_start(head, layout, stated, shift, record=record)
    check_extent(len(start.names), len(lines), layout.sampling_rate_hz, record=record)
    rows, start = rows_of_numbers(lines, start, shift, record=record)
    chosen = [i for i, name in enumerate(start.names) if known_lead(name)]
    if not chosen:
        listed = ", ".join(start.names)[:200]
        problem = f"no column is one of the twelve leads; line {start.first + shift} has {listed}"
        raise RecordError("no_known_lead", record=record, problem=problem)
    signals = _numbers(rows, start, chosen, layout, record=record)
    units = {read_name(start.names[i]).unit for i in chosen} - {None}
    if all(mv_per_unit(unit) == mv_per_unit(layout.unit) for unit in units):
        check_whole(signals, layout, record=record)  # another unit is refused below, by its name
    check_rate_lines(head[: start.first], layout, record=record)
    check_unit_lines(head[: start.first], layout, record=record)
    check_times(rows, start, layout.sampling_rate_hz, record=record)
    return RawRecording(
        names=tuple(start.names[i] for i in chosen),
        signals=signals / layout.counts_per_unit,
        units=(layout.unit,) * len(chosen),
        sampling_rate_hz=layout.sampling_rate_hz,
        ignored=tuple(name for i, name in enumerate(start.names) if i not in chosen),
    )


def _numbers(
    rows: Rows, start: TableStart, chosen: list[int], layout: Layout, *, record: str
) -> npt.NDArray[np.float64]:
    """Return the chosen columns, shape (L, T)."""
    try:
        import pandas as pd
    except ImportError as error:
        problem = "CSV files need the package pandas; pip install pandas"
        raise RecordError("reader_missing", record=record, problem=problem) from error
    decimal = layout.decimal or _decimal(rows, start.delimiter, record=record)
    if not layout.decimal and start.delimiter != ",":
        _refuse_thousands(rows, start.delimiter, chosen, record=record)
    words = [form for word in MISSING for form in (word, word.lower(), word.upper())]
    try:
        table = pd.read_csv(
            io.StringIO("\n".join(rows.values())),
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
        raise _odd_cell(rows, start, chosen, str(error), record=record) from error
    return np.asarray(table[sorted(chosen)].to_numpy().T, dtype=np.float64)


def _decimal(rows: Rows, delimiter: str, *, record: str) -> str:
    """Tell decimal commas from points by all cells; refuse what could be thousands."""
    first = next(iter(rows))
    if delimiter == "," and '"' not in rows[first]:
        return "."
    text = "\n".join(rows.values())
    if "," not in text:
        return "."
    quoted = delimiter == ","
    cells = (
        re.findall(r'"([^"\n]*)"', text)
        if quoted
        else [cell for row in rows.values() for cell in split_cells(row, delimiter)]
    )
    commas = [cell for cell in cells if "," in cell]
    if not commas:
        return "."
    both = next((cell for cell in commas if "." in cell), None)
    if both is not None:
        problem = (
            f"{both[:20]!r} in line {first} or below has a comma between thousands beside its "
            "decimal point; write the numbers without commas"
        )
        raise invalid(problem, record=record)
    if any("." in cell for cell in cells) or all(map(_THOUSANDS.fullmatch, commas)):
        problem = (
            f"line {first} and others hold numbers such as {commas[0][:20]!r}, whose "
            'comma may be decimal or between thousands; write "decimal": "," into the layout, or '
            "decimal points into the file"
        )
        raise invalid(problem, record=record)
    return ","


def _refuse_thousands(rows: Rows, delimiter: str, chosen: list[int], *, record: str) -> None:
    """Refuse 1.234 beside 560: a point that may stand between thousands."""
    whole, marked = False, ""
    for number, row in rows.items() if any("." in row for row in rows.values()) else ():
        cells = split_cells(row, delimiter)
        for cell in (cells[i] for i in chosen):
            if "." not in cell:
                whole |= bool(cell)
            elif _POINTED.fullmatch(cell) is None:
                return  # a decimal point, so all others are
            else:
                marked = marked or f"{cell[:20]!r} in line {number}"
    if whole and marked:
        problem = (
            f"{marked} stands beside whole numbers: its point may be decimal or between thousands; "
            'write "decimal": "." into the layout, or the numbers without marks between thousands'
        )
        raise invalid(problem, record=record)


def _odd_cell(
    rows: Rows, start: TableStart, chosen: list[int], reason: str, *, record: str
) -> RecordError:
    """Name the first line and cell that are no number."""
    for number, row in rows.items():
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
