"""Find sexes that stand as codes or in several words."""

import pandas as pd

from data_modules.reading.text_cells import SEX
from lsemvae.core.findings import Finding

_MOST_SHOWN = 6


def check_sexes(table: pd.DataFrame) -> list[Finding]:
    """Return what is doubtful about the sexes of a table as a whole."""
    if "sex" not in table:
        return []
    words = [word for word in table["sex"].dropna().astype(str).unique() if word]
    told = sex_codes(words) or _several_words(words)
    return [Finding("sex", ("all rows",), told)] if told else []


def sex_codes(words: list[str]) -> str:
    """Return a sentence where sexes are written as numbers; empty where they are not."""
    codes = sorted({word for word in words if word.removesuffix(".0").isdecimal()})
    if not codes:
        return ""
    return (
        f"sex is written as {', '.join(map(repr, codes[:_MOST_SHOWN]))}, and tables would have "
        "groups of these names. In ISO 5218 1 is male and 2 female; others write 0 or 1 for "
        "either: look up what yours means, and write F and M"
    )


def _several_words(words: list[str]) -> str:
    """Return a sentence on one sex under several words, which would be several groups."""
    if len({SEX.get(word.casefold(), word) for word in words}) == len(words) <= 2:
        return ""
    return f"sex is written as {', '.join(map(repr, words[:_MOST_SHOWN]))}; write F and M"
