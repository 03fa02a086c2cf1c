"""Train a small network on a device: resumed against unbroken, two processes against one."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu_step import Check
from benchmarks.silent import run_command
from lsemvae.core.experiments import experiment

ROOT = Path(__file__).parents[1]
BEATS = ["--signal.segment", "median_beat", "--signal.sampling_rate_hz", "100"]
NETWORK = "--model.init_args.network.init_args"
SAMPLES, LATENT = "120", "4"  # of tests/distributed_run.py
LAST = "checkpoints/last.ckpt"
CURVES_APART = 1e-3  # relative, of sums in another order through two epochs


def make_store(folder: Path, kind: str) -> Path:
    """Write and prepare a few synthetic recordings, `mimic` or `cohort`; once."""
    source, store = folder / "recordings", folder / f"{kind}.h5"
    if not source.is_dir():
        run_command("synthesize", "--out", str(source), "--n_patients", "60",
                    "--n_pretraining_patients", "12")  # fmt: skip
    if not store.is_file():
        own = source / kind
        place = ["--table", str(own / "cohort.csv"), "--source", str(own / "records")]
        where = place if kind == "cohort" else ["--source", str(own)]
        run_command("prepare", kind, *where, "--out", str(store), *BEATS)
    return store


def fit(store: Path, folder: Path, device: str, *more: str) -> Path:
    """Pre-train two epochs, deterministic, and return the last checkpoint."""
    run_command(
        "fit", "--config", str(experiment("demo/pretrain.yaml")), f"{NETWORK}.n_samples", SAMPLES,
        f"{NETWORK}.latent_dim", LATENT, "--data.init_args.store", str(store),
        "--data.init_args.batch_size", "5", "--trainer.max_epochs", "2",
        "--trainer.enable_progress_bar", "false", "--trainer.deterministic", "true",
        "--trainer.accelerator", device, "--trainer.devices", "1",
        "--trainer.default_root_dir", str(folder),
        "--trainer.logger.init_args.save_dir", str(folder), *more,
    )  # fmt: skip
    return folder / LAST


def check_resume(folder: Path, device: str) -> Check:
    """Compare weights and moments of a run that was cut within an epoch with an unbroken one's."""
    store = make_store(folder, "mimic")
    try:
        differ = differing(*_unbroken_and_resumed(store, folder, device))
    finally:  # or all that is timed afterwards would keep to deterministic algorithms
        torch.use_deterministic_algorithms(False)
    return Check("run resumed within an epoch against one unbroken, weights and moments",
                 f"{differ} tensors differ", "to the bit", differ == 0)  # fmt: skip


def _unbroken_and_resumed(store: Path, folder: Path, device: str) -> tuple[Path, Path]:
    every_step = ["--trainer.callbacks+=lightning.pytorch.callbacks.ModelCheckpoint",
                  "--trainer.callbacks.init_args.every_n_train_steps=1",
                  "--trainer.callbacks.init_args.save_top_k=-1",
                  "--trainer.callbacks.init_args.filename={step}"]  # fmt: skip
    unbroken = fit(store, folder / "unbroken", device, *every_step)
    cut = folder / "unbroken/checkpoints/step=2.ckpt"
    return unbroken, fit(store, folder / "resumed", device, "--ckpt_path", str(cut))


def differing(one: Path, other: Path) -> int:
    """Count the tensors of weights and optimiser that differ in a bit."""
    kept = [torch.load(file, map_location="cpu", weights_only=True) for file in (one, other)]
    names = ("state_dict", "optimizer_states")
    left, right = ([t for name in names for t in tensors(one[name])] for one in kept)
    apart = sum(not torch.equal(a, b) for a, b in zip(left, right, strict=False))
    return apart + abs(len(left) - len(right))


def tensors(value: Any) -> list[torch.Tensor]:
    """Return all tensors of nested dictionaries and lists, in their order."""
    if isinstance(value, torch.Tensor):
        return [value]
    inner = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(inner, list | tuple):
        return []
    return [tensor for one in inner for tensor in tensors(one)]


def check_two_processes(folder: Path, device: str) -> list[Check]:
    """Compare the loss curves of two processes and of one with the same global batch.

    Nothing where there are not two cards.
    """
    if torch.device(device).type != "cuda" or torch.cuda.device_count() < 2:
        return []
    stores = [str(make_store(folder, kind)) for kind in ("mimic", "cohort")]
    curves = []
    for number, batch in ((1, "8"), (2, "4")):
        out = folder / f"processes_{number}"
        out.mkdir()
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone",
                   f"--nproc_per_node={number}", str(ROOT / "tests/distributed_run.py"), str(out),
                   *stores, batch, "whole"]  # fmt: skip
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "ACCELERATOR": "cuda"}
        subprocess.run(command, env=environment, check=True, capture_output=True)
        logged = json.loads((out / "rank_0.json").read_text())["logged"]
        curves.append([*logged["train/loss"], *logged["val/loss"]])
    apart = max(abs(a - b) / abs(b) for a, b in zip(*curves, strict=True))
    return [Check("loss curves of two processes and of one, relative", f"{apart:.1e}",
                  f"{CURVES_APART:.0e}", apart <= CURVES_APART)]  # fmt: skip
