"""Tell the numbers of a workbook that it shows otherwise than it stores them (25 % is 0.25)."""

import html
import re
import unicodedata

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
    for (row, column), code in formatted.items():
        if row > header and not _adds_the_unit_alone(code, _name(rows, column)):
            columns.setdefault(column, []).append(row)
    return [_line(column, found, formatted, rows) for column, found in sorted(columns.items())]


def _adds_the_unit_alone(code: str, name: str) -> bool:
    """Whether a format shows nothing else than the unit in which the column's name ends."""
    shown = _SILENT.sub("", code.split(";", 1)[0])
    texts = "".join(text for found in _LITERAL.findall(shown) for text in found)
    unit = re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", texts).casefold())
    words = [word for word in re.split(r"[\W_]+", name.casefold()) if word]
    ends = {"".join(words[first:]) for first in range(1, len(words))}
    return unit in ends and not changes(_LITERAL.sub("", shown))


def _name(rows: dict[int, list[str]], column: int) -> str:
    names = rows[min(rows)]
    return names[column] if column < len(names) else f"column {column + 1}"


def _line(
    column: int,
    found: list[int],
    formatted: dict[tuple[int, int], str],
    rows: dict[int, list[str]],
) -> str:
    name, first = _name(rows, column), found[0]
    n_filled = sum(column < len(cells) and bool(cells[column]) for cells in rows.values()) - 1
    among = f" of {n_filled}" if n_filled > len(found) else ""
    return (
        f"{name}: {counted(len(found), 'number')}{among} shown in another way than stored, the "
        f"first in row {first}: {rows[first][column]} in the format {formatted[first, column]!r}; "
        "the stored number was read, so look whether it is the one that is meant"
    )
