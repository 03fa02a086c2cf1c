"""Refuse what an edited or damaged table of MIMIC-IV says and cannot be true."""

from typing import TYPE_CHECKING

from data_modules.mimic_iv.tables import MimicTable
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DIGITS = "[0-9]{1,18}"
_AGAIN = "it was changed by a spreadsheet or cut: download it again"
_OF_PATH = r"(?:^|/)p([0-9]{6,})/"  # files/p1000/p10000032/s40689238/40689238


def check_lists(connection: "DuckDBPyConnection", record_list: MimicTable) -> None:
    """Check ids and paths of `patients` and `record_list`, and that times can be read.

    Args:
        connection: a database with these views.
        record_list: as found; its column study_id is compared where it has one.

    Raises:
        InputError: the list of what is wrong.
    """
    no_id = f"NOT regexp_full_match(whole(subject_id), '{DIGITS}')"
    of_path = f"regexp_extract(path, '{_OF_PATH}', 1)"
    rules = [
        ("patients", no_id, "subject_id", "is no id"),
        ("record_list", no_id, "subject_id", "is no id"),
        ("record_list", f"{of_path} NOT IN ('', whole(subject_id))", "path",
         "is that of another patient than its row"),
    ]  # fmt: skip
    if "study_id" in record_list.columns:
        rules.append(("record_list", "NOT ends_with(trim(path), whole(study_id))", "path",
                      "does not end with the study of its row"))  # fmt: skip
    problems = [_first(connection, *rule) for rule in rules]
    problems.append(_times(connection))
    found = [problem for problem in problems if problem]
    if found:
        lines = "".join(f"\n  {problem}; {_AGAIN}" for problem in found)
        raise InputError(f"{counted(len(found), 'problem')} with the rows of MIMIC-IV:{lines}")


def check_charted_ids(connection: "DuckDBPyConnection") -> None:
    """Check the ids of the table `readings`.

    Raises:
        InputError: one is no whole number.
    """
    rule = f"NOT regexp_full_match(subject_id, '{DIGITS}')"
    problem = _first(connection, "readings", rule, "subject_id", "is no id")
    if problem:
        raise InputError(f"chartevents: {problem}; {_AGAIN}")


def _first(connection: "DuckDBPyConnection", table: str, rule: str, column: str, what: str) -> str:
    """Return a line on the rows that break a rule, empty where none does."""
    row = connection.execute(
        f"SELECT count(*), min({column}) FROM {table} WHERE {column} IS NOT NULL AND {rule}"
    ).fetchone()
    if row is None or not row[0]:
        return ""
    return f"{table}: {column} {row[1][:80]!r} {what} ({counted(row[0], 'row')})"


def _times(connection: "DuckDBPyConnection") -> str:
    """Return a line where no time of a recording can be read."""
    row = connection.execute(
        "SELECT count(try_cast(ecg_time AS TIMESTAMP)), count(ecg_time), min(ecg_time) "
        "FROM record_list"
    ).fetchone()
    if row is None or row[0] or not row[1]:
        return ""
    return (
        f"record_list: no ecg_time can be read, such as {row[2][:40]!r}; expected "
        "YYYY-MM-DD HH:MM:SS"
    )
