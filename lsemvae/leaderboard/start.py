"""Begin a leaderboard from finished cross-validations and their store."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from data_modules.store.read import EcgStore
from lsemvae.core.errors import InputError
from lsemvae.core.tasks import SETTINGS, Thresholds
from lsemvae.core.whole_folder import whole_folder
from lsemvae.evaluation.report.verify import verify_runs
from lsemvae.evaluation.runs import CvRun
from lsemvae.leaderboard.board import KEYS, Board, Question, read_board, write_board
from lsemvae.leaderboard.pack import OURS, pack_method, read_runs
from lsemvae.leaderboard.rows import accept_rows
from lsemvae.leaderboard.submission import Row
from lsemvae.models.methods import METHODS
from lsemvae.report_evidence.cohort import verify_against_store


def start_board(
    folders: Sequence[str], cohort: str, out: Path, *, title: str, allow_leakage: bool,
    licence: str | None,
) -> list[Row]:  # fmt: skip
    """Freeze the folds and labels of finished runs, and accept the runs as the first rows.

    Args:
        folders: of runs, or above them.
        cohort: the store that they ran on.
        out: folder of the leaderboard, which must not be there yet.
        title: of the site.
        allow_leakage: show encoders that saw test patients, apart.
        licence: of networks that are not the package's.

    Raises:
        InputError: the runs do not belong together, or one of them cannot be a row.
    """
    if out.exists():
        raise InputError(f"{out} exists; name a new folder with --out, or add rows to it")
    runs, store = read_runs(folders), EcgStore(cohort)
    verify_runs(runs)
    verify_against_store(store, runs)
    board = _board(runs, store, title, allow_leakage)
    with whole_folder(out, new=True) as begun:
        write_board(begun, board)
        with TemporaryDirectory(dir=begun) as packed:
            rows = pack_all(runs, Path(packed), licence)
            return accept_rows(begun, read_board(begun), rows)


def pack_all(runs: Sequence[CvRun], out: Path, licence: str | None) -> list[Path]:
    """Write the folder of a row for every method of some runs."""
    return [
        pack_method(
            [run for run in runs if run.metrics["method"] == name], out / name,
            class_path=class_path_of(next(r for r in runs if r.metrics["method"] == name)),
            licence=licence_of(name, licence), title=None,
        )
        for name in dict.fromkeys(run.metrics["method"] for run in runs)
    ]  # fmt: skip


def licence_of(method: str, given: str | None) -> str | None:
    """Return the licence of a method of the package, or what was given for another."""
    return OURS if method in METHODS else given


def class_path_of(run: CvRun) -> str:
    """Return the class of a run's network; empty where it is somebody else's encoder."""
    network = run.metrics.get("network")
    if network is not None:
        return str(network.get("class_path", ""))
    method = run.metrics["method"]
    if method not in METHODS:
        raise InputError(f"{run.folder}: no class of the method {method} is known; run it again")
    return METHODS[method].class_path


def _board(
    runs: Sequence[CvRun], store: EcgStore, title: str, allow_leakage: bool
) -> Board:  # fmt: skip
    first = runs[0].metrics
    questions: dict[str, Question] = {}
    for run in runs:
        questions.setdefault(run.metrics["task"], _question(run, store))
    derived = {way: n for run in runs for way, n in run.metrics.get("derived", {}).items()}
    return Board(
        title, first["data"], any(run.metrics["synthetic"] for run in runs), derived, store.sha256,
        tuple(dict.fromkeys(run.leads for run in runs)), allow_leakage, questions,
    )  # fmt: skip


def _question(run: CvRun, store: EcgStore) -> Question:
    digest = store.table.set_index("record")["signal_sha256"]
    table = run.predictions.sort_values("record", ignore_index=True)
    table = table.assign(signal_sha256=table["record"].map(digest))
    thresholds = Thresholds.of_settings(run.metrics).as_settings()
    known = {name: thresholds[name] for name in SETTINGS.values()}
    return Question(run.metrics["task"], run.target, run.metrics["splits_sha256"], known,
                    table[[*KEYS, *run.target.truth]])  # fmt: skip
