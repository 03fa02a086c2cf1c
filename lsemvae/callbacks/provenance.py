"""Write down where a run came from."""

import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer

PACKAGES = ("lsemvae", "torch", "lightning", "torchmetrics", "numpy", "scipy", "wfdb", "h5py")


def provenance() -> dict[str, Any]:
    """Return code version, package versions, machine and seed, without host or user names."""
    return {
        "versions": {name: version(name) for name in PACKAGES},
        "python": sys.version.split()[0],
        "git_commit": _git_commit(),
        "machine": platform.machine(),
        "n_cpus": os.cpu_count(),
        "accelerator": torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU",
        "seed": os.environ.get("PL_GLOBAL_SEED", "not set"),
    }


def _git_commit() -> str:
    """Return the commit of the installed code, or say that there is none."""
    here = Path(__file__).parent
    command = ["git", "-C", str(here), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return "no git"
    return found.stdout.strip() or "no git checkout"


class ProvenanceWriter(Callback):
    """Write `provenance.json` into the logger's folder when a run begins."""

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Write the file."""
        log_dir = trainer.log_dir  # every process must ask as often: it is broadcast
        if stage != "fit" or log_dir is None or not trainer.is_global_zero:
            return
        folder = Path(log_dir)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "provenance.json").write_text(json.dumps(provenance(), indent=1) + "\n")
