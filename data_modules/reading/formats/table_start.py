"""Find the columns' names and the first line of numbers in a text table."""

import csv
import re
from typing import NamedTuple

from data_modules.reading.formats.layout import Layout
from data_modules.reading.lead_names import known_lead
from data_modules.reading.reasons import RecordError
from data_modules.reading.stated_numbers import invalid
from data_modules.reading.text_cells import is_missing
from data_modules.reading.units import mv_per_unit

DELIMITERS = ("\t", ";", ",", "|", " ")  # a blank stands for any number of blanks
_NUMBER = re.compile(r"[-+]?(\d+[.,]?\d*|[.,]\d+)([eE][-+]?\d{1,3})?", re.ASCII)


class TableStart(NamedTuple):
    """Where the numbers begin: columns by name, the line (from 0), what divides the cells."""

    names: tuple[str, ...]
    first: int
    delimiter: str


def find_start(
    head: list[str], layout: Layout, stated: str, shift: int, *, record: str
) -> TableStart:
    """Find the columns' names and the first line of numbers behind the skipped lines."""
    position = layout.skip_lines
    while position < len(head) and not head[position].strip():
        position += 1
    if position >= len(head):
        raise invalid("it holds no table of numbers", record=record)
    delimiters = (stated,) if stated else DELIMITERS
    if layout.leads:
        found = _start_of_named(head, position, layout, delimiters, shift, record=record)
        if found is not None:
            first = _after_units(
                head, found.first, names=found.names, delimiter=found.delimiter, layout=layout,
                shift=shift, record=record,
            )  # fmt: skip
            return found._replace(first=first)
        raise _no_numbers(head, position, layout, shift, record=record)
    line = head[position]
    _refuse_rows(head, position, delimiters, shift, record=record)
    leads = {one: sum(map(_is_lead, split_cells(line, one))) for one in delimiters}
    delimiter = max(delimiters, key=lambda one: leads[one])
    if not leads[delimiter]:
        raise _no_names(head, position, delimiters, shift, record=record)
    # programs of numbers mark a line of names as a remark: `# I,II`
    names = tuple(split_cells(line.lstrip("#% "), delimiter))
    names = names if names[-1] else names[:-1]  # a delimiter at the end of the line
    first = _after_units(
        head, position + 1, names=names, delimiter=delimiter, layout=layout, shift=shift,
        record=record,
    )  # fmt: skip
    return TableStart(names, first, delimiter)


def _refuse_rows(
    head: list[str], position: int, delimiters: tuple[str, ...], shift: int, *, record: str
) -> None:
    """Refuse a table with one line for each lead."""
    for delimiter in delimiters:
        cells = split_cells(head[position], delimiter)
        if len(cells) > 2 and _is_lead(cells[0]) and all(map(is_number, cells[1:4])):
            problem = (
                f"line {position + 1 + shift} begins with {cells[0]} and goes on with numbers: the "
                "leads stand in lines; expected a column for each lead: transpose the table"
            )
            raise RecordError("file_invalid", record=record, problem=problem)


def _no_names(
    head: list[str], position: int, delimiters: tuple[str, ...], shift: int, *, record: str
) -> RecordError:
    """Return the error of a table whose line of names, where there is one, names no lead."""
    line = head[position]
    later = [
        k
        for k in range(position + 1, len(head))
        if any(sum(map(_is_lead, split_cells(head[k], one))) > 1 for one in delimiters)
    ]
    if later:
        return _text_above(position, later[0], shift, "the names", record=record)
    # text above the table may name the patient, so only a line of names is shown
    numbers = [
        k
        for k in range(position, len(head))
        if head[k].strip()
        and any(all(map(is_number, split_cells(head[k], one))) for one in delimiters)
    ]
    if not numbers or numbers[0] > position + 2:
        where = f"the numbers begin in line {numbers[0] + 1 + shift}" if numbers else "none do"
        problem = (
            f"line {position + 1 + shift} holds no lead's name, and {where}; write "
            '"skip_lines" and "leads" into the layout, or remove the lines above the table'
        )
        return RecordError("no_known_lead", record=record, problem=problem)
    delimiter = max(delimiters[:-1] or delimiters, key=line.count)
    cells = split_cells(line, delimiter)
    if all(map(is_number, cells)):
        problem = f'line {position + 1 + shift} holds no names; write "leads" into the layout'
        return RecordError("no_known_lead", record=record, problem=problem)
    listed = ", ".join(cells)[:200]
    problem = f"no column is one of the twelve leads; line {position + 1 + shift} has {listed}"
    return RecordError("no_known_lead", record=record, problem=problem)


def _other_names(line: int, cells: list[str], layout: Layout, *, record: str) -> RecordError:
    problem = (
        f"line {line} names the columns {', '.join(cells)[:100]}, the layout's leads "
        f"{', '.join(layout.leads)[:100]}; correct the wrong ones, or leave leads out of the layout"
    )
    return RecordError("file_invalid", record=record, problem=problem)


def _start_of_named(
    head: list[str],
    position: int,
    layout: Layout,
    delimiters: tuple[str, ...],
    shift: int,
    *,
    record: str,
) -> TableStart | None:
    """Return where the numbers begin if they begin here; the layout names the columns."""
    wanted = [known_lead(lead) for lead in layout.leads if known_lead(lead)]
    for delimiter in delimiters:
        cells = split_cells(head[position], delimiter)
        if len(cells) == len(layout.leads) + 1 and not cells[-1]:
            cells.pop()
        found = [known_lead(cell) for cell in cells if known_lead(cell)]
        if found and found == wanted:
            return TableStart(tuple(cells), position + 1, delimiter)  # a line of the same names
        if len(found) > 1 and not any(map(is_number, cells)):
            raise _other_names(position + 1 + shift, cells, layout, record=record)
        if len(cells) != len(layout.leads):
            continue
        if any(map(is_number, cells)) or all(map(is_missing, cells)):
            return TableStart(layout.leads, position, delimiter)
    numbers = [one for one in delimiters if all(map(is_number, split_cells(head[position], one)))]
    if numbers:  # another number of columns than leads: said when they are counted
        return TableStart(layout.leads, position, numbers[0])
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
    cells = split_cells(head[position], delimiter) if position < len(head) else []
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


def _no_numbers(
    head: list[str], position: int, layout: Layout, shift: int, *, record: str
) -> RecordError:
    n_leads = len(layout.leads)
    for k in range(position + 1, len(head)):
        for delimiter in DELIMITERS:
            cells = split_cells(head[k], delimiter)
            one_comma = n_leads == 1 and is_number(head[k].strip().strip('"'))
            if (len(cells) == n_leads and all(map(is_number, cells))) or one_comma:
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


def split_cells(line: str, delimiter: str) -> list[str]:
    """Return the cells of a line without blanks and quotes around them."""
    if '"' in line:
        try:
            parts = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
        except csv.Error:
            parts = line.split(delimiter)
    else:
        parts = line.split() if delimiter == " " else line.split(delimiter)
    return [part.strip(" \t\"'") for part in parts]


def _is_lead(cell: str) -> bool:
    return known_lead(cell) is not None


def is_number(cell: str) -> bool:
    """Tell whether a cell is a number, with a point or a comma."""
    return _NUMBER.fullmatch(cell) is not None
