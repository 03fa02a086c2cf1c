"""Write a worklist as CSV that no spreadsheet takes for formulas."""

import io
from collections.abc import Sequence

from lsemvae.predicting.output import write_csv
from lsemvae.serving.recordings import Entry


def worklist_csv(entries: Sequence[Entry]) -> str:
    """Return the rows under the column names of `lsemvae predict`."""
    text = io.StringIO(newline="")
    write_csv(text, (entry.row for entry in entries), {})
    return text.getvalue()
