"""Pre-train and cross-validate on public recordings, and compare settings: `make public`.

The environment variable ECG_CORPORA names the folder of the recordings: 1,442 of PTB-XL (z-scored
per lead), 600 of the CinC challenge 2011 and 200 of LUDB. Everything goes through the command line,
as a user would go. Settings are compared on the superclasses MI, STTC and HYP; CD, NORM, AFIB and
IRBBB are only reported.
"""

import argparse
import json
import os
import sys
import tarfile
from pathlib import Path

import pandas as pd

from lsemvae.cli import main

DATA, RUNS, REPORT = Path("data/public"), Path("runs/public"), Path("reports/public")
CONFIG = "experiments/public/pretrain.yaml"
SELECTION_TASKS = ("super_MI", "super_STTC", "super_HYP")
REPORTED_TASKS = ("super_CD", "super_NORM", "rhythm_AFIB", "sub_IRBBB")
NETWORK = "--model.init_args.network.init_args"

# Settings by name: what differs from experiments/public/pretrain.yaml.
NO_FLOOR = [f"{NETWORK}.fusion.gate_floor", "0"]
LEAD_DROPOUT = ["--model.init_args.lead_dropout", "0.5"]
VARIANTS: dict[str, list[str]] = {
    "default": [],
    "no gate floor": NO_FLOOR,
    "lead dropout 0.5": LEAD_DROPOUT,
    "no gate floor, lead dropout 0.5": [*NO_FLOOR, *LEAD_DROPOUT],
    "no gate floor, gamma 0": [*NO_FLOOR, f"{NETWORK}.objective.gamma", "0"],
    "no gate floor, normalisation lead": [*NO_FLOOR, "--data.init_args.normalisation", "lead"],
    "no gate floor, mean reduction": [*NO_FLOOR, f"{NETWORK}.objective.reconstruction", "mean"],
    "uniform gate": [f"{NETWORK}.fusion.gate", "uniform"],
    "published decoder": [f"{NETWORK}.decoder", "published"],
    "lead means as features": [f"{NETWORK}.feature", "lead_means"],
}


def prepare(folder: Path, segment: list[str]) -> None:
    """Unpack the archives and make the three stores where they are missing."""
    corpora = Path(os.environ["ECG_CORPORA"])
    source = DATA / "source"
    for name, archive in (
        ("ptbxl", "ptbxl_zscored/ptbxl_zscored_dev.tar.xz"),
        ("cinc2011", "cinc2011/seta_dev.tar.xz"),
    ):
        if not (source / name).is_dir():
            with tarfile.open(corpora / archive) as file:
                file.extractall(source / name, filter="data")
    # LUDB's headers say mV, but each of its leads spans exactly 1.000: scaled lead by lead.
    ludb = ["--columns.record", "ID", "--columns.patient_id", "ID", "--amplitude", "arbitrary"]
    jobs: list[tuple[str, Path, Path, list[str]]] = [
        ("ptbxl", corpora / "ptbxl_zscored/labels_dev.csv", source / "ptbxl",
         ["--amplitude", "arbitrary"]),
        ("cinc2011", corpora / "cinc2011/labels_dev.csv", source / "cinc2011",
         ["--columns.patient_id", "record"]),
        ("ludb", corpora / "ludb/ludb.csv", corpora / "ludb/data", ludb),
    ]  # fmt: skip
    for name, table, records, more in jobs:
        out = folder / f"{name}.h5"
        if not out.is_file():
            run(["prepare", "cohort", "--table", str(table), "--source", str(records), "--out",
                 str(out), "--label", name, "--jobs", "2", *more, *segment])  # fmt: skip


def run(arguments: list[str]) -> None:
    """Run one of the program's commands and stop where it fails."""
    print("$ lsemvae", " ".join(arguments), flush=True)
    code = main(arguments)
    if code:
        sys.exit(code)


def pretrain(name: str, stores: Path, more: list[str]) -> Path:
    """Pre-train one variant where it is not finished, and return its folder."""
    folder = RUNS / name.replace(" ", "_").replace(",", "")
    if not (folder / "finished").is_file():
        names = [str(stores / f"{part}.h5") for part in ("ptbxl", "cinc2011", "ludb")]
        run(["fit", "--config", CONFIG, "--data.init_args.store", json.dumps(names),
             "--trainer.default_root_dir", str(folder),
             "--trainer.logger.init_args.save_dir", str(folder),
             "--trainer.enable_progress_bar", "false",
             *more])  # fmt: skip
        (folder / "finished").touch()
    return folder


def evaluate(folder: Path, stores: Path, tasks: tuple[str, ...]) -> dict[str, str]:
    """Cross-validate a variant on tasks and both lead sets; return AUROC by column."""
    row = {}
    for task in tasks:
        for leads in ("12", "6"):
            run(["cv", "--task", task, "--leads", leads, "--cohort", str(stores / "ptbxl.h5"),
                 "--encoder", str(folder / "checkpoints/last.ckpt"), "--out",
                 str(folder / "cv"), "--allow_leakage", "true"])  # fmt: skip
            file = folder / "cv" / task / "ls_emvae" / f"{leads}L" / "metrics.json"
            metrics = json.loads(file.read_text())
            row[f"{task.split('_')[1]} {leads}L"] = (
                f"{metrics['mean']['auroc']:.3f} ± {metrics['sd']['auroc']:.3f}"
            )
    return row


def diagnostics(folder: Path) -> dict[str, str]:
    """Return the last figures of the latent space."""
    last = pd.read_csv(folder / "metrics.csv").groupby("epoch").last().iloc[-1]
    names = {
        "latent/r2/limb": "R2 limb",
        "latent/r2/chest": "R2 chest",
        "latent/r2_from_limb/chest": "R2 limb to chest",
        "latent/r2_from_limb/least_squares": "least squares",
        "latent/active_units": "active units",
        "latent/gate_12_entropy": "gate entropy",
        "latent/kl_6_to_12_leads": "KL 6 to 12",
    }
    return {title: f"{last[name]:.3g}" for name, title in names.items() if name in last}


def compare(options: argparse.Namespace) -> None:
    """Run variants and write a Markdown table."""
    segment, rate_hz = options.segment, options.rate_hz
    tasks = SELECTION_TASKS if options.tasks == "selection" else REPORTED_TASKS
    stores = DATA / f"{segment}_{rate_hz:g}_hz"
    prepare(stores, ["--signal.segment", segment, "--signal.sampling_rate_hz", str(rate_hz)])
    rows = []
    for name in options.variants:
        more = [*VARIANTS[name], "--trainer.max_epochs", str(options.epochs)]
        if segment == "record":
            more += [f"{NETWORK}.n_samples", str(round(10 * rate_hz))]
        folder = pretrain(f"{segment} {rate_hz:g} {name}", stores, more)
        rows.append({"": name, **evaluate(folder, stores, tasks), **diagnostics(folder)})
    table = pd.DataFrame(rows).fillna("-")
    lines = ["| " + " | ".join(row) + " |" for row in [list(table), *table.to_numpy().tolist()]]
    lines.insert(1, "|" + "---|" * len(table.columns))
    REPORT.mkdir(parents=True, exist_ok=True)
    file = REPORT / f"{segment}_{options.tasks}.md"
    file.write_text("\n".join(lines) + "\n")
    print(file.read_text())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variants", nargs="+", default=["default"], choices=list(VARIANTS))
    parser.add_argument("--tasks", choices=["selection", "reported"], default="reported")
    parser.add_argument("--segment", choices=["record", "median_beat"], default="median_beat")
    parser.add_argument("--rate_hz", type=float, default=100.0)
    parser.add_argument("--epochs", type=int, default=60)
    if "ECG_CORPORA" not in os.environ:
        sys.exit("error: set ECG_CORPORA to the folder of the public recordings")
    compare(parser.parse_args())
