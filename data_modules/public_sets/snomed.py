"""Label recordings by the SNOMED CT codes in their WFDB headers, as PhysioNet's sets have them."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from data_modules.reading.limits import MAX_HEADER_BYTES
from lsemvae.core.errors import InputError
from lsemvae.core.printable import say
from lsemvae.core.walking import walk_folder

if TYPE_CHECKING:
    import pandas as pd

FACT = re.compile(r"^#\s*(Age|Sex|Dx)\s*:\s*(.*?)\s*$", re.MULTILINE | re.IGNORECASE)
SEX = {"male": "M", "m": "M", "female": "F", "f": "F"}
UNNAMED = "dx_"
"""Begins the label of a code that no mapping names."""


class Header(NamedTuple):
    """What a header says of its patient: age, sex, codes; empty where it says nothing."""

    age: str
    sex: str
    codes: tuple[str, ...]


def snomed_table(
    folder: Path, names: Mapping[str, str], *, same: Mapping[str, str], what: str
) -> "pd.DataFrame":
    """Return record, patient_id, age_years, sex, database and a label for each code that occurs.

    A label is missing, not 0, for recordings without any code, and for all recordings of a database
    in which nobody has the code: whoever annotated that database did not look for it.

    Args:
        folder: with headers and recordings, in folders below it.
        names: of the labels, by code; others are `dx_CODE`.
        same: codes that are taken for another one, by code.
        what: the data set and its folder, for the message.

    Raises:
        InputError: no header, or one that cannot be read.
    """
    import pandas as pd

    files = headers_below(folder)
    if not files:
        raise InputError(f"no .hea file lies below {folder}; source is {what}")
    headers = [_read_header(file) for file in files]
    records = [file.relative_to(folder).with_suffix("").as_posix() for file in files]
    age = pd.to_numeric(pd.Series([one.age for one in headers]), errors="coerce")
    table = pd.DataFrame({
        "record": records,
        "patient_id": [file.stem for file in files],
        "age_years": age.where(age.between(0, 120)),
        "sex": [SEX.get(one.sex.lower(), "") for one in headers],
        "database": [_database(record) for record in records],
    })  # fmt: skip
    twice = table["patient_id"][table["patient_id"].duplicated()]
    if len(twice):
        raise InputError(f"{folder} holds the record {twice.iloc[0]} twice; name one of its copies")
    if not any(one.codes for one in headers):
        say(f"note: no header below {folder} has a line Dx with codes, so the store has no labels")
    codes = [tuple(dict.fromkeys(same.get(code, code) for code in one.codes)) for one in headers]
    return pd.concat([table, _labels(codes, table["database"], names)], axis=1)


def headers_below(folder: Path) -> list[Path]:
    """Return every WFDB header below a folder, sorted.

    Raises:
        InputError: a folder cannot be listed.
    """
    walk = walk_folder(folder)
    return sorted(Path(here, name) for here, _, files in walk for name in files
                  if name.endswith(".hea"))  # fmt: skip


def read_names(file: Path, code: Sequence[str], name: Sequence[str]) -> dict[str, str]:
    """Return the names of codes from a table of a data set.

    Args:
        file: CSV.
        code: names that the column of codes may have.
        name: names that the column of names may have.

    Raises:
        InputError: it lacks one of the columns.
    """
    from data_modules.public_sets.csv_file import read_text_table

    table = read_text_table(file, (), "the table of its codes")
    found = [next((one for one in choices if one in table), None) for choices in (code, name)]
    if found[0] is None or found[1] is None:
        raise InputError(
            f"{file} needs a column {' or '.join(code)} and a column {' or '.join(name)}; it has "
            f"{', '.join(map(str, table.columns))}"
        )
    return dict(zip(table[found[0]].str.strip(), table[found[1]].str.strip(), strict=True))


def _read_header(file: Path) -> Header:
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            text = lines.read(MAX_HEADER_BYTES)
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror or error})") from error
    facts = {name.lower(): value for name, value in FACT.findall(text)}
    codes = re.findall(r"\d+", facts.get("dx", ""))
    return Header(facts.get("age", ""), facts.get("sex", ""), tuple(codes))


def _database(record: str) -> str:
    """Return the folder below the source that a recording is from, below `training` where it is."""
    parts = record.split("/")[:-1]
    parts = parts[1:] if parts[:1] == ["training"] else parts
    return parts[0] if parts else "."


def _labels(
    codes: Sequence[Sequence[str]], database: "pd.Series", names: Mapping[str, str]
) -> "pd.DataFrame":
    import numpy as np
    import pandas as pd

    known = sorted({code for one in codes for code in one})
    place = {code: number for number, code in enumerate(known)}
    values = np.zeros((len(codes), len(known)))
    rows = np.repeat(np.arange(len(codes)), [len(one) for one in codes])
    values[rows, [place[code] for one in codes for code in one]] = 1.0
    values[[not one for one in codes]] = np.nan
    found = pd.DataFrame(values, columns=[names.get(code) or f"{UNNAMED}{code}" for code in known])
    if not found.columns.is_unique:
        twice = found.columns[found.columns.duplicated()][0]
        raise InputError(f"two codes are called {twice!r}; name one of them otherwise")
    looked_for = found.groupby(database.to_numpy()).transform("max") > 0
    return found.where(looked_for)
