"""Find the recordings that belong to the rows of a table, and say why a row has none."""

from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from data_modules.linking.archive import Left
from data_modules.linking.id_rule import IdRule, which_would_match

When = Literal["nearest", "before", "after"]
Ecgs = Literal["one", "all"]

NO_FILE = "no file of this patient"
OUTSIDE = "no recording of this patient within the window"
SEX = "the file states another sex than the table, or two files do"
BORN = "the file states another birth date or age than the table, or two files do"
SAME_DAY = "the patient has another row of that day, under another spelling of the id"
NEARER = "another row of this patient has the nearer recording"
NOT_LISTED = "the table has no such patient"
UNUSABLE = "no row of this patient in the table can be used"
NOT_CHOSEN = "outside the window, or another recording was chosen"
REPLACED = "replaced by the next recording of the patient"
CONFLICT = "sex, birth date or age contradict the table"
AGE_TOLERANCE_YEARS = 2.0  # ages are rounded down, and may be of the day of entry
_DAYS_A_YEAR = 365.25


class Window(NamedTuple):
    """Which recordings of a patient may stand for a catheterisation.

    Attributes:
        days: between recording and catheter, at most.
        when: `before` and `after` allow the day itself; `nearest` both.
        ecgs: `one` recording for each patient, or `all` in the window.
    """

    days: int
    when: When
    ecgs: Ecgs


class Match(NamedTuple):
    """What was linked.

    Attributes:
        pairs: a row for each linked recording: `row`, all columns of the files, and of the table
            under the prefix `table_`; days from the catheter to the recording, below 0 before it.
        rows_left: rows of the table without a recording.
        files_left: recordings without a row.
        possible: records of each patient that may stand for one of the rows, by plain id.
    """

    pairs: pd.DataFrame
    rows_left: list[Left]
    files_left: list[Left]
    possible: dict[str, set[str]]


def match(
    files: pd.DataFrame, rows: pd.DataFrame, rule: IdRule, window: Window,
    replaced: Mapping[str, str] | None = None, *, unusable: Collection[str] = (),
) -> Match:  # fmt: skip
    """Link recordings to the rows of a table by id and date.

    A recording goes to the row with the nearest catheter; of two as near, to the earlier one. Of
    two recordings as near, the one before the catheter is taken, then the first of the day.

    Args:
        files: from `take_dated`.
        rows: from `read_hospital_table`.
        rule: of ids.
        window: of dates.
        replaced: records that are not to be taken, with the reason.
        unusable: patients of rows of the table that were left out.
    """
    given_up = replaced or {}
    files = files.assign(plain=rule.plain(files["patient"], "files"))
    rows = rows.add_prefix("table_")
    rows = rows.assign(plain=rule.plain(rows["table_patient"], "table"), row=rows.index)
    twice = rows.duplicated(["plain", "table_rhc_date"], keep=False)
    one_day = [Left(f"row {row}", SAME_DAY, "keep the right one") for row in rows["row"][twice]]
    rows = rows[~twice]
    pairs = rows.merge(files[files["plain"] != ""], on="plain", how="inner")
    pairs["days"] = [
        (pd.Timestamp(taken[:10]).date() - catheter).days
        for taken, catheter in zip(pairs["acquired"], pairs["table_rhc_date"], strict=True)
    ]
    other_sex, other_age = _conflicts(pairs)
    sound = ~(other_sex | other_age)
    inside = sound & _inside(pairs["days"], window)
    chosen = _choose(pairs[inside & ~pairs["record"].isin(list(given_up))], window)
    possible = {str(name): set(part) for name, part in pairs[inside].groupby("plain")["record"]}
    hints = which_would_match(
        rows["table_patient"][~rows["row"].isin(pairs["row"])], files["patient"], rule
    )
    status = pairs[["row"]].assign(sex=other_sex, sound=sound, inside=inside)
    rows_left = _rows_left(rows, status, chosen, hints)
    there = set(rule.plain(pd.Series(list(unusable), dtype=str), "table")) - {""}
    files_left = _files_left(files, pairs, sound, chosen, given_up, unusable=there)
    return Match(chosen, one_day + rows_left, files_left, possible)


def _conflicts(pairs: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Say which pairs contradict each other in sex, and in birth date or age."""
    sexes = pairs[["plain", "sex"]][pairs["sex"] != ""].drop_duplicates()
    torn = sexes["plain"][sexes["plain"].duplicated()]
    theirs = pairs.get("table_sex", pd.Series("", index=pairs.index))
    other_sex = (pairs["sex"] != "") & (theirs != "") & (pairs["sex"] != theirs)
    other_sex |= pairs["plain"].isin(torn) & (theirs == "")
    births = pairs[["plain", "birth_date"]][pairs["birth_date"] != ""].drop_duplicates()
    two = pairs["plain"].isin(births["plain"][births["plain"].duplicated()])
    stated = pairs["table_birth_date"].map(lambda day: "" if pd.isna(day) else f"{day}")
    other = (stated != "") & (pairs["birth_date"] != "") & (stated != pairs["birth_date"])
    gap = (age_years(pairs) - _numbers(pairs, "table_age_years")).abs()
    return other_sex, other | (two & (stated == "")) | (gap > AGE_TOLERANCE_YEARS)


def age_years(pairs: pd.DataFrame) -> pd.Series:
    """Return the ages at the recording by the files: from the birth date, else as stated."""
    taken = pd.to_datetime(pairs["acquired"].str[:10], errors="coerce")
    born = pd.to_datetime(pairs["birth_date"].replace("", None), errors="coerce")
    return ((taken - born).dt.days / _DAYS_A_YEAR).fillna(_numbers(pairs, "age_years"))


def _numbers(pairs: pd.DataFrame, name: str) -> pd.Series:
    if name not in pairs:
        return pd.Series(np.nan, index=pairs.index)
    return pd.to_numeric(pairs[name], errors="coerce").astype(float)


def _inside(days: pd.Series, window: Window) -> pd.Series:
    inside = days.abs() <= window.days
    if window.when == "before":
        return inside & (days <= 0)
    return inside & (days >= 0) if window.when == "after" else inside


def _choose(pairs: pd.DataFrame, window: Window) -> pd.DataFrame:
    """Return each recording with its nearest row, and one for each patient where asked for."""
    ordered = pairs.assign(distance=pairs["days"].abs(), later=pairs["days"] > 0).sort_values(
        ["distance", "table_rhc_date", "later", "acquired", "record"], kind="stable"
    )
    nearest = ordered.drop_duplicates("record")
    chosen = nearest.drop_duplicates("plain") if window.ecgs == "one" else nearest
    return chosen.drop(columns=["distance", "later"]).sort_values(["row", "acquired"])


def _rows_left(
    rows: pd.DataFrame, status: pd.DataFrame, chosen: pd.DataFrame, hints: dict[str, str]
) -> list[Left]:
    """Give the first reason why each row has no recording.

    Args:
        rows: of the table.
        status: of each pair: its row, and whether its `sex` contradicts, it is `sound`, `inside`.
        chosen: pairs.
        hints: the option under which an id would match.
    """
    known, other_sex, sound, inside = (
        set(status["row"][mask])
        for mask in (status["row"].notna(), status["sex"], status["sound"], status["inside"])
    )
    left = []
    for row, name in rows["table_patient"][~rows["row"].isin(chosen["row"])].items():
        if row not in known:
            hint = hints.get(str(name))
            step = f"the id would match with {hint}" if hint else "look for the export, or its id"
            left.append(Left(f"row {row}", NO_FILE, step))
        elif row in inside:
            left.append(Left(f"row {row}", NEARER, "nothing, or --ecgs all"))
        elif row in sound:
            left.append(Left(f"row {row}", OUTSIDE, "nothing, or a wider --window_days"))
        else:
            reason = SEX if row in other_sex else BORN
            step = "find out whose recording it is; correct the table or the file"
            left.append(Left(f"row {row}", reason, step))
    return left


def _files_left(
    files: pd.DataFrame,
    pairs: pd.DataFrame,
    sound: pd.Series,
    chosen: pd.DataFrame,
    replaced: Mapping[str, str],
    *,
    unusable: set[str],
) -> list[Left]:
    known = set(files["record"][files["plain"].isin(unusable)])
    listed, agreeing = set(pairs["record"]), set(pairs["record"][sound])
    left = []
    for name in files["record"][~files["record"].isin(chosen["record"])]:
        if name in replaced:
            left.append(Left(f"file {name}", f"{REPLACED}: {replaced[name]}", "nothing"))
        elif name not in listed and name in known:
            left.append(Left(f"file {name}", UNUSABLE, "look for the reason of its rows"))
        elif name not in listed:
            left.append(Left(f"file {name}", NOT_LISTED, "nothing, or add the patient"))
        elif name not in agreeing:
            left.append(Left(f"file {name}", CONFLICT, "find out whose recording it is"))
        else:
            left.append(Left(f"file {name}", NOT_CHOSEN, "nothing"))
    return left
