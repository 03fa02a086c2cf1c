"""Kill a process while it writes checkpoints, and look at what it leaves: ours beside Lightning's.

A child writes one checkpoint after another to the same file, $TMPDIR being another file system; it
is killed (SIGKILL) at a random moment. The file is corrupt when it does not load, or does not hold
one of the checkpoints whole. Prints JSON: `python -m benchmarks.torture_checkpoint --help`.
"""

import argparse
import json
import multiprocessing
import random
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import CheckpointIO, TorchCheckpointIO

from lsemvae.callbacks import HashedCheckpointIO

WRITERS: dict[str, type[CheckpointIO]] = {
    "lsemvae": HashedCheckpointIO,
    "lightning": TorchCheckpointIO,
}
N_TENSORS = 8


def write_for_ever(writer: str, file: Path, tmp: Path, megabytes: float, told: Connection) -> None:
    """Write checkpoints whose every number is the number of the checkpoint."""
    tempfile.tempdir = str(tmp)  # what $TMPDIR sets
    io, size = WRITERS[writer](), int(megabytes * 2**20 / 4 / N_TENSORS)
    for number in range(1_000_000):
        weights = {str(i): torch.full((size,), float(number)) for i in range(N_TENSORS)}
        io.save_checkpoint({"state_dict": weights}, file)
        told.send(number)


def is_whole(writer: str, file: Path) -> bool:
    """Return whether a file loads and holds one checkpoint."""
    try:
        weights = WRITERS[writer]().load_checkpoint(file, weights_only=True)["state_dict"]
    except Exception:  # whatever it is, the checkpoint is lost
        return False
    values = torch.cat([tensor.unique() for tensor in weights.values()])
    return len(weights) == N_TENSORS and len(values.unique()) == 1


def torture(
    writer: str, folder: Path, tmp: Path, *, n_kills: int, megabytes: float, seed: int = 0
) -> dict[str, Any]:
    """Return how many of `n_kills` files were corrupt.

    Args:
        writer: a key of WRITERS.
        folder: where the checkpoint goes.
        tmp: the child's $TMPDIR.
        n_kills: children, one after another.
        megabytes: size of the checkpoint.
        seed: of the moments.
    """
    moments, n_corrupt = random.Random(seed), 0
    fork = multiprocessing.get_context("fork")
    for kill in range(n_kills):
        file = folder / f"{writer}_{kill}" / "last.ckpt"
        ours, theirs = fork.Pipe()
        arguments = (writer, file, tmp, megabytes, theirs)
        child = fork.Process(target=write_for_ever, args=arguments, daemon=True)
        child.start()
        ours.recv()  # from here on there is a good checkpoint to lose
        began = time.monotonic()
        ours.recv()
        time.sleep(moments.uniform(0.0, 2.0) * (time.monotonic() - began))
        child.kill()
        child.join()
        n_corrupt += not is_whole(writer, file)
    return {"writer": writer, "kills": n_kills, "corrupt": n_corrupt, "megabytes": megabytes}


def main() -> None:
    """Read the arguments and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", default=".", help="on a disk; a folder is made in it")
    parser.add_argument("--tmp", default="/dev/shm", help="on another file system")
    parser.add_argument("--n_kills", type=int, default=20)
    parser.add_argument("--megabytes", type=float, default=48.0)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(dir=given.folder) as folder,
        tempfile.TemporaryDirectory(dir=given.tmp) as tmp,
    ):
        results = [
            torture(
                writer, Path(folder), Path(tmp), n_kills=given.n_kills,
                megabytes=given.megabytes, seed=given.seed,
            )
            for writer in WRITERS
        ]  # fmt: skip
        two = Path(folder).stat().st_dev != Path(tmp).stat().st_dev
    print(json.dumps({"two_file_systems": two, "results": results}, indent=1))


if __name__ == "__main__":
    main()
