"""Say in which spellings a patient's id is the same id; what looks different is, unless told."""

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from data_modules.cohort.plain_id import seen_text
from lsemvae.core.counted import counted

Side = Literal["table", "files"]


@dataclass(frozen=True)
class IdRule:
    """What is ignored when ids of the table and of the files are compared.

    Args:
        blanks: ignore all blanks: `12 34` is `1234`.
        case: ignore upper and lower case: `p7` is `P7`.
        leading_zeros: ignore zeros that begin the id: `007` is `7`.
        signs: ignore `-`, `/`, `.` and `_`: `12-34` is `1234`.
        check_digit: on which side the last sign is a check digit that the other side lacks.
    """

    blanks: bool = False
    case: bool = False
    leading_zeros: bool = False
    signs: bool = False
    check_digit: Literal["none", "table", "files", "both"] = "none"

    def plain(self, ids: pd.Series, side: Side) -> pd.Series:
        """Write ids so that those that the rule takes for one are equal.

        Args:
            ids: text.
            side: where they are from.
        """
        plain = ids.astype(str).map(seen_text).astype(str).str.strip()
        if self.blanks:
            plain = plain.str.replace(r"\s+", "", regex=True)
        if self.signs:
            plain = plain.str.replace(r"[-/._]", "", regex=True)
        if self.case:
            plain = plain.str.casefold()
        if self.leading_zeros:
            plain = plain.str.replace(r"^0+(?=.)", "", regex=True)
        if self.check_digit in (side, "both"):
            plain = plain.str.slice(stop=-1)
        return plain


LOOSEST = IdRule(blanks=True, case=True, leading_zeros=True, signs=True)


def tell_alike(plain: pd.Series, rows: pd.Series) -> list[str]:
    """Say which linked patients of several ids become one patient, as their ids are alike.

    Args:
        plain: ids as the rule writes them, a row for each linked recording.
        rows: of the table, by number: no id is printed.
    """
    first = pd.DataFrame({"plain": plain, "row": rows}).drop_duplicates("plain")
    first["loosest"] = LOOSEST.plain(first["plain"], "table")
    groups = first[first.duplicated("loosest", keep=False)].groupby("loosest", sort=False)["row"]
    if not len(groups):
        return []
    named = ", ".join(" = ".join(map(str, sorted(group))) for _, group in list(groups)[:3])
    said = counted(len(groups), "patient has ids", "patients have ids")
    return [
        f"{said} that differ only in blanks, case, signs or leading zeros (rows {named}); they get "
        "one pseudonym: give each patient one id, or different people ids that differ otherwise"
    ]


def which_would_match(table: pd.Series, files: pd.Series, rule: IdRule) -> dict[str, str]:
    """Say for ids of the table without a file which option would find one.

    Args:
        table: ids that no file has under the rule.
        files: all ids of files.
        rule: that was used.

    Returns:
        The options for each id that would match, such as `--ids.leading_zeros true`.
    """
    found: dict[str, str] = {}
    options = {
        f"--ids.{name} true": {**vars(rule), name: True}
        for name in ("blanks", "case", "leading_zeros", "signs")
        if not getattr(rule, name)
    }
    options |= {
        f"--ids.check_digit {side}": {**vars(rule), "check_digit": side}
        for side in ("table", "files")
        if rule.check_digit == "none"
    }
    options["--ids.blanks true --ids.case true --ids.leading_zeros true --ids.signs true"] = {
        **vars(LOOSEST), "check_digit": rule.check_digit
    }  # fmt: skip
    for option, values in options.items():
        other = IdRule(**values)
        known = set(other.plain(files, "files"))
        for name, plain in zip(table, other.plain(table, "table"), strict=True):
            if plain and plain in known:
                found.setdefault(str(name), option)
    return found
