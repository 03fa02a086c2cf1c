"""Read the CSV tables of MIMIC-IV, plain or gzipped, by DuckDB in bounded memory."""

import csv
import gzip
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

from data_modules.reading.kinds import kind_and_step
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.extras import install_extra
from lsemvae.core.files import file_sha256

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_SNIFFED = 4096
_UNREADABLE = (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error)
MEMORY_LIMIT = "2GB"  # beyond it DuckDB writes to disk
# An id as its digits; spreadsheets and data frames write 10000032.0
WHOLE = r"CREATE MACRO whole(id) AS regexp_replace(trim(id), '\.0+$', '')"
N_THREADS = 4  # a gzipped file is unpacked by one; each thread takes its share of the memory


class MimicTable(NamedTuple):
    """A CSV file of a data set.

    Attributes:
        root: the folder of the data set, which may hold PhysioNet's SHA256SUMS.txt.
        path: the file.
        columns: what its header names, in that order.
    """

    root: Path
    path: Path
    columns: list[str]


def find_tables(wanted: Sequence[tuple[Path, str, Sequence[str]]]) -> list[MimicTable]:
    """Find the files of some tables and check their headers.

    Where both forms exist the gzipped one is taken: it is the one that was published, while an
    interrupted unpacking leaves a plain file that ends early.

    Args:
        wanted: folder of the data set, path below it without `.csv.gz` or `.csv`, and columns of
            each table.

    Raises:
        InputError: the list of every file and column that is missing.
    """
    tables, problems = [], []
    for root, name, columns in wanted:
        paths = [root / f"{name}{suffix}" for suffix in (".csv.gz", ".csv")]
        path = next((path for path in paths if path.is_file()), None)
        if path is None:
            problems.append(
                f"there is neither {paths[0]} nor {paths[1].name}{_there(paths[0], columns)}"
            )
            continue
        try:
            header = _header(path)
        except _UNREADABLE as error:
            problems.append(f"{path} cannot be read: {error}; {_step(path)}")
            continue
        lacking = [column for column in columns if column not in header]
        repeated = sorted({column for column in header if header.count(column) > 1})
        if lacking:
            found = ", ".join(header)[:300]
            problems.append(
                f"{path} lacks the columns {', '.join(lacking)}; it has {found}; {_step(path)}"
            )
        if repeated:
            problems.append(f"{path} names the columns {', '.join(repeated)} more than once")
        tables.append(MimicTable(root, path, header))
    if problems:
        lines = "".join(f"\n  {problem}" for problem in problems)
        raise InputError(f"{counted(len(problems), 'problem')} with the files of MIMIC-IV:{lines}")
    return tables


def _there(path: Path, columns: Sequence[str]) -> str:
    """Name the table of the folder that has the columns of the missing one, by whatever name."""
    if not path.parent.is_dir():
        return "; there is no such folder"
    near = sorted(path.parent.glob("*.csv*"))
    meant = next((one.name for one in near if _has_columns(one, columns)), None)
    if meant is not None:
        return f"; {meant} in its folder has its columns: rename it"
    held = f"{', '.join(one.name for one in near[:5])} with other columns" if near else "no table"
    return f"; its folder has {held}: download it, or name the folder that holds it"


def _has_columns(path: Path, columns: Sequence[str]) -> bool:
    try:
        return set(columns) <= set(_header(path))
    except _UNREADABLE:
        return False


def _step(path: Path) -> str:
    """Say what to do about a file that is not the table that its name says."""
    with path.open("rb") as file:
        start = file.read(_SNIFFED)
    if not start:
        return "it is empty: download it again"
    packed = start.startswith(b"\x1f\x8b")
    if packed != (path.suffix == ".gz"):
        return f"it is {'' if packed else 'not '}packed: name it .csv{'.gz' * packed}"
    kind = None if packed else kind_and_step(start)
    if kind is not None:
        return f"it is {kind[0]}: download the table itself"
    return "if a spreadsheet has saved it, or it is of another version, download it again"


def _header(path: Path) -> list[str]:
    opener: Any = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
        line = file.readline(10_000)
    names = [name.strip().lower() for name in next(csv.reader([line], strict=True), [])]
    # numbers of rows, and a comma at the end of each line, have no name
    return [name or f"column {place}" for place, name in enumerate(names, start=1)]


def verify_tables(tables: Sequence[MimicTable]) -> list[dict[str, Any]]:
    """Compare files with the digests that PhysioNet publishes beside them.

    DuckDB notices a gzipped file that ends early, but not one whose bytes have changed.

    Returns:
        Name, bytes, SHA-256 of each file, and whether it was verified: `false` where its folder
        has no SHA256SUMS.txt that names it.

    Raises:
        InputError: the list of files that differ from what was published.
    """
    described, problems = [], []
    for root, path, _ in tables:
        name = path.relative_to(root).as_posix()
        found = file_sha256(path)
        published = _published(root).get(name)
        if published not in (None, found):
            problems.append(f"{path} has SHA-256 {found[:12]}, published was {published:.12}")
        size, verified = path.stat().st_size, published is not None
        described.append({"name": name, "bytes": size, "sha256": found, "verified": verified})
    if problems:
        raise InputError("; ".join(problems) + "; download again")
    return described


def _published(root: Path) -> dict[str, str]:
    listing = root / "SHA256SUMS.txt"
    lines = listing.read_text("utf-8").splitlines() if listing.is_file() else []
    parts = [line.split(maxsplit=1) for line in lines if line.strip()]
    return {name.strip(): digest for digest, name in parts}


@contextmanager
def connect(spill_folder: Path) -> Iterator["DuckDBPyConnection"]:
    """Open an empty database in memory that spills to a temporary folder and to nowhere else.

    A failure of DuckDB inside the block, such as a damaged file, becomes an `InputError`.

    Args:
        spill_folder: where the temporary folder is made.

    Raises:
        InputError: DuckDB is not installed, or what it says of a file.
    """
    try:
        import duckdb
    except ImportError as error:
        raise InputError(
            f"mimic-rhc needs DuckDB, which is not installed: {install_extra('mimic')}"
        ) from error
    with TemporaryDirectory(prefix=".mimic_rhc_", dir=spill_folder) as temporary:
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": MEMORY_LIMIT,
            "threads": min(N_THREADS, os.cpu_count() or 1),
            "preserve_insertion_order": False,  # every query sorts what it depends on
            "temp_directory": temporary,
            "autoinstall_known_extensions": False,  # never reach for the network
            "autoload_known_extensions": False,
        }
        with duckdb.connect(config=settings) as connection:
            connection.execute(WHOLE)
            try:
                yield connection
            except duckdb.Error as error:
                raise InputError(_explain(str(error))) from error


def _explain(message: str) -> str:
    """Keep what DuckDB says of the data; leave out its advice on its own options."""
    said = message.partition("\nPossible ")[0].partition("\nLINE ")[0]
    return f"MIMIC-IV cannot be read: {' '.join(said.split())}; is the file whole, the disk full?"


def create_view(connection: "DuckDBPyConnection", name: str, table: MimicTable) -> None:
    """Name a CSV file, every column as text, exactly as its header says and nothing guessed."""
    columns = ", ".join(f"{quoted(column)}: 'VARCHAR'" for column in table.columns)
    compression = "gzip" if table.path.suffix == ".gz" else "none"
    connection.execute(
        f"CREATE VIEW {name} AS SELECT * FROM read_csv({quoted(str(table.path))}, header = true, "
        f"auto_detect = false, delim = ',', quote = '\"', escape = '\"', "
        f"compression = '{compression}', columns = {{{columns}}})"
    )


def quoted(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def count_by(connection: "DuckDBPyConnection", query: str) -> dict[str, int]:
    """Return the counts of a query with two columns, text and number, sorted by the text."""
    return dict(
        sorted((str(key), int(count)) for key, count in connection.execute(query).fetchall())
    )


def count(connection: "DuckDBPyConnection", query: str) -> int:
    """Return the one number of a query."""
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
