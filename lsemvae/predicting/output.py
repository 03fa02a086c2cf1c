"""Write the rows of a finished run as CSV or JSON, in one step."""

import csv
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO, Any

from lsemvae.core.errors import InputError
from lsemvae.core.files import prepare_place, replace_file, sync_file
from lsemvae.core.outputs import check_output_file
from lsemvae.core.printable import spreadsheet_cell
from lsemvae.core.unfinished import unfinished
from lsemvae.predicting.outcome import Row

Writer = Callable[[IO[str], Iterable[Row], Mapping[str, Any]], None]


MARKS = {".csv": b"recording,outcome,code", ".json": b'{"model": '}
"""How a file of predictions begins."""


def check_out(out: Path, read: Iterable[Path] = ()) -> Writer:
    """Return how a file is written, told by its name.

    Args:
        out: the file.
        read: recordings that are predicted.

    Raises:
        InputError: it ends neither in .csv nor in .json, its folder is a file, it is read, or it
            holds something that no prediction wrote.
    """
    writers: dict[str, Writer] = {".csv": write_csv, ".json": _write_json}
    if out.suffix not in writers:
        raise InputError(f"--out must end in .csv or .json, got {out}")
    check_output_file(out, mark=MARKS[out.suffix], read=read)
    out.parent.mkdir(parents=True, exist_ok=True)
    return writers[out.suffix]


def write_rows(out: Path, rows: Iterable[Row], about: Mapping[str, Any]) -> None:
    """Write all rows; an older file is replaced by a whole one or not at all.

    Args:
        out: .csv or .json.
        rows: read one at a time.
        about: what JSON says of the model.
    """
    write = check_out(out)
    temporary = unfinished(out)
    prepare_place(out)
    try:
        with temporary.open("w", encoding="utf-8", newline="") as file:
            write(file, rows, about)
            sync_file(file)
        replace_file(temporary, out)
    finally:
        temporary.unlink(missing_ok=True)


def write_csv(file: IO[str], rows: Iterable[Row], about: Mapping[str, Any]) -> None:
    """Write rows under the names of their columns; none is a formula to a spreadsheet.

    Args:
        file: open for text.
        rows: read one at a time.
        about: the names of the values, where it has `values`.
    """
    names = about.get("values", ())
    writer = csv.DictWriter(file, list(Row("", "").named(names)))
    writer.writeheader()
    for row in rows:
        cells = row.named(names).items()
        writer.writerow({n: spreadsheet_cell(c) if isinstance(c, str) else c for n, c in cells})


def _write_json(file: IO[str], rows: Iterable[Row], about: Mapping[str, Any]) -> None:
    file.write(f'{{"model": {json.dumps(about)},\n"predictions": [')
    names = about.get("values", ())
    for number, row in enumerate(rows):
        file.write(f"{',' if number else ''}\n{json.dumps(row.to_json(names))}")
    file.write("\n]}\n")
