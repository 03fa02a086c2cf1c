"""Time the way from recordings to heads: features once, then a head for every fold.

Run `python -m benchmarks.heads`: with the features at hand, the heads of all folds and inner parts
side by side, one by one by a Trainer each, and side by side for ten draws of the folds. In one
process, so that its start is not counted.
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.machine import describe_machine, write_results
from benchmarks.quiet import timed, wait_for_quiet
from benchmarks.silent import run_command
from data_modules.dataset import EcgPool
from data_modules.rhc_cohort import RhcCohort
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
    run_command("synthesize", "--out", str(source), "--n_patients", str(n_patients),
                "--n_pretraining_patients", "2")  # fmt: skip
    run_command("prepare", "cohort", "--table", str(source / "cohort/cohort.csv"), "--source",
                str(source / "cohort/records"), "--out", str(store), *signal)  # fmt: skip
    return store


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
        features, heads = timed(encode), timed(partial(run_command, *command))
        rows.append({
            "leads": n_leads, "records": len(data.pool), "folds": folds, "epochs": epochs,
            "features_s": features.seconds, "heads_s": heads.seconds,
            "others_cpu_share": max(features.others, heads.others),
        })  # fmt: skip
    return rows


WAYS = {
    "one by one, a Trainer each": ("--side_by_side", "false"),
    "side by side": (),
    "side by side, 10 draws of the folds": ("--seeds", "10"),
}


def compare_ways(
    folder: Path, *, n_patients: int, latent: int, epochs: int, folds: int, signal: Sequence[str],
    patience_s: float,
) -> list[dict[str, Any]]:  # fmt: skip
    """Time the ways to train all heads of a cross-validation with its inner parts."""
    store, encoder = make_cohort(folder, n_patients, signal), folder / "encoder"
    torch.manual_seed(0)
    n_samples = RhcCohort(str(store), "detection").ecg_input.n_samples
    write_encoder(encoder, LsEmvae(n_samples, latent), store)
    words = ["cv", "--cohort", str(store), "--encoder", str(encoder), "--folds", str(folds)]
    warm = folder / "warm"
    run_command(*words, "--epochs", "1", "--out", str(warm))
    rows = []
    for number, (way, more) in enumerate(WAYS.items()):
        out = folder / f"way_{number}"
        shutil.copytree(warm / "features", out / "features")
        wait_for_quiet(patience_s)
        start = time.process_time()
        done = timed(
            partial(run_command, *words, "--epochs", str(epochs), "--out", str(out), *more)
        )
        rows.append({
            "way": way, "records": n_patients, "folds": folds, "epochs": epochs,
            "seconds": done.seconds, "cpu_s": time.process_time() - start,
            "others_cpu_share": done.others,
        })  # fmt: skip
    return [{**row, "times_faster": rows[0]["cpu_s"] / row["cpu_s"]} for row in rows]


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """Return the table of docs/performance.md."""
    first = rows[0]
    lines = [
        f"{first['records']} SYNTHETIC patients, {first['folds']} folds and as many inner parts "
        f"x {first['epochs']} epochs; the other draws have no inner parts. `lsemvae cv` without "
        "its start, features cached.",
        "",
        "| heads | seconds | CPU seconds | others' CPU | times less CPU |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['way']} | {row['seconds']:.1f} | {row['cpu_s']:.1f} "
        f"| {row['others_cpu_share']:.0%} | {row['times_faster']:.1f} |"
        for row in rows
    ]
    return "\n".join([*lines, ""])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print a table and write it as JSON and Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--patients", type=int, default=892)
    parser.add_argument("--latent", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--patience", type=float, default=10.0, help="seconds to wait for quiet")
    parser.add_argument("--out", type=Path, default=Path("reports/heads.json"), help="JSON file")
    parser.add_argument("--page", type=Path, help="Markdown file whose marked part is replaced")
    options = parser.parse_args(arguments)
    beats = ["--signal.segment", "median_beat", "--signal.sampling_rate_hz", "250"]
    with tempfile.TemporaryDirectory() as name:
        rows = compare_ways(
            Path(name), n_patients=options.patients, latent=options.latent, signal=beats,
            epochs=options.epochs, folds=options.folds, patience_s=options.patience,
        )  # fmt: skip
    write_results(
        options.out, {"machine": describe_machine(), "rows": rows}, markdown(rows),
        page=options.page, program="benchmarks.heads",
    )  # fmt: skip


if __name__ == "__main__":
    main()
