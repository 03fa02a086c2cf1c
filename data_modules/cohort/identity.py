"""Find patient ids that are probably one patient, written in different ways."""

import re
from decimal import Decimal
from typing import NamedTuple

import pandas as pd

from lsemvae.core.errors import InputError

N_NAMED = 3
# What a spreadsheet adds to a whole number: 1.0, 1,0 and 1.0E+05.
_WHOLE = r"[+-]?\d+[.,]0*"
_EXPONENT = r"[+-]?\d+(?:[.,]\d+)?e[+-]?\d{1,2}"
# Zeros that begin a number: 007 and P007, but neither 100 nor the .05 of 1.05.
_UNSEEN = r"[\s\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]+"
_DASHES = "[\u2010-\u2015\u2212]"
_LEADING_ZEROS = r"(?<![\d.,])0+(?=\d)"


class AlikeIds(NamedTuple):
    """Ids that differ in case, blanks, leading zeros or as numbers are written, in no other way.

    Attributes:
        groups: the spellings of each patient with several, in the order of the table.
    """

    groups: list[tuple[str, ...]]

    def __str__(self) -> str:
        """Name the first groups and count them."""
        named = ", ".join(" = ".join(map(repr, group)) for group in self.groups[:N_NAMED])
        more = len(self.groups) - N_NAMED
        rest = f" and {more} more" if more > 0 else ""
        return f"{len(self.groups)} patient(s) whose id is written in several ways: {named}{rest}"


def plain_ids(ids: pd.Series) -> pd.Series:
    """Write ids so that those of one patient are equal.

    Args:
        ids: text.

    Returns:
        Lower case without blanks, unseen characters and leading zeros, wide characters as plain
        ones; whole numbers without decimals or exponents.
    """
    wide = ids.astype(str).str.normalize("NFKC").str.replace(_DASHES, "-", regex=True)
    plain = wide.str.replace(_UNSEEN, "", regex=True).map(str.casefold).astype(str)
    whole = plain.str.fullmatch(_WHOLE)
    plain = plain.where(~whole, plain.str.replace(r"[.,]0*$", "", regex=True))
    exponent = plain.str.fullmatch(_EXPONENT)
    plain[exponent] = plain[exponent].map(_spelt_out)
    return plain.str.replace(_LEADING_ZEROS, "", regex=True)


def alike_ids(ids: pd.Series) -> AlikeIds:
    """Group the ids that are equal in all but their spelling.

    Args:
        ids: text, a row for each recording.
    """
    different = pd.Series(ids.astype(str).unique())
    plain = plain_ids(different)
    several = plain.duplicated(keep=False)
    groups = different[several].groupby(plain[several], sort=False)
    return AlikeIds([tuple(group) for _, group in groups])


def with_prefix(ids: pd.Series, prefix: str) -> pd.Series:
    """Put the same text before every id.

    Args:
        ids: text, a row for each recording.
        prefix: begins with a letter, so that no id is a number; empty for the ids as they are.

    Raises:
        InputError: the prefix holds something else than letters, digits, `_`, `.` and `-`.
    """
    if not re.fullmatch(r"([^\W\d_][\w.-]*)?", prefix):
        raise InputError(
            f"patient_prefix begins with a letter and holds letters, digits, '_', '.' and '-', as "
            f"CLINIC-, got {prefix!r}"
        )
    return prefix + ids


def refuse_alike_ids(ids: pd.Series, where: str) -> None:
    """Stop before one patient is counted as two.

    Args:
        ids: text, a row for each recording.
        where: the table or store that holds them.

    Raises:
        InputError: ids that are alike.
    """
    found = alike_ids(ids)
    if found.groups:
        raise InputError(
            f"{where}: {found}. As several patients they could land on both sides of a fold; give "
            "each patient one id in the table, or say that they are different people with "
            "--distinct_ids true"
        )


def _spelt_out(text: str) -> str:
    """Write a whole number in digits; others stay as they are."""
    number = Decimal(text.replace(",", "."))
    return f"{number:f}".partition(".")[0] if number == number.to_integral_value() else text


_IDENTITY_NAME = re.compile(
    r"(^|[^a-z])((sur|first|last|fore|given|family|full|middle|patient)?[_ ]?name|vorname|nachname|"
    r"nom|prenom|dob|born|birth\w*|date[_ ]?of[_ ]?birth|geb\w*|address|addr|adresse|street|"
    r"strasse|zip|plz|phone|telefon|e?[-_ ]?mail|ssn|insurance\w*|operator|physician)([^a-z]|$)"
)
_PERSON = r"[A-ZÄÖÜ][a-zäöüß'-]+,? [A-ZÄÖÜ][a-zäöüß'-]+"  # Doe, Jane
_OLD_DATE = r"(19[0-9]{2})-\d\d-\d\d|\d{1,2}[./-]\d{1,2}[./-]19\d\d"


def identity_columns(table: pd.DataFrame) -> list[str]:
    """Warn of columns that look like names or birth dates.

    Args:
        table: text or numbers; `record` and `patient_id` are left to their owner.
    """
    found = []
    for name in table.columns.difference(["record", "patient_id", "ecg_date", "rhc_date"]):
        if _IDENTITY_NAME.search(str(name).lower().replace("_", " ")):
            found.append(f"the column {name!r} is named like a name, a birth date or an address")
            continue
        cells = table[name].dropna().astype(str)
        cells = cells[cells != ""]
        for what, pattern in (("names of persons", _PERSON), ("birth dates", _OLD_DATE)):
            if len(cells) and cells.str.fullmatch(pattern).mean() > 0.5:
                found.append(f"the cells of the column {name!r} look like {what}")
    return [f"{line}; leave it out if it is one: it goes into the store" for line in found]
