"""Keep what an earlier run left in a folder."""

import sys
from pathlib import Path
from typing import Any

from lightning import Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.outputs import refuse_foreign
from lsemvae.core.printable import say

# What a run writes beside its log -> what the head of ours holds.
MARKS = {"config.yaml": b"lightning.pytorch==", "metrics.csv": b"step",
         "provenance.json": b'"versions"'}  # fmt: skip


def refuse_to_replace(trainer: Trainer, settings: Any) -> None:
    """Refuse to fit anew where a run has left its checkpoints, or its log where it keeps none.

    Args:
        trainer: built, not started.
        settings: of `fit`, with `ckpt_path` and `overwrite`.

    Raises:
        InputError: names a file that would be replaced, and the ways out.
    """
    _refuse_foreign_files(_log_folders(trainer) or [Path(trainer.default_root_dir)])
    if settings.ckpt_path is not None or settings.overwrite:
        return
    found = [file for folder in _checkpoint_folders(trainer) for file in folder.glob("*.ckpt")]
    if not trainer.checkpoint_callbacks:
        found = [folder / "metrics.csv" for folder in _log_folders(trainer)]
    for file in sorted(found):
        if file.is_file() and file.stat().st_size:
            raise InputError(
                f"{file} is of a run that was made here; its checkpoint, log and configuration "
                f"would be replaced. Go on with it by --ckpt_path={_to_go_on_with(file)}, name "
                "other folders (trainer.default_root_dir and the logger's save_dir), or replace it "
                "by --overwrite=true"
            )


def _refuse_foreign_files(folders: list[Path]) -> None:
    """Refuse a folder with somebody else's files under our names, such as a config.yaml."""
    for path in [folder / name for folder in folders for name in MARKS]:
        if path.is_file():
            way_out = "name another folder (trainer.default_root_dir and the logger's save_dir)"
            refuse_foreign(path, mark=MARKS[path.name], way_out=way_out)


def tell_what_stayed(trainer: Trainer, settings: Any, since: float) -> None:
    """Name the checkpoints of an earlier run that a new one did not replace: names hold epochs.

    Args:
        trainer: of a fit that has ended.
        settings: of `fit`, with `ckpt_path` and `overwrite`.
        since: seconds of the clock when the fit began.
    """
    if settings.ckpt_path is not None or not settings.overwrite or not trainer.is_global_zero:
        return
    found = {file for folder in _checkpoint_folders(trainer) for file in folder.glob("*.ckpt")}
    older = sorted(file for file in found if file.stat().st_mtime < since)
    if older:
        say(
            f"note: {counted(len(older), 'checkpoint')} of an earlier run stayed beside the new "
            f"one, remove what you do not need: {', '.join(map(str, older[:5]))}",
            file=sys.stderr,
        )


def _to_go_on_with(file: Path) -> str:
    return str(file) if file.suffix == ".ckpt" else "last"


def _log_folders(trainer: Trainer) -> list[Path]:
    """Return where the loggers write; without asking the Trainer, which asks other processes."""
    return [
        Path(logger.log_dir)
        for logger in trainer.loggers
        if isinstance(logger, CSVLogger | TensorBoardLogger)
    ]


def _checkpoint_folders(trainer: Trainer) -> list[Path]:
    """Return where ModelCheckpoint will write, as it finds it when a fit begins."""
    beside = [folder / "checkpoints" for folder in _log_folders(trainer)]
    beside = beside or [Path(trainer.default_root_dir) / "checkpoints"]
    given = [
        Path(one.dirpath) if one.dirpath else None
        for one in trainer.checkpoint_callbacks
        if isinstance(one, ModelCheckpoint)
    ]
    return [folder or beside[0] for folder in given]
