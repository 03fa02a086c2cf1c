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
        "git_commit": _git_commit(),
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


def _git_commit() -> str:
    """Return the commit of the installed code, or say that there is none."""
    here = Path(__file__).parent
    command = [
        "git",
        "--no-optional-locks",
        "-C",
        str(here),
        "describe",
        "--always",
        "--dirty",
        "--abbrev=12",
    ]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return "no git"
    return found.stdout.strip() or "no git checkout"
