"""Write a patient's id as all its spellings have in common, and tell one that has lost digits."""

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache

# What nobody sees: soft hyphens, joiners, marks of direction, variation selectors.
_UNSEEN = re.compile(
    r"[\u00ad\u034f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]+"
)
_BLANKS = re.compile(r"\s+")
# Dashes and hyphens of all kinds, and signs that look like one; foreign slashes.
_DASHES = re.compile("[\u058a\u05be\u2010-\u2015\u2212\u23af\u2500\u2e17\u2e3a\u2e3b\u30fc]")
_SLASHES = re.compile("[\u2044\u2215]")
# What is no part of an id at its ends; an apostrophe keeps a spreadsheet from counting.
_QUOTES = "'\"`\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb;:"
# Capital letters of Russian and Greek keyboards that look like ours, in lower case.
_LOOK_ALIKE = str.maketrans(
    "\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0445\u0443\u0456"
    "\u0455\u0458\u04bb\u051b\u051d"
    "\u03b1\u03b2\u03b5\u03b6\u03b7\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7"
    "\u0131",
    "abekmhopctxyi" "sjhqw" "abezhikmnoptyx" "i",
)  # fmt: skip
_EXPONENT = re.compile(r"[+-]?(\d+)(?:[.,](\d*))?e\+?(\d{1,3})")
# What programs write that put letters before a number with decimals: P7.0.
_LETTERS_AND_ZEROS = re.compile(r"([^\d.,]+\d+)\.0+")
_DECIMALS = re.compile(r"[+-]?\d+[.,]\d*")
# 1,234 and 1.234.567; 1.234 may be a decimal, and so is 1,000 where it ends in zeros
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:(?:,\d{3})+|(?:\.\d{3}){2,}|(?:'\d{3})+)")
# Zeros that begin a number: 007 and P007, but neither 100 nor the .05 of 1.05.
_LEADING_ZEROS = re.compile(r"(?<![\d.,])0+(?=\d)")
_CUT = 3  # significant digits from which an exponent speaks of a number that was shortened
EXACT_DIGITS = 15  # that a spreadsheet keeps of a number


def seen_text(text: str) -> str:
    """Write what looks the same to a reader with the same characters.

    Composed and decomposed accents, wide digits, blanks, dashes and slashes of all kinds are one;
    what nobody sees is left out.
    """
    if text.isascii():
        return text
    plain = _UNSEEN.sub("", unicodedata.normalize("NFKC", text))
    return _SLASHES.sub("/", _DASHES.sub("-", plain))


@lru_cache(maxsize=1 << 16)
def plain_id(text: str) -> str:
    """Write an id so that all its spellings are equal.

    Args:
        text: as a table, a list or a file states it.

    Returns:
        Lower case without quotes, blanks, unseen characters, leading zeros and punctuation at the
        ends; dashes of all kinds as one; wide and foreign digits and letters that look like ours
        as ours; numbers without exponents, marks of thousands and zeros that end their decimals.
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
    elif named := _LETTERS_AND_ZEROS.fullmatch(plain):
        plain = named[1]
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
    seen = re.sub("[_~]", "-", _BLANKS.sub("", seen_text(text)))
    seen = (
        seen.strip(_QUOTES)
        .rstrip(_QUOTES + ".,")
        .removeprefix("+")
        .casefold()
        .translate(_LOOK_ALIKE)
    )
    seen = seen.replace("i\u0307", "i")  # the small form of the Turkish capital with a dot
    if seen.isascii():
        return seen
    return "".join(str(unicodedata.decimal(one, one)) for one in seen)


def _spelt_out(text: str) -> str:
    """Write a whole number in digits; others stay as they are."""
    number = Decimal(text.replace(",", "."))
    return f"{number:f}".partition(".")[0] if number == number.to_integral_value() else text
