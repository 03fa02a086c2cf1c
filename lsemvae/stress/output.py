"""Write the stress table: numbers, table and figure."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lsemvae.core.counted import counted
from lsemvae.core.figure_files import save_figure
from lsemvae.core.files import write_text
from lsemvae.core.outputs import check_output_file
from lsemvae.core.printable import say
from lsemvae.core.sealed_json import write_json
from lsemvae.evaluation.plots.stress import stress_figure
from lsemvae.evaluation.report.stress import FIGURE, FORMAT, NUMBERS, guess_text, left_out_text
from lsemvae.evaluation.runs import data_label
from lsemvae.evaluation.statistics.json_values import to_json
from lsemvae.stress.run import Measured, table_of

VERSION = 1
TABLE, TABLE_HEAD = "stress.csv", b"shift,dose,unit,"
FILES = (TABLE, FIGURE)


def check_stress_folder(out: Path) -> None:
    """Check that a folder holds no file of somebody else under our names.

    Raises:
        InputError: names what would be lost.
    """
    if (out / NUMBERS).exists():
        check_output_file(out / NUMBERS, mark=f'"format": "{FORMAT}"'.encode())
        return
    check_output_file(out / TABLE, mark=TABLE_HEAD)
    if (out / TABLE).exists():
        return  # a stress test that was interrupted: this file is its first, the numbers its last
    for name in FILES:
        check_output_file(out / name, mark=b"lsemvae-stress")


def write_stress(
    out: Path, rows: Sequence[Measured], about: dict[str, Any], skipped: dict[str, str]
) -> None:
    """Write stress.json, stress.csv and stress.svg, and say it where the model only guesses.

    Args:
        out: the folder.
        rows: the first is of the recordings as they are.
        about: the model and the recordings.
        skipped: for each shift that says nothing here, why.
    """
    table = table_of(rows)
    numbers = {"format": FORMAT, "version": VERSION, **about, "not_possible": skipped,
               "rows": table}  # fmt: skip
    write_text(out / TABLE, table.to_csv(index=False))
    data = data_label(about["data"], about["synthetic"])
    if about["caution"]:
        say(f"warning: {about['caution']}")
    left_out = left_out_text(about["left_out"])
    if left_out:
        say(left_out[0].lower() + left_out[1:])
    guess = guess_text([{str(name): cell for name, cell in table.iloc[0].items()}])
    if guess:
        say(f"warning: {guess}")
    title = f"{about['task']} on {data}, {counted(about['n_recordings'], 'recording')}"
    figure = stress_figure(table, "\n".join([title, *([guess] if guess else [])]))
    save_figure(figure, out / FIGURE)
    write_json(out / NUMBERS, to_json(numbers), FILES)
