"""Tell the numbers of a workbook that it shows otherwise than it stores them (25 % is 0.25)."""

import html
import re

from lsemvae.core.counted import counted

_CODE = re.compile(rb"\bformatCode=\"([^\"<>]{1,600})\"")
_PERCENT_STYLE = re.compile(rb"\bnumFmtId=\"(?:9|10)\"")  # 0% and 0.00%, which need no code
# what stands in a code and adds nothing: colours and languages, blanks as wide as a sign, fillers
_SILENT = re.compile(r"\[[^\]$]*\]|\[\$-[^\]]*\]|_.|\*.")
_LITERAL = re.compile(r"\"([^\"]*)\"|\\(.)|\[\$([^\]-]+)[^\]]*\]")
_SCALED = re.compile(r"[0#?],+(?![0#?,])")  # 0, shows thousands
_PADDED = re.compile(r"^ *00+(?![0.])")  # 0000 shows an id of 12 as 0012
_BARE = re.compile(r"[<>~\u2264\u2265\u00b1]")


def changes(code: str) -> bool:
    """Whether a format of numbers shows another number than the stored one, or text beside it."""
    shown = _SILENT.sub("", code.split(";", 1)[0])
    if code == "General" or not re.search(r"[0#?]", shown):
        return False
    if any(text.strip("-+() ") for found in _LITERAL.findall(shown) for text in found):
        return True
    rest = _LITERAL.sub("", shown)
    return "%" in rest or any(sign.search(rest) for sign in (_SCALED, _BARE, _PADDED))


def has_changing_format(styles: bytes) -> bool:
    """Whether the styles of a workbook hold such a format, so that its cells must be looked at."""
    codes = (html.unescape(code.decode("utf-8", "replace")) for code in _CODE.findall(styles))
    return bool(_PERCENT_STYLE.search(styles)) or any(map(changes, codes))


def tell_formats(formatted: dict[tuple[int, int], str], rows: dict[int, list[str]]) -> list[str]:
    """Return a line for each column of which the workbook shows other numbers than it stores.

    Args:
        formatted: formats of such cells, by row and column.
        rows: of the sheet, the first with the names of the columns.
    """
    header = min(rows)
    columns: dict[int, list[int]] = {}
    for row, column in formatted:
        if row > header:
            columns.setdefault(column, []).append(row)
    return [_line(column, found, formatted, rows) for column, found in sorted(columns.items())]


def _line(
    column: int,
    found: list[int],
    formatted: dict[tuple[int, int], str],
    rows: dict[int, list[str]],
) -> str:
    names, first = rows[min(rows)], found[0]
    name = names[column] if column < len(names) else f"column {column + 1}"
    n_filled = sum(column < len(cells) and bool(cells[column]) for cells in rows.values()) - 1
    among = f" of {n_filled}" if n_filled > len(found) else ""
    return (
        f"{name}: {counted(len(found), 'number')}{among} shown in another way than stored, the "
        f"first in row {first}: {rows[first][column]} in the format {formatted[first, column]!r}; "
        "the stored number was read, so look whether it is the one that is meant"
    )
