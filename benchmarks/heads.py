"""Time the way from recordings to heads: features once, then a head for every fold."""

import contextlib
import io
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.quiet import timed
from data_modules.dataset import EcgPool
from data_modules.rhc_cohort import RhcCohort
from lsemvae.cli import main as lsemvae
from lsemvae.crossval.features import cached_features
from lsemvae.models import LsEmvae, load_pretrained
from lsemvae.models.checkpoint import (
    INPUT_KEY,
    NETWORK_KEY,
    NETWORK_PREFIX,
    DataState,
    describe_network,
)


def write_encoder(file: Path, network: LsEmvae, store: Path) -> None:
    """Write a checkpoint as the Pretrainer would, for the recordings of a store."""
    pool = EcgPool([str(store)])
    data = DataState(pool.ecg_input, pool.label, pool.synthetic, True, "none")
    state = {NETWORK_PREFIX + name: value for name, value in network.state_dict().items()}
    described = {**data._asdict(), INPUT_KEY: list(pool.ecg_input)}
    checkpoint = {"state_dict": state, NETWORK_KEY: describe_network(network), "data": described}
    torch.save(checkpoint, file)


def make_cohort(folder: Path, n_patients: int, signal: Sequence[str]) -> Path:
    """Write and prepare a synthetic cohort."""
    source, store = folder / "recordings", folder / "cohort.h5"
    _run(["synthesize", "--out", str(source), "--n_patients", str(n_patients),
          "--n_pretraining_patients", "2"])  # fmt: skip
    _run(["prepare", "cohort", "--table", str(source / "cohort/cohort.csv"), "--source",
          str(source / "cohort/records"), "--out", str(store), *signal])  # fmt: skip
    return store


def _run(arguments: list[str]) -> None:
    """Run a command of lsemvae without its output.

    Raises:
        RuntimeError: it failed.
    """
    with contextlib.redirect_stdout(io.StringIO()) as said:
        if lsemvae(arguments):
            raise RuntimeError(f"lsemvae {' '.join(arguments)} failed: {said.getvalue()}")


def measure_heads(
    folder: Path, *, n_patients: int, latent: int, epochs: int, folds: int, signal: Sequence[str]
) -> list[dict[str, Any]]:
    """Time features and heads of a cross-validation for 12 and 6 leads."""
    store, encoder, out = make_cohort(folder, n_patients, signal), folder / "encoder", folder / "cv"
    n_samples = RhcCohort(str(store), "detection").ecg_input.n_samples
    torch.manual_seed(0)
    write_encoder(encoder, LsEmvae(n_samples, latent), store)
    pretrained, rows = load_pretrained(str(encoder)), []
    for n_leads in (12, 6):
        data = RhcCohort(str(store), "detection", leads=n_leads)
        command = ["cv", "--leads", str(n_leads), "--cohort", str(store), "--encoder", str(encoder),
                   "--folds", str(folds), "--epochs", str(epochs), "--inner", "false", "--out",
                   str(out)]  # fmt: skip
        encode = partial(cached_features, pretrained, data, out / "features")
        features, heads = timed(encode), timed(partial(_run, command))
        rows.append({
            "leads": n_leads, "records": len(data.pool), "folds": folds, "epochs": epochs,
            "features_s": features.seconds, "heads_s": heads.seconds,
            "others_cpu_share": max(features.others, heads.others),
        })  # fmt: skip
    return rows
