"""Read cells in the spellings that spreadsheets write, with a note on every kind of change."""

import math
import re
from collections.abc import Iterable

import pandas as pd

from data_modules.cohort.columns import DATES, NUMBER, NUMBER_RANGES, REQUIRED
from data_modules.cohort.csv_cells import decimal_commas, thousands_points
from data_modules.reading.text_cells import MISSING_PATTERN
from lsemvae.core.counted import counted

_COMMA_NUMBER = r"[-+]?(?:[0-9]+[.,]?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
# Words behind the sign, such as "= see letter", "=> repeat" and "@ 3 months": with a blank, and
# without cell, function, name of several parts and operator (a hyphen between letters is none)
_COMPUTES = (
    r"\b[A-Za-z]{1,3}\d|\w ?\(|[-=>+*/^&!|<%$#\"'_\[\]{}]"
    r"(?<!(?<=[^\W\d_])-(?=[^\W\d_]))"
)
_PROSE = rf"[=@](?=.* )[=>]*(?!.*(?:{_COMPUTES})).*[^\W\d_]{{2}}"
_SIGN_AND_TEXT = rf"[+-].*[A-Za-z(=!|]|{_PROSE}"
# As R and Excel write them, and Excel in German, French, Italian, Spanish and Portuguese.
_PAIRS = (("true", "false"), ("t", "f"), ("yes", "no"), ("y", "n"), ("j", "n"),
          ("positive", "negative"), ("pos", "neg"), ("wahr", "falsch"), ("ja", "nein"),
          ("vrai", "faux"), ("oui", "non"), ("vero", "falso"), ("verdadero", "falso"),
          ("verdadeiro", "falso"), ("s\u00ed", "no"), ("si", "no"),
          ("sim", "n\u00e3o"), ("ja", "nej"), ("tak", "nie"), ("evet", "hay\u0131r"),
          ("checked", "unchecked"))  # fmt: skip
_MOST_WORDS = 6
_AS_NUMBER = {word: str(1 - i) for pair in _PAIRS for i, word in enumerate(pair)}


def plain_records(table: pd.DataFrame) -> list[str]:
    """Write records as paths with `/` and without `.hea`; return a line for each kind of change."""
    if "record" not in table:
        return []
    notes = []
    cells = table["record"]
    slashes = cells.str.contains("\\", regex=False) & ~cells.str.match(r"[A-Za-z]:|\\\\")
    if slashes.any():
        cells = cells.where(~slashes, cells.str.replace("\\", "/", regex=False))
        notes.append(f"record: backslashes were read as / in {counted(slashes.sum(), 'row')}")
    header = cells.str.match(r".*[^/]\.hea$", flags=re.IGNORECASE)
    if header.any():
        cells = cells.where(~header, cells.str.slice(stop=-len(".hea")))
        notes.append(f"record: the ending .hea was left out in {counted(header.sum(), 'row')}")
    table["record"] = cells
    return notes


def empty_missing_words(table: pd.DataFrame, names: Iterable[str]) -> list[str]:
    """Empty the cells of numbers, dates and sexes that hold a word for a missing value."""
    notes = []
    for name in names:
        cells = table[name]
        words = cells.str.fullmatch(MISSING_PATTERN)
        others = cells[~words & (cells != "")]
        number = others.str.fullmatch(_COMMA_NUMBER)
        known = name in (*NUMBER_RANGES, *DATES, "sex")
        if words.any() and (known or (len(others) > 0 and number.all())):
            table[name] = cells.where(~words, "")
            found = ", ".join(sorted(set(cells[words]))[:5])
            notes.append(f"{name}: read as empty: {counted(words.sum(), 'cell')} with {found}")
    return notes


def read_truth_values(table: pd.DataFrame, names: Iterable[str]) -> list[str]:
    """Turn columns of TRUE and FALSE, or yes and no, into 1 and 0; return one line for each.

    In the languages of `_PAIRS`.
    """
    notes = []
    for name in names:
        lower = table[name].str.lower()
        filled = set(lower[~lower.str.fullmatch(MISSING_PATTERN) & (lower != "")])
        if name in NUMBER_RANGES or not filled or not any(filled <= set(pair) for pair in _PAIRS):
            continue
        table[name] = lower.map(lambda cell: _AS_NUMBER.get(cell, ""))
        words = ", ".join(f"{word} as {_AS_NUMBER[word]}" for word in sorted(filled))
        notes.append(f"{name}: words were read as numbers, {words}")
    return notes


def mixed_truths(table: pd.DataFrame) -> dict[str, str]:
    """Say for each column of text which words of several pairs, or words and numbers, it mixes.

    Returns:
        The remark for each such column: none of them can be a label.
    """
    told = {}
    for name in table.columns.difference([*REQUIRED, "sex", *NUMBER_RANGES, *DATES], sort=False):
        cells = table[name]
        if not pd.api.types.is_string_dtype(cells):
            continue
        filled = cells[~cells.str.fullmatch(MISSING_PATTERN) & (cells != "")]
        lower = set(filled.str.lower())
        one_way = any(lower <= set(pair) for pair in (("0", "1"), *_PAIRS))
        if lower <= {*_AS_NUMBER, "0", "1"} and not one_way:
            held = ", ".join(sorted(set(filled))[:_MOST_WORDS])
            told[name] = (
                f"{name} mixes {held}; it was read as text and can be no label: write 0 and 1 in "
                "all cells"
            )
    return told


def neutralise(table: pd.DataFrame) -> list[str]:
    """Put an apostrophe before free text that begins with a sign, so that no spreadsheet runs it.

    What may be a formula that was never computed (`=B2/12`, `@SUM(A1)`) stays a problem.
    """
    notes = []
    for name in table.columns.difference([*REQUIRED, *NUMBER_RANGES, *DATES], sort=False):
        cells = table[name]
        signs = cells.str.match(_SIGN_AND_TEXT) & ~cells.str.fullmatch(NUMBER)
        if signs.any():
            table[name] = cells.where(~signs, "'" + cells)
            rows = ", ".join(map(str, table.index[signs][:5]))
            notes.append(
                f"{name}: {counted(signs.sum(), 'cell begins', 'cells begin')} with a formula sign "
                f"(row {rows}); an apostrophe was put before them"
            )
    return notes


def read_decimal_commas(table: pd.DataFrame, names: Iterable[str]) -> list[str]:
    """Turn decimal commas into points where a column is clear; return one line for each."""
    notes = []
    for name in names:
        cells = table[name]
        commas = decimal_commas(cells)
        quantities = commas | (cells == "") | cells.str.fullmatch(r"[-+]?\d+")
        if commas.any() and (name in NUMBER_RANGES or quantities.all()):
            table[name] = cells.where(~commas, cells.str.replace(",", ".", regex=False))
            notes.append(f"{name}: {commas.sum()} decimal commas were read as decimal points")
    return notes


def tell_thousands(
    table: pd.DataFrame, names: Iterable[str], delimiter: str, *, commas: bool
) -> tuple[list[str], list[str]]:
    """Find points that may stand between thousands, before numbers are read.

    Args:
        table: text.
        names: of the columns of numbers.
        delimiter: between the cells; semicolons speak for decimal commas.
        commas: other columns have decimal commas, so that a point can be no decimal one.

    Returns:
        A problem for each column where the table has decimal commas; else a note for each.
    """
    found = []
    for name in names if commas or delimiter == ";" else ():
        cells = table[name]
        points = thousands_points(cells)
        others = cells[~points & (cells != "")]
        if not points.any() or not others.str.fullmatch(NUMBER).all():
            continue
        row = cells.index[points][0]
        plain = cells[row].replace(".", "")
        low, high = NUMBER_RANGES.get(name, (-math.inf, math.inf))
        if low <= float(plain) <= high:
            step = f"{name} is {cells[row]!r}; if it means {plain}, write that"
            found.append(
                f"row {row}: {step}: in this table commas are the decimal signs"
                if commas
                else f"{step}: {counted(points.sum(), 'point')} read as decimal (row {row})"
            )
    return (found, []) if commas else ([], found)
