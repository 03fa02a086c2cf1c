"""Read and write Lightning's checkpoints safely."""

import os
from typing import Any

from lightning.pytorch.plugins.io import CheckpointIO, TorchCheckpointIO
from lightning.pytorch.strategies import Strategy

from lsemvae.core.errors import InputError
from lsemvae.core.files import digest_file
from lsemvae.models.checkpoint_file import local_path, read_checkpoint, write_checkpoint

FilePath = str | os.PathLike[str]


class HashedCheckpointIO(CheckpointIO):
    """Local checkpoints written in one step, with a SHA-256 that is compared when they are read.

    Lightning's own stages a file in $TMPDIR and copies it where that is another file system: a run
    that is killed meanwhile leaves half of it in the place of the last good one.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: FilePath, storage_options: Any = None
    ) -> None:
        """Write a checkpoint; see `write_checkpoint`."""
        write_checkpoint(checkpoint, local_path(path))

    def load_checkpoint(
        self, path: FilePath, map_location: Any = None, weights_only: bool | None = True
    ) -> dict[str, Any]:
        """Read a checkpoint onto the CPU, weights only whatever is asked; see `read_checkpoint`."""
        return read_checkpoint(local_path(path))

    def remove_checkpoint(self, path: FilePath) -> None:
        """Remove a checkpoint and its digest."""
        file = local_path(path)
        file.unlink(missing_ok=True)
        digest_file(file).unlink(missing_ok=True)


def load_safely(strategy: Strategy) -> None:
    """Let a strategy read and write through `HashedCheckpointIO`, whatever was chosen.

    All loading of a Trainer goes through `Strategy.load_checkpoint` and the IO that it holds.

    Raises:
        InputError: the strategy reads by itself, or another IO was chosen.
    """
    kind = type(strategy)
    if (kind.load_checkpoint, kind.checkpoint_io) != (
        Strategy.load_checkpoint,
        Strategy.checkpoint_io,
    ):
        raise InputError(
            f"{kind.__name__} reads checkpoints by itself, past the checks (weights "
            "only, local, the digest that was written); use --trainer.strategy=auto, or ddp for "
            "several devices"
        )
    given = strategy.checkpoint_io
    if type(given) not in (TorchCheckpointIO, HashedCheckpointIO):
        raise InputError(
            f"trainer.plugins names {type(given).__name__}, which reads and writes checkpoints "
            "without the checks (weights only, local, the digest that was written); leave it out"
        )
    strategy.checkpoint_io = HashedCheckpointIO()
