"""The classifiers that a cross-validation left behind, one per fold."""

import json
from pathlib import Path

import torch

from lsemvae.commands.folds import FINISHED, FoldSettings, _task
from lsemvae.errors import InputError
from lsemvae.tasks import Classifier
from lsemvae.types import EcgInput


def load_fold(folder: Path, encoder: str | None, ecg_input: EcgInput) -> Classifier:
    """Return the classifier of a finished fold, in eval mode and with nothing to train.

    Args:
        folder: `fold_K` of a cross-validation.
        encoder: checkpoint of the frozen encoder, None where the method has none.
        ecg_input: what the recordings are.

    Raises:
        InputError: the fold is not finished, or was trained on another encoder.
    """
    settings, weights = folder / FINISHED, folder / "last.ckpt"
    missing = [str(file) for file in (settings, weights) if not file.is_file()]
    if missing:
        raise InputError(f"{' and '.join(missing)} not found; run `lsemvae cv` to the end first")
    task = _task(FoldSettings(**json.loads(settings.read_text())), encoder, ecg_input.n_samples)
    checkpoint = torch.load(weights, map_location="cpu", weights_only=True)
    task.on_load_checkpoint(checkpoint)
    task.load_state_dict(checkpoint["state_dict"])
    return task.eval().requires_grad_(False)
