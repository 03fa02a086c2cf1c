"""Refuse data, head, probes and fold that do not belong together, before a run begins."""

from pathlib import Path

from lightning import LightningModule, Trainer

from data_modules.base import StoreDataModule
from data_modules.leakage import check_leakage, refuse_leaks
from data_modules.rhc_cohort import RhcCohort
from data_modules.trained_on import FILE_NAME, read_trained_on, write_trained_on
from lsemvae.callbacks import RepresentationProbe
from lsemvae.core.errors import InputError
from lsemvae.core.made_for import MadeFor, check_made_for
from lsemvae.core.printable import say
from lsemvae.models import check_same_input, read_data_state
from lsemvae.models.checkpoint_file import local_path, read_checkpoint
from lsemvae.tasks.head_task import head_made_for

CHECKPOINT_WORDS = ("best", "hpc", "last")  # Lightning finds these by itself


def check_head(head: str | None, data: StoreDataModule, subcommand: str | None) -> MadeFor:
    """Refuse a trained head on other leads, another task, label, kind of recordings or fold.

    Args:
        head: its checkpoint; None, or a word that Lightning finds, is not looked at.
        data: what it is about to be used on.
        subcommand: of LightningCLI.

    Returns:
        What a head for these data is made for.

    Raises:
        InputError: the head was made for something else, or nobody is held out to test it on.
    """
    known = head is not None and head not in CHECKPOINT_WORDS
    made_for = None
    if known:  # before the folds are read, which may be of other labels
        made_for = head_made_for(read_checkpoint(local_path(str(head)), mmap=True))
        check_made_for(str(head), made_for, data.made_for)
    given = _used_on(data, subcommand)
    if made_for is not None:
        check_made_for(str(head), made_for, given)
    return given


def _used_on(data: StoreDataModule, subcommand: str | None) -> MadeFor:
    """Return what a head is about to be used on.

    Raises:
        InputError: nobody is held out whom it could be validated or tested on.
    """
    if not isinstance(data, RhcCohort):
        return data.made_for
    if data.fold is not None or subcommand == "fit":
        return data.made_for_fold
    if subcommand != "predict":
        raise InputError(
            f"data.fold is null, so nobody is held out and {subcommand} has no recordings; give "
            f"data.fold a number from 0 to {data.n_folds - 1}"
        )
    say("note: data.fold is null: all recordings are predicted, those of the training too")
    return data.made_for


def check_probes(trainer: Trainer, data: StoreDataModule) -> None:
    """Refuse a probe's recordings that are unlike those of the training.

    Raises:
        InputError: they differ in rate, length, unit or filter.
    """
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        probed = getattr(callback, "cohort", None)
        if isinstance(callback, RepresentationProbe) and isinstance(probed, StoreDataModule):
            check_same_input("of this training", data.ecg_input, probed.ecg_input)


def check_fold(
    trainer: Trainer, data: RhcCohort, encoder: str | None, *, allow_leakage: bool
) -> None:
    """Refuse leaks as `lsemvae cv` does; warn of callbacks that choose by the held-out fold.

    Raises:
        InputError: parts share patients or recordings, and that is not allowed.
    """
    trained_on = read_data_state(encoder).sha256 if encoder else ""
    found = check_leakage(
        data.pool, data.load_splits().fold, encoder=encoder, trained_on=trained_on
    )
    refuse_leaks(found.leaks, allow_leakage)
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        monitor = getattr(callback, "monitor", None)
        if str(monitor).startswith("val/"):
            say(
                f"warning: {type(callback).__name__} chooses by {monitor}, which is measured "
                f"on the held-out fold {data.fold}: the test score of what it chooses is too "
                "good, and `lsemvae report` takes no such run"
            )


def keep_trained_on(trainer: Trainer, _task: LightningModule, *, data: StoreDataModule) -> None:
    """Write beside the log what a pre-training sees, so that `cv` can compare it with a cohort."""
    log_dir = trainer.log_dir  # every process must ask as often: it is broadcast
    if log_dir is None or not trainer.is_global_zero:
        return
    earlier, before = None, data.earlier_sha256
    if before:  # the weights have seen what the resumed run had seen
        earlier = read_trained_on(Path(str(trainer.ckpt_path)), before)
        if earlier is None:
            (Path(log_dir) / FILE_NAME).unlink(missing_ok=True)
            say(
                f"note: no {FILE_NAME} lies beside {trainer.ckpt_path}, so what it has seen is not "
                "known; `lsemvae cv` cannot compare this encoder's recordings with a cohort's"
            )
            return
    write_trained_on(
        Path(log_dir), data.pool, data.training_rows(), earlier=earlier, sha256=data.seen_sha256
    )
