"""Measure what the recommended pre-training is worth: `make public ARGS="--worth"`.

Pre-trains the seeds that are missing, compares them with their untrained twins, random convolutions
and PCA of the median beats on seven tasks with 12 and 6 leads, and writes the tables of
docs/pretraining.md. Everything goes through the command line, as a user would go; what is finished
is not done again.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.pages import update
from benchmarks.worth_page import read_found, verdicts, worth_markdown

CONFIG = "experiments/pretrain/ls_emvae_recommended.yaml"
PAGE, PROGRAM = Path("docs/pretraining.md"), "benchmarks.public_recordings --worth"
TASKS = {
    "CD": "super_CD", "NORM": "super_NORM", "AFIB": "rhythm_AFIB", "IRBBB": "sub_IRBBB",
    "MI": "super_MI", "STTC": "super_STTC", "HYP": "super_HYP",
}  # fmt: skip
LEADS = {12: "12L", 6: "6L"}
SEEDS = (0, 1, 2)
# With 2,440 features the strongest penalty of the default was always chosen: one more below it.
STRENGTHS = (0.0003, 0.003, 0.03)
PROBE = ["--strengths", json.dumps(STRENGTHS, separators=(",", ":"))]
HEAD = ["--epochs", "20", "--lr", "1e-3"]  # of `lsemvae benchmark --budget laptop`


def fit_command(seed: int, folder: Path) -> list[str]:
    """Return the command that pre-trains a seed."""
    return ["fit", "--config", CONFIG, "--seed_everything", str(seed),
            "--trainer.default_root_dir", str(folder),
            "--trainer.logger.init_args.save_dir", str(folder)]  # fmt: skip


def worth_command(
    stores: Sequence[Path], encoders: Sequence[str], task: str, out: Path
) -> list[str]:
    """Return the command that compares encoders with all references on a task."""
    records, beats = stores
    return ["worth", "--cohort", str(records / "ptbxl.h5"),
            "--references_on", str(beats / "ptbxl.h5"),
            "--encoder", json.dumps(list(encoders)), "--tasks", json.dumps([task]),
            "--leads", json.dumps(list(LEADS)), *PROBE, *HEAD,
            "--allow_leakage", "true", "--out", str(out)]  # fmt: skip


def markdown(out: Path, n_encoders: int, command: Sequence[str]) -> str:
    """Return the tables of finished studies, with what they are of."""
    by_leads = {name: read_found(out, TASKS, name) for name in LEADS.values()}
    first: dict[str, Any] = next(iter(by_leads["12L"].values()))
    said = [line for name, found in by_leads.items() for line in verdicts(name, found)]
    return "\n\n".join([
        _about(first, n_encoders),
        'The command of one task, all of them by `make public ARGS="--worth"`:',
        f"```\n{as_typed(command)}\n```",
        *(worth_markdown(name, found) for name, found in by_leads.items()),
        "\n".join(said),
    ])  # fmt: skip


def _about(found: dict[str, Any], n_encoders: int) -> str:
    """Say what data, seeds, draws and heads the figures are of."""
    probe, mlp = found["settings"]["probe"], found["settings"]["mlp"]
    head = ""
    if mlp:
        shares = " and ".join(f"{100 * share:g} %" for share in found["settings"]["mlp_fractions"])
        head = (
            f"The publication's MLP: {mlp['epochs']} epochs at {mlp['lr']:g}, on standardised "
            f"features, with {shares} of the labels, the same draws. "
        )
    return (
        f"{found['n_records']} recordings of {found['n_patients']} patients ({found['data']}), "
        f"folds by patient of each task. {n_encoders} pre-trainings, "
        f"{found['settings']['n_twins']} untrained twins, {probe['n_draws']} draws of patients at "
        "every share below 100 %; ± is the standard deviation over seeds. Linear probe: logistic "
        f"regression, C of {', '.join(f'{c:g}' for c in probe['strengths'])} by inner parts. "
        f"{head}Random convolutions and PCA are of the median beats. Brackets: 95 % interval of "
        f"the paired difference over patients, seeds and draws. {_seen(found)}"
    )


def _seen(found: dict[str, Any]) -> str:
    seen = "saw these recordings without labels"
    return f"Pre-training {seen if found['encoder_saw_these_recordings'] else 'saw none of them'}."


def as_typed(command: Sequence[str]) -> str:
    """Return one of the program's commands as a user types it."""
    return " ".join(["lsemvae", *(f"'{p}'" if p.startswith("[") else p for p in command)])


def measure(
    lsemvae: Callable[[list[str]], None], stores: Sequence[Path], out: Path, *,
    encoders: Sequence[str], page: Path, more: Sequence[str],
) -> None:  # fmt: skip
    """Do what is missing, and write the page.

    Args:
        lsemvae: runs one of the program's commands.
        stores: folders of the stores of whole recordings and of their median beats.
        out: folder of the results.
        encoders: checkpoints; none: the seeds of the recipe are pre-trained.
        page: whose marked part gets the tables.
        more: options of `lsemvae worth` beyond those, such as `--mlp false`.
    """
    chosen = list(encoders)
    for seed in () if chosen else SEEDS:
        folder = out / f"encoders/seed_{seed}"
        if not (folder / "finished").is_file():
            lsemvae(fit_command(seed, folder))
            (folder / "finished").touch()
        chosen.append(str(folder / "checkpoints/last.ckpt"))
    commands = [[*worth_command(stores, chosen, task, out), *more] for task in TASKS.values()]
    for command in commands:
        lsemvae(command)
    update(page, PROGRAM, markdown(out, len(chosen), commands[0]))
