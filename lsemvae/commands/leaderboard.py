"""Begin a leaderboard, hand in a row, accept it, and build the static site."""

from pathlib import Path

from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.printable import say


def start(
    runs: list[str],
    cohort: str,
    *,
    out: str = "leaderboard",
    title: str = "Leaderboard",
    licence: str | None = None,
    allow_leakage: bool = False,
) -> Path:
    """Begin a leaderboard: freeze folds and labels of finished runs, its first rows.

    The folder holds labels and patient ids: it stays with the maintainer. `leaderboard build` makes
    the site, which holds neither.

    Args:
        runs: folders of `lsemvae cv` or `benchmark`, or folders above them.
        cohort: the store that they ran on.
        out: folder of the leaderboard.
        title: of the site.
        licence: of networks that are not the package's own.
        allow_leakage: show encoders that saw test patients, apart from the others; without it they
            are refused.

    Returns:
        The folder.
    """
    from lsemvae.leaderboard.start import start_board

    rows = start_board(runs, cohort, Path(out), title=title, allow_leakage=allow_leakage,
                       licence=licence)  # fmt: skip
    say(f"leaderboard: {out}, rows: {len(rows)}; keep it: it holds labels and patient ids")
    return Path(out)


def pack(
    runs: list[str],
    *,
    out: str,
    licence: str | None = None,
    title: str | None = None,
    trained_on: str | None = None,
) -> Path:
    """Make the folder that is handed in, from finished runs of one method.

    Args:
        runs: folders of `lsemvae cv`, or folders above them.
        out: folder of the row: statement.yaml and the predictions.
        licence: of code and weights; required for a network of your own.
        title: of the method, as the site shows it.
        trained_on: trained_on.npz of the encoder's pre-training, whose hashes are compared with
            the leaderboard's patients.

    Returns:
        The folder.
    """
    from lsemvae.leaderboard.pack import pack_method, read_runs
    from lsemvae.leaderboard.start import class_path_of, licence_of

    found = read_runs(runs)
    names = list(dict.fromkeys(run.metrics["method"] for run in found))
    if len(names) > 1:
        raise InputError(f"a row is one method, got {', '.join(names)}; name the folders of one")
    folder = pack_method(
        found, Path(out), class_path=class_path_of(found[0]), title=title,
        licence=licence or licence_of(names[0], None), trained_on=trained_on,
    )  # fmt: skip
    say(f"row: {folder}; give this folder to the maintainer of the leaderboard")
    return folder


def add(rows: list[str], *, board: str = "leaderboard") -> None:
    """Check rows that are handed in, score them, and accept all of them or none.

    Refused in one line: edited, missing, doubled or foreign predictions, other folds, labels or
    cohort, leaks, copies of another row, and whatever else is not as the statement says.

    Args:
        rows: folders with statement.yaml and the predictions that it names.
        board: folder of the leaderboard.
    """
    from lsemvae.leaderboard.addresses import shown
    from lsemvae.leaderboard.board import read_board
    from lsemvae.leaderboard.rows import accept_rows
    from lsemvae.leaderboard.scoring import score_rows

    found = read_board(Path(board))
    accepted = accept_rows(Path(board), found, [Path(row) for row in rows])
    for one in score_rows(accepted, found):
        name, first = one.row.statement.name, one.figures[0]
        say(f"{name}, {one.entry.task}, {one.entry.lead_set}: {first.metric} {shown(first)}")
    say(
        f"accepted: {counted(len(accepted), 'row')}; `lsemvae leaderboard build` makes the site "
        "anew"
    )


def build(board: str = "leaderboard", *, out: str = "site") -> Path:
    """Check and score every row again, and write the static site.

    The same files give the same bytes. The site holds predictions and folds by record id, no labels
    and no patient ids.

    Args:
        board: folder of the leaderboard.
        out: folder of the site; an earlier site is replaced.

    Returns:
        The first page.
    """
    from lsemvae.leaderboard.site import build_site

    page = build_site(Path(board), Path(out))
    say(f"site: {page}")
    return page
