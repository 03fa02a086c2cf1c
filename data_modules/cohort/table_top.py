"""Find what stands around the names of a table's columns: text, units, numbers of rows."""

import re
from collections import Counter
from pathlib import Path

from data_modules.cohort.columns import NUMBER
from data_modules.reading.text_cells import are_units, is_missing
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError


def refuse_text_above(rows: dict[int, list[str]], path: str | Path) -> None:
    """Refuse lines of text above the names of the columns, which would be taken for them.

    Args:
        rows: rows of text by their number in the spreadsheet.
        path: of the file, for the message.

    Raises:
        InputError: the first row has one cell, or at most half of what most rows have.
    """
    n_filled = {number: sum(map(bool, row)) for number, row in rows.items()}
    first, *others = n_filled
    wide = [number for number in others if n_filled[number] > 1]
    begins = wide[0] if n_filled[first] == 1 and wide and n_filled[wide[0]] > 2 else None
    width, times = Counter(map(len, rows.values())).most_common(1)[0]
    if begins is None and times > 2 and width > 2 and 2 * len(rows[first]) <= width:
        begins = next(number for number, row in rows.items() if len(row) == width)
    if begins is not None:
        raise InputError(
            f"{path}: row {first} is no line of column names; the table seems to begin in row "
            f"{begins}: remove the lines above it"
        )


def refuse_two_headers(rows: dict[int, list[str]], path: str | Path) -> None:
    """Refuse a line of groups above the names of the columns, with empty or repeated cells.

    Raises:
        InputError: the second row is full, without numbers, and each of its cells stands once.
    """
    (first, groups), (second, names), *others = list(rows.items())
    loose = 2 * len(set(groups) - {""}) <= len(names)  # a group has at least two columns
    strict = all(names) and len(set(names)) == len(names) >= len(groups)
    if (
        not loose
        or not strict
        or any(is_missing(name) or re.match(r"[-+.\d]", name) for name in names)
    ):
        return
    if any(re.fullmatch(NUMBER, cell) for _, row in others for cell in row):
        raise InputError(
            f"{path}: row {first} has empty or repeated cells, and row {second} seems to hold the "
            f"names of the columns: remove row {first}"
        )


def refuse_lost_letters(rows: dict[int, list[str]], path: str | Path) -> None:
    """Refuse cells with the sign for a letter that could not be read: two ids may share it.

    Raises:
        InputError: with row and column.
    """
    names = rows[min(rows)]
    for number, row in rows.items():
        place = next((i for i, cell in enumerate(row) if "\ufffd" in cell), None)
        if place is not None:
            column = names[place] if place < len(names) else f"column {place + 1}"
            raise InputError(
                f"{path}: row {number} holds U+FFFD under {column!r}, the sign for a letter that "
                "an earlier program could not read and replaced; write the letter again, or "
                "export the table again"
            )


_TEXT_FORMULA = re.compile(r'="([^"]*)"')  # how exports keep a spreadsheet from changing a text
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")


def plain_texts(rows: dict[int, list[str]]) -> list[str]:
    """Write `="0012"` as its text, and names of columns without line breaks and unseen signs.

    Returns:
        A note on the texts, nothing where there are none.
    """
    header = rows[min(rows)]
    header[:] = [" ".join(_UNSEEN.sub("", name).split()) for name in header]
    n_changed = 0
    for row in rows.values():
        for place, cell in enumerate(row):
            if cell.startswith('="') and (found := _TEXT_FORMULA.fullmatch(cell)):
                row[place] = found[1].strip()
                n_changed += 1
    if not n_changed:
        return []
    said = counted(n_changed, 'cell such as ="12" was read', 'cells such as ="12" were read')
    return [f"{said} as the text in them"]


def refuse_units(rows: dict[int, list[str]], path: str | Path) -> None:
    """Refuse a line of units below the names, which is no recording.

    Raises:
        InputError: with the row.
    """
    number = list(rows)[1]
    units = [cell for cell in rows[number] if are_units([cell])]
    words = [cell for cell in rows[number] if not is_missing(cell) and cell not in units]
    plain = [unit for unit in units if len(unit.strip("[]()")) > 1]  # m may be a sex
    # a recording has a number, or digits in its name
    if len(plain) < (2 if words else 1) or re.search(r"\d", "".join(words)):
        return
    raise InputError(
        f"{path}: row {number} holds units ({', '.join(units)[:80]}) and no recording; compare "
        "them with what docs/cohort_table.md expects, and remove the row"
    )


def cut_empty_ends(rows: dict[int, list[str]], path: str | Path) -> None:
    """Take away the cells behind the last one that any row fills: some writers end rows so.

    Args:
        rows: rows of text by their number in the spreadsheet.
        path: of the file, for the message.

    Raises:
        InputError: one name is lacking, and it may be that of the first cells or of the last.
    """
    header, *others = rows.values()
    longer = {len(row) for row in others} == {len(header) + 1}
    if longer and _are_row_numbers(others) and not any(row[-1] for row in others):
        raise InputError(
            f"{path}: every row has one cell more than there are names; the first cells count the "
            "rows and the last are empty, and nobody can tell which of them has no name: remove "
            "the delimiter at the end of each row, or name the first column"
        )
    last = max(i for row in rows.values() for i, cell in enumerate(row) if cell)
    for row in rows.values():
        del row[last + 1 :]


def _are_row_numbers(rows: list[list[str]]) -> bool:
    """Whether the first cells count the rows from 0 or 1."""
    firsts = [row[0] for row in rows]
    return any(firsts == [str(i + k) for i in range(len(firsts))] for k in (0, 1))


def drop_row_names(rows: dict[int, list[str]]) -> list[str]:
    """Take a first column without name that counts the rows out of them, as R and pandas write.

    Returns:
        A note on it, nothing where there is no such column.
    """
    header, *others = rows.values()
    if _are_row_numbers(others) and {len(row) for row in others} == {len(header) + 1}:
        for row in others:
            del row[0]
        return ["the rows begin with their numbers, for which there is no name; they were left out"]
    names = [row[0] for row in others if len(row) == len(header)]
    if header[0] or len(header) < 2 or not all(re.fullmatch(r"\d{1,9}", name) for name in names):
        return []
    numbers = list(map(int, names))
    if numbers != sorted(set(numbers)):
        return []
    for row in rows.values():
        del row[0]
    return ["the first column has no name and counts the rows; it was left out"]
