"""State where a result came from: code, packages, machine."""

import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = ("lsemvae", "torch", "lightning", "torchmetrics", "numpy", "scipy", "wfdb", "h5py")


def provenance() -> dict[str, Any]:
    """Return code version, package versions and machine, without host or user names.

    The seed is not among them: the environment holds that of the last fold. It stands with the
    settings of a run.
    """
    return {
        "versions": {name: version(name) for name in PACKAGES},
        "python": sys.version.split()[0],
        "git_commit": git_commit(Path(__file__).parent),
        "machine": platform.machine(),
        "n_cpus": os.cpu_count(),
        "n_threads": os.environ.get("OMP_NUM_THREADS", "not set"),
        "accelerator": _accelerator(),
    }


def _accelerator() -> str:
    """Name the GPU of a process that computes with torch; one that does not has none."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return "CPU"
    name: str = torch.cuda.get_device_name()
    return name


def git_commit(folder: Path) -> str:
    """Return the commit of a checkout, with `-dirty` where files of it are changed, or say why not.

    `git describe --dirty` would take the lock of the index whatever it is told, and leave it there
    when it is killed or the disk is full; `git status` does without.
    """
    try:
        commit = _git(folder, "describe", "--always", "--abbrev=12")
        changed = bool(commit) and _git(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.TimeoutExpired):
        return "no git"
    return f"{commit}-dirty" if changed else commit or "no git checkout"


def _git(folder: Path, *words: str) -> str:
    command = ["git", "--no-optional-locks", "-C", str(folder), *words]
    found = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    return found.stdout.strip()
