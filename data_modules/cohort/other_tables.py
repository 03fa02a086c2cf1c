"""Name the kinds of tables that are not read, each with the way to CSV."""

import re
from pathlib import Path

from data_modules.reading.kinds import kind_and_step
from lsemvae.core.errors import InputError

# of kinds that hold one; the others are tables, or nothing that a table can be made of
_STEPS = {"unpack it first": "unpack it first"}
_STEP = "open the table in the program that wrote it, or in a spreadsheet, and save it as CSV UTF-8"
# kinds that recordings have, and what databases and spreadsheets write for programs
_MARKS = (
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"MATLAB 5.0", "a MATLAB file"),
    (0, b"HEADER RECORD*******", "a SAS transport file"),
    (0, b"q\x02\x01\0", "a Stata file"),
    (4, b"Standard Jet DB", "an Access database"),
    (4, b"Standard ACE DB", "an Access database"),
    (0, b"\t\0\4\0", "an old Excel sheet"),
    (0, b"\t\2\6\0", "an old Excel sheet"),
    (0, b"\t\4\6\0", "an old Excel sheet"),
    (0, b"\t\x08\x08\0", "an old Excel sheet"),
    (128, b"DICM", "a DICOM file"),
    (0, b"[InternetShortcut]", "a link to a page"),
)
_R_ENDINGS = (".rds", ".rdata", ".rda")  # R packs what it saves
_SNIFFED = 100_000  # signs of the first lines
_LINE = re.compile(r"[-=:|+ ]{3,}")  # what is drawn below the names, or above them
_SQL = re.compile(r"(INSERT INTO|CREATE TABLE|DROP TABLE|COPY \S+ .*FROM|BEGIN;|SET \S+ =)", re.I)


def refuse_other_kinds(content: bytes, path: Path) -> None:
    """Refuse a file that is no text of cells, by what its first bytes are.

    Raises:
        InputError: with the name of the kind and the next step.
    """
    marked = (name for at, mark, name in _MARKS if content[at : at + len(mark)] == mark)
    name, step = kind_and_step(content) or (next(marked, ""), "")
    if not name:
        return
    if name == "a gzip file" and path.suffix.lower() in _R_ENDINGS:
        name, step = "an R object (packed)", ""
    xlsx = "name it .xlsx, or save the sheet as CSV UTF-8" if "(.xlsx)" in name else ""
    step = xlsx or _STEPS.get(step, _STEP)
    name = "JSON" if name.startswith("JSON") else name
    raise InputError(f"{path} is no CSV file but binary or another kind: it is {name}; {step}")


def refuse_drawn(text: str, path: Path) -> None:
    """Refuse a table that is drawn with lines, and statements of SQL.

    Raises:
        InputError: with how to export it.
    """
    lines = [line.strip() for line in text[:_SNIFFED].splitlines() if line.strip()][:3]
    ruled = any(_LINE.fullmatch(line) and "--" in line for line in lines)
    if ruled and any(re.search(r"\w.*\|.*\w", line) for line in lines):
        raise InputError(
            f"{path} is a table drawn with lines, as databases and Markdown show it; export it as "
            "CSV, such as with `psql --csv`, or separate its columns by commas alone"
        )
    if lines and _SQL.match(lines[0]):
        raise InputError(f"{path} holds statements of SQL; export the table as CSV UTF-8")
