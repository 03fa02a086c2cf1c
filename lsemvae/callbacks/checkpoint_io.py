"""What Lightning reads and writes its checkpoints with."""

import os
from typing import Any

from lightning.pytorch.plugins.io import CheckpointIO

from lsemvae.models.checkpoint_file import (
    digest_file,
    local_path,
    read_checkpoint,
    write_checkpoint,
)

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
