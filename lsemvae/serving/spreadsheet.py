"""Write a worklist as CSV that no spreadsheet takes for formulas."""

import io
from collections.abc import Sequence

from lsemvae.predicting.outcome import Row
from lsemvae.predicting.output import write_csv
from lsemvae.serving.recordings import Entry

FORMULA_SIGNS = ("=", "+", "-", "@")


def worklist_csv(entries: Sequence[Entry]) -> str:
    """Return the rows under the column names of `lsemvae predict`."""
    text = io.StringIO(newline="")
    write_csv(text, (_harmless(entry.row) for entry in entries), {})
    return text.getvalue()


def _harmless(row: Row) -> Row:
    """Quote texts that begin like a formula: files and their names come from anybody."""
    return row._replace(recording=_quoted(row.recording), message=_quoted(row.message))


def _quoted(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text
