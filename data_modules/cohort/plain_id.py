"""Write a patient's id as all its spellings have in common, and tell one that has lost digits."""

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache

# Blanks and what nobody sees: soft hyphens, joiners, marks of direction, variation selectors.
_UNSEEN = re.compile(
    r"[\s\u00ad\u034f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]+"
)
_DASHES = re.compile("[\u2010-\u2015\u2212]")
_QUOTES = "'\"`\u2018\u2019\u201c\u201d"  # an apostrophe keeps a spreadsheet from counting
# Capital letters of Russian and Greek keyboards that look like ours, in lower case.
_LOOK_ALIKE = str.maketrans(
    "\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0445\u0443\u0456"
    "\u03b1\u03b2\u03b5\u03b7\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7",
    "abekmhopctxyi" "abehikmnoptyx",
)  # fmt: skip
_EXPONENT = re.compile(r"[+-]?(\d+)(?:[.,](\d+))?e\+?(\d{1,2})")
_DECIMALS = re.compile(r"[+-]?\d+[.,]\d*")
# 1,234 and 1.234.567; 1.234 may be a decimal, and so is 1,000 where it ends in zeros
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:(?:,\d{3})+|(?:\.\d{3}){2,}|(?:'\d{3})+)")
# Zeros that begin a number: 007 and P007, but neither 100 nor the .05 of 1.05.
_LEADING_ZEROS = re.compile(r"(?<![\d.,])0+(?=\d)")
_CUT = 3  # significant digits from which an exponent speaks of a number that was shortened
EXACT_DIGITS = 15  # that a spreadsheet keeps of a number


@lru_cache(maxsize=1 << 16)
def plain_id(text: str) -> str:
    """Write an id so that all its spellings are equal.

    Args:
        text: as a table, a list or a file states it.

    Returns:
        Lower case without quotes, blanks, unseen characters and leading zeros; wide and foreign
        digits and letters that look like ours as ours; numbers without exponents, marks of
        thousands and zeros that end their decimals.
    """
    if text.isascii() and text.isdigit():
        return text.lstrip("0") or "0"
    plain = _in_our_letters(text)
    if _EXPONENT.fullmatch(plain):
        plain = _spelt_out(plain)
    elif _THOUSANDS.fullmatch(plain) and not re.fullmatch(r"\d+[.,]0+", plain):
        plain = re.sub(r"[.,']", "", plain)
    elif _DECIMALS.fullmatch(plain):
        plain = plain.rstrip("0").rstrip(".,").replace(",", ".")
    return _LEADING_ZEROS.sub("", plain)


def shortened(text: str) -> bool:
    """Tell whether a spreadsheet has cut the last digits of a number: 1.23457E+11."""
    plain = _in_our_letters(text)
    found = _EXPONENT.fullmatch(plain)
    if found is None:
        whole = re.fullmatch(r"[+-]?0*(\d+)[.,]0+", plain)
        return whole is not None and len(whole[1]) > EXACT_DIGITS
    decimals = (found[2] or "").rstrip("0")
    digits = (found[1] + decimals).strip("0")
    cut = bool(found[2]) and len(decimals) < int(found[3]) and len(digits) >= _CUT
    return cut or len(digits) > EXACT_DIGITS


def _in_our_letters(text: str) -> str:
    wide = _DASHES.sub("-", unicodedata.normalize("NFKC", text))
    seen = _UNSEEN.sub("", wide).strip(_QUOTES).casefold().translate(_LOOK_ALIKE)
    if seen.isascii():
        return seen
    return "".join(str(unicodedata.decimal(one, one)) for one in seen)


def _spelt_out(text: str) -> str:
    """Write a whole number in digits; others stay as they are."""
    number = Decimal(text.replace(",", "."))
    return f"{number:f}".partition(".")[0] if number == number.to_integral_value() else text
