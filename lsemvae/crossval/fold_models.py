"""Read the classifiers that a cross-validation left behind, one per fold."""

from collections.abc import Sequence
from pathlib import Path

from lsemvae.core.errors import InputError
from lsemvae.core.files import file_sha256
from lsemvae.core.made_for import MadeFor
from lsemvae.core.sealed_json import read_json
from lsemvae.core.types import EcgInput
from lsemvae.crossval.folds import FILES, FINISHED, FoldSettings, fold_task
from lsemvae.models.checkpoint_file import read_checkpoint
from lsemvae.tasks import Classifier
from lsemvae.tasks.head_task import HeadTask

CHECKPOINT = "last.ckpt"
AGAIN = "run `lsemvae cv` again with the same options"


def check_folds(folders: Sequence[Path]) -> None:
    """Make sure that every fold is finished.

    Raises:
        InputError: names every file that is missing.
    """
    files = [folder / name for folder in folders for name in (FINISHED, CHECKPOINT)]
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        raise InputError(f"{', '.join(missing)} not found; run `lsemvae cv` to the end first")


def check_checkpoint(folder: Path) -> None:
    """Make sure that the classifier of a fold is the one that the fold was finished with.

    Settings name no task and no fold, so another run's classifier of the same leads would pass.

    Raises:
        InputError: it is another one, or was changed.
    """
    kept = read_json(folder / FINISHED, AGAIN, needs=("method",)).get(FILES) or {}
    file = folder / CHECKPOINT
    if kept.get(CHECKPOINT) not in (None, file_sha256(file)):
        raise InputError(
            f"{file} is not the one that this fold was finished with (another one, or changed); "
            f"{AGAIN}: this fold is trained anew"
        )


def read_settings(folder: Path) -> FoldSettings:
    """Return what a finished fold was trained with.

    Raises:
        InputError: the file of its settings is empty, cut or changed.
    """
    kept = read_json(folder / FINISHED, AGAIN, needs=("method",))
    kept.pop(FILES, None)
    try:
        return FoldSettings(**kept)
    except TypeError as error:
        raise InputError(
            f"{folder / FINISHED} is changed, or of another version ({error}); {AGAIN}"
        ) from error


def load_fold(folder: Path, encoder: str | None, ecg_input: EcgInput) -> Classifier:
    """Return the classifier of a finished fold, in eval mode and with nothing to train.

    Args:
        folder: `fold_K` of a cross-validation.
        encoder: checkpoint of the frozen encoder, None where the method has none.
        ecg_input: what the recordings are.

    Raises:
        InputError: the fold is not finished, or was trained on another encoder or other recordings,
            or predicts something else than one yes or no.
    """
    task = load_head(folder, encoder, ecg_input)
    if not isinstance(task, Classifier):
        raise InputError(f"{folder} holds no classifier of a yes or no; name a run of such a task")
    return task


def load_head(folder: Path, encoder: str | None, ecg_input: EcgInput) -> HeadTask:
    """Return what a finished fold has learnt, whatever it predicts; arguments as above.

    Raises:
        InputError: the fold is not finished, or was trained on another encoder or other recordings,
            or its checkpoint is not the one that it was finished with.
    """
    check_folds([folder])
    check_checkpoint(folder)
    settings = read_settings(folder)
    task = fold_task(settings, encoder, ecg_input)
    checkpoint = read_checkpoint(folder / CHECKPOINT)
    task.made_for = MadeFor(leads=tuple(settings.leads), ecg_input=ecg_input)
    task.on_load_checkpoint(checkpoint)
    task.load_state_dict(checkpoint["state_dict"])
    return task.eval().requires_grad_(False)
