"""Read ECGs as text: a table whose layout file says what the numbers mean."""

import io
import re
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from data_modules.reading.formats.layout import Layout
from data_modules.reading.lead_names import known_lead
from data_modules.reading.limits import check_extent
from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import RawRecording
from data_modules.reading.stated_numbers import invalid
from data_modules.reading.text_cells import MISSING, is_missing, split_separator
from data_modules.reading.units import mv_per_unit

_DELIMITERS = ("\t", ";", ",", "|", " ")  # a blank stands for any number of blanks
_NUMBER = re.compile(r"[-+]?(\d+[.,]?\d*|[.,]\d+)([eE][-+]?\d{1,3})?", re.ASCII)
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2},\d{3}", re.ASCII)
_MOST_TEXT_LINES = 200
_LONGEST_LINE = 8192


class _Start(NamedTuple):
    """Where the numbers begin: columns by name, the line (from 0), what divides the cells."""

    names: tuple[str, ...]
    first: int
    delimiter: str


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
    start = _find_start(head, layout, stated, shift, record=record)
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


def _cells(line: str, delimiter: str) -> list[str]:
    parts = line.split() if delimiter == " " else line.split(delimiter)
    return [part.strip(" \t\"'") for part in parts]


def _find_start(head: list[str], layout: Layout, stated: str, shift: int, *, record: str) -> _Start:
    """Find the columns' names and the first line of numbers behind the skipped lines."""
    position = layout.skip_lines
    while position < len(head) and not head[position].strip():
        position += 1
    if position >= len(head):
        raise invalid("it holds no table of numbers", record=record)
    delimiters = (stated,) if stated else _DELIMITERS
    if layout.leads:
        found = _start_of_named(head, position, layout, delimiters)
        if found is not None:
            return found
        raise _no_numbers(head, position, layout, shift, record=record)
    line = head[position]
    leads = {one: sum(map(_is_lead, _cells(line, one))) for one in delimiters}
    delimiter = max(delimiters, key=lambda one: leads[one])
    if not leads[delimiter]:
        later = [
            k
            for k in range(position + 1, len(head))
            if any(sum(map(_is_lead, _cells(head[k], one))) > 1 for one in delimiters)
        ]
        if later:
            raise _text_above(position, later[0], shift, "the names", record=record)
        # text above the table may name the patient, so only a line of names is shown
        numbers = [
            k
            for k in range(position, len(head))
            if head[k].strip()
            and any(all(map(_is_number, _cells(head[k], one))) for one in delimiters)
        ]
        if not numbers or numbers[0] > position + 2:
            where = f"the numbers begin in line {numbers[0] + 1 + shift}" if numbers else "none do"
            problem = (
                f"line {position + 1 + shift} holds no lead's name, and {where}; write "
                '"skip_lines" and "leads" into the layout, or remove the lines above the table'
            )
            raise RecordError("no_known_lead", record=record, problem=problem)
        delimiter = max(delimiters[:-1] or delimiters, key=line.count)
        cells = _cells(line, delimiter)
        if all(map(_is_number, cells)):
            problem = f'line {position + 1 + shift} holds no names; write "leads" into the layout'
            raise RecordError("no_known_lead", record=record, problem=problem)
        listed = ", ".join(cells)[:200]
        problem = f"no column is one of the twelve leads; line {position + 1 + shift} has {listed}"
        raise RecordError("no_known_lead", record=record, problem=problem)
    names = tuple(_cells(line, delimiter))
    first = _after_units(
        head,
        position + 1,
        names=names,
        delimiter=delimiter,
        layout=layout,
        shift=shift,
        record=record,
    )
    return _Start(names, first, delimiter)


def _start_of_named(
    head: list[str], position: int, layout: Layout, delimiters: tuple[str, ...]
) -> _Start | None:
    """Return where the numbers begin if they begin here; the layout names the columns."""
    for delimiter in delimiters:
        cells = _cells(head[position], delimiter)
        if len(cells) == len(layout.leads) + 1 and not cells[-1]:
            cells.pop()
        if len(cells) != len(layout.leads):
            continue
        if [known_lead(cell) for cell in cells] == [known_lead(lead) for lead in layout.leads]:
            return _Start(layout.leads, position + 1, delimiter)  # a line of the same names
        if any(map(_is_number, cells)) or all(map(is_missing, cells)):
            return _Start(layout.leads, position, delimiter)
    numbers = [one for one in delimiters if all(map(_is_number, _cells(head[position], one)))]
    if numbers:  # another number of columns than leads: said when they are counted
        return _Start(layout.leads, position, numbers[0])
    return None


def _after_units(
    head: list[str],
    position: int,
    *,
    names: tuple[str, ...],
    delimiter: str,
    layout: Layout,
    shift: int,
    record: str,
) -> int:
    """Return the line behind a line of units, which must agree with the layout."""
    cells = _cells(head[position], delimiter) if position < len(head) else []
    leads = [(name, cell) for name, cell in zip(names, cells, strict=False) if known_lead(name)]
    if len(cells) != len(names) or any(mv_per_unit(cell) is None for _, cell in leads):
        return position
    for name, unit in leads:
        if mv_per_unit(unit) != mv_per_unit(layout.unit):
            problem = (
                f"line {position + 1 + shift} gives {name} in {unit}, the layout in "
                f"{layout.unit[:20]}; correct the wrong one"
            )
            raise RecordError("unit_unknown", record=record, problem=problem)
    return position + 1


def _numbers(
    lines: list[str],
    start: _Start,
    chosen: list[int],
    layout: Layout,
    shift: int,
    *,
    record: str,
) -> npt.NDArray[np.float64]:
    """Return the chosen columns, shape (L, T)."""
    import pandas as pd

    rows, n_columns = lines[start.first :], len(start.names)
    surplus = bool(rows) and len(_cells(rows[0], start.delimiter)) == n_columns + 1
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
        else [cell for row in rows for cell in _cells(row, delimiter)]
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
    rows: list[str], start: _Start, chosen: list[int], shift: int, reason: str, *, record: str
) -> RecordError:
    """Name the first line and cell that are no number."""
    for number, row in enumerate(rows, start=start.first + 1 + shift):
        cells = _cells(row, start.delimiter)
        odd = [
            cells[i]
            for i in chosen
            if i < len(cells) and not _is_number(cells[i]) and not is_missing(cells[i])
        ]
        if odd:
            problem = (
                f"line {number} holds {odd[0][:40]!r}; expected a number; remove the line, or "
                'write "skip_lines" into the layout where it stands above the numbers'
            )
            return RecordError("file_invalid", record=record, problem=problem)
    short = " ".join(reason.split())[:120]
    return invalid(f"it is no table of numbers ({short})", record=record)


def _no_numbers(
    head: list[str], position: int, layout: Layout, shift: int, *, record: str
) -> RecordError:
    n_leads = len(layout.leads)
    for k in range(position + 1, len(head)):
        for delimiter in _DELIMITERS:
            cells = _cells(head[k], delimiter)
            one_comma = n_leads == 1 and _is_number(head[k].strip().strip('"'))
            if (len(cells) == n_leads and all(map(_is_number, cells))) or one_comma:
                return _text_above(position, k, shift, "the numbers", record=record)
    problem = (
        f"line {position + 1 + shift} is no row of {n_leads} numbers, and "
        "none follows; name the columns in the layout's leads"
    )
    return RecordError("file_invalid", record=record, problem=problem)


def _text_above(position: int, found: int, shift: int, what: str, *, record: str) -> RecordError:
    """Return the error of lines of text above the table."""
    problem = (
        f"line {position + 1 + shift} is no row of names or numbers; {what} begin "
        f'in line {found + 1 + shift}: write "skip_lines": {found} into the layout, or remove the '
        "lines above"
    )
    return RecordError("file_invalid", record=record, problem=problem)


def _is_lead(cell: str) -> bool:
    return known_lead(cell) is not None


def _is_number(cell: str) -> bool:
    return _NUMBER.fullmatch(cell) is not None
