"""Name the files of the site, and write figures as its pages show them."""

from lsemvae.evaluation.report.written import NONE
from lsemvae.evaluation.runs import data_label, derived_notes
from lsemvae.leaderboard.board import Board, Question
from lsemvae.leaderboard.scoring import Figure
from lsemvae.leaderboard.statement import Entry
from lsemvae.leaderboard.submission import Row

SYNTHETIC = (
    "SYNTHETIC recordings: simulated ECGs, not patients. No number here says anything about a "
    "diagnosis."
)
PRETRAINED = {
    False: "shares no patient, as far as compared or stated",
    True: "SAW test patients, without labels",
    None: "not known, so it was not compared",
}


def row_page(name: str) -> str:
    """Return the address of a row's page, seen from the first one."""
    return f"rows/{name}.html"


def entry_anchor(row: Row, entry: Entry) -> str:
    """Return the anchor of an entry on its row's page."""
    return f"predictions_{row.statement.predictions.index(entry)}"


def predictions_file(name: str, entry: Entry) -> str:
    """Return the path of an entry's public predictions."""
    return f"predictions/{name}/{entry.key}.csv"


def folds_file(question: Question) -> str:
    """Return the path of a question's public folds."""
    return f"folds/{question.file}"


def shown_data(board: Board) -> str:
    """Return the label of the data, with a warning where any of it is synthetic or derived."""
    return data_label(board.data, board.synthetic, derived_notes(board.derived))


def shown(figure: Figure, sign: str = "") -> str:
    """Return a figure with its interval; without one the reason.

    Args:
        figure: of a row.
        sign: `+` where it is a difference.
    """
    if figure.value is None:
        return f"{NONE}: {figure.why}" if figure.why else NONE
    form = f"{sign}.{2 if figure.metric.endswith(')') else 3}f"
    if figure.low is None or figure.high is None:
        return format(figure.value, form)
    return f"{figure.value:{form}} [{figure.low:{form}}, {figure.high:{form}}]"
