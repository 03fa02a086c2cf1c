"""Find patient ids that are probably one patient, written in different ways."""

import re
from typing import NamedTuple

import pandas as pd

from data_modules.cohort.plain_id import EXACT_DIGITS, plain_id, seen_text, shortened
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError

N_NAMED = 3
_LOST = "lost digits in a spreadsheet"
_MONTH = r"(?:jan|feb|m[aä]r|mrz|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])\w*"
# What spreadsheets make of ids such as 1-2: 1-Feb, Feb-01, 2024-02-01 00:00:00.
_DATE = rf"\d{{1,2}}[-. ]+{_MONTH}|{_MONTH}[-. ]+\d\d|\d{{4}}-\d\d-\d\d(?: 00:00:00)?"
LEAST_CUT = 4  # long numbers that all end in zeros; by chance one time in 10,000


class AlikeIds(NamedTuple):
    """Ids that differ in case, blanks, leading zeros or as numbers are written, in no other way.

    Attributes:
        groups: the spellings of each patient with several, in the order of the table.
    """

    groups: list[tuple[str, ...]]

    def __str__(self) -> str:
        """Name the first groups and count them."""
        named = ", ".join(" = ".join(_shown(group)) for group in self.groups[:N_NAMED])
        more = len(self.groups) - N_NAMED
        rest = f" and {more} more" if more > 0 else ""
        patients = counted(len(self.groups), "patient")
        return f"{patients} whose id is written in several ways: {named}{rest}"


def _shown(ids: tuple[str, ...]) -> list[str]:
    """Quote ids, with codes for their signs where a reader would see no difference."""
    alike = len(set(map(seen_text, ids))) < len(ids)
    return [ascii(one) if alike else repr(one) for one in ids]


def plain_ids(ids: pd.Series) -> pd.Series:
    """Write ids so that those of one patient are equal, see `plain_id`."""
    return ids.astype(str).map(plain_id).astype(str)


def cut_ids(ids: pd.Series) -> list[str]:
    """Name the ids of which a spreadsheet has lost digits, so that patients may share one.

    Args:
        ids: text, a row for each recording.

    Returns:
        A line for the ids with an exponent, and one for numbers that all end in zeros.
    """
    different = pd.Series(ids.astype(str).unique())
    cut = different[different.map(shortened)]
    long = different[different.str.fullmatch(rf"[1-9]\d{{{EXACT_DIGITS},}}")]
    zeros = long.str.fullmatch(rf"\d{{{EXACT_DIGITS}}}0+")
    found = []
    if len(cut):
        have = counted(len(cut), "patient id has", "patient ids have")
        found.append(f"{have} {_LOST}, such as {cut.iloc[0]!r}")
    if len(long) >= LEAST_CUT and zeros.all():
        have = f"all {len(long)} long patient ids have"
        found.append(f"{have} {_LOST}: {long.iloc[0]!r} ends in zeros")
    return [f"{line}; format the column as text and export the table again" for line in found]


def dates_for_ids(ids: pd.Series) -> str:
    """Say that some ids look like dates, and others do not; empty where that is not so."""
    different = pd.Series(ids.astype(str).unique())
    dates = different[different.str.fullmatch(_DATE, flags=re.IGNORECASE)]
    if not 0 < len(dates) < len(different):
        return ""
    return (
        f"{counted(len(dates), 'patient id looks like a date', 'patient ids look like dates')}, "
        f"such as {dates.iloc[0]!r}, and others do not; spreadsheets make dates of ids "
        "such as 1-2: compare them with the source"
    )


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
