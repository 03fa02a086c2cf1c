"""Check what batch normalisation asks of a batch."""

from torch import Tensor

from lsemvae.core.errors import InputError


def refuse_single_record(ecg: Tensor, *, training: bool) -> None:
    """Refuse to train on one recording: its statistics are its own, or of a single number.

    Args:
        ecg: (B, L, T).
        training: whether statistics come from this batch.

    Raises:
        InputError: a batch of one in training mode.
    """
    if training and len(ecg) == 1:
        raise InputError(
            "batch normalisation needs two or more recordings in a training batch, got 1; raise "
            "the batch size, or call eval() where nothing is trained"
        )
