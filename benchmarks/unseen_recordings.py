"""Measure what pre-training is worth on patients that it never saw: `make public ARGS="--unseen"`.

PTB-XL's patients are halved at random. The recommended recipe is pre-trained on one half and the
other sets, compared with its references on the other half, and the halves change places. Beside it
stands the encoder that ships, which saw both halves without labels. Everything goes through the
command line; what is finished is not done again.
"""

import json
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from benchmarks.pages import update
from benchmarks.pretraining_worth import CONFIG, LEADS, PAGE, PROBE, TASKS, as_typed
from benchmarks.worth_page import COMPARED, lines_of, read_found, verdict
from lsemvae.evaluation.worth import PRETRAINED, title_of

PROGRAM = "benchmarks.public_recordings --unseen"
HALVES = (0, 1)
SHARES = (1.0, 0.1)
UNSEEN, SEEN = "saw none of them", "ships, saw them without labels"

Command = Callable[[list[str]], None]


class Forms(NamedTuple):
    """Folders of the prepared stores of whole recordings and of their median beats."""

    record: Path
    median_beat: Path


def halve(table: pd.DataFrame) -> list[pd.DataFrame]:
    """Return two tables that share no patient, halves of the patients drawn with seed 0."""
    patients = np.random.default_rng(0).permutation(np.unique(table["patient_id"]))
    first = table["patient_id"].isin(patients[: len(patients) // 2])
    return [table[first], table[~first]]


def prepare_halves(lsemvae: Command, forms: Forms, source: Path, out: Path) -> None:
    """Make a store of each half in both forms, where it is missing."""
    listed = pd.read_csv(Path(os.environ["ECG_CORPORA"]) / "ptbxl_zscored/labels_dev.csv")
    out.mkdir(parents=True, exist_ok=True)
    for half, table in enumerate(halve(listed)):
        list_file = out / f"half_{half}.csv"
        table.to_csv(list_file, index=False)
        for form in forms._fields:
            store = half_store(out, half, form)
            if not store.is_file():
                lsemvae(["prepare", "cohort", "--table", str(list_file), "--source",
                         str(source / "ptbxl"), "--out", str(store), "--label", "ptbxl",
                         "--amplitude", "arbitrary", "--signal.segment", form,
                         "--signal.sampling_rate_hz", "100"])  # fmt: skip


def half_store(out: Path, half: int, form: str) -> Path:
    """Return the store of a half of the patients in one form."""
    return out / f"half_{half}_{form}.h5"


def fit_command(forms: Forms, out: Path, half: int) -> list[str]:
    """Return the command that pre-trains on a half of the patients and on the other sets."""
    folder = out / f"encoder_{half}"
    others = [str(forms.record / f"{name}.h5") for name in ("cinc2011", "ludb")]
    return ["fit", "--config", CONFIG, "--seed_everything", "0",
            "--data.init_args.store", json.dumps([str(half_store(out, half, "record")), *others]),
            "--trainer.default_root_dir", str(folder),
            "--trainer.logger.init_args.save_dir", str(folder)]  # fmt: skip


def worth_command(out: Path, half: int, encoder: str, task: str, name: str) -> list[str]:
    """Return the command that compares an encoder with the references on a half."""
    return ["worth", "--cohort", str(half_store(out, half, "record")),
            "--references_on", str(half_store(out, half, "median_beat")),
            "--encoder", json.dumps([encoder]), "--tasks", json.dumps([task]),
            "--leads", json.dumps(list(LEADS)), "--fractions", json.dumps(list(SHARES)), *PROBE,
            "--mlp", "false", "--out", str(out / name)]  # fmt: skip


def measure(
    lsemvae: Command, forms: Forms, source: Path, out: Path, *, page: Path = PAGE
) -> None:  # fmt: skip
    """Do what is missing, and write the page.

    Args:
        lsemvae: runs one of the program's commands.
        forms: folders of the prepared stores.
        source: folder of the unpacked recordings.
        out: folder of the results.
        page: whose marked part gets the tables.
    """
    prepare_halves(lsemvae, forms, source, out)
    for half in HALVES:
        encoder = out / f"encoder_{half}/checkpoints/last.ckpt"
        if not (out / f"encoder_{half}/finished").is_file():
            lsemvae(fit_command(forms, out, half))
            (out / f"encoder_{half}/finished").touch()
        other = 1 - half
        for task in TASKS.values():
            lsemvae(worth_command(out, other, str(encoder), task, f"unseen_{other}"))
            lsemvae([*worth_command(out, other, "public", task, f"seen_{other}"),
                     "--allow_leakage", "true"])  # fmt: skip
    commands = [fit_command(forms, out, 0),
                worth_command(out, 1, str(out / "encoder_0/checkpoints/last.ckpt"), TASKS["CD"],
                              "unseen_1")]  # fmt: skip
    update(page, PROGRAM, markdown(out, commands))


def markdown(out: Path, commands: Sequence[Sequence[str]]) -> str:
    """Return the tables of both halves, with what they are of and the commands of one half."""
    told = "\n".join(map(as_typed, commands))
    said = [line for name in LEADS.values() for line in _verdicts(out, name)]
    return "\n\n".join([_about(out), f"```\n{told}\n```",
                        *(_table(out, name) for name in LEADS.values()),
                        "\n".join(said)])  # fmt: skip


def _about(out: Path) -> str:
    found = [read_found(out / f"unseen_{half}", TASKS, "12L")["CD"] for half in HALVES]
    if any(each["encoder_saw_these_recordings"] for each in found):
        raise RuntimeError(f"an encoder of {out} saw the half that it is measured on")
    n = " and ".join(f"{each['n_records']} recordings of {each['n_patients']}" for each in found)
    return (
        f"Halves of PTB-XL's patients: {n} patients. Each is measured with an encoder pre-trained "
        "on the other half, CinC 2011 and LUDB (seed 0, the epochs of the recipe); AUROC and "
        "difference are means of the two halves, brackets combine their 95 % intervals as of "
        "independent patients."
    )


def _halves(out: Path, name: str, leads: str) -> list[pd.DataFrame]:
    """Return the lines of both halves of one encoder's studies."""
    return [lines_of(read_found(out / f"{name}_{half}", TASKS, leads)) for half in HALVES]


def _table(out: Path, leads: str) -> str:
    found = {name: _halves(out, name, leads) for name in ("unseen", "seen")}
    header = ["labels", f"features, {leads}", *TASKS, "mean"]
    rows = [header, ["---"] * len(header)]
    for share in SHARES:
        rows.append(_aurocs(found["unseen"], share, PRETRAINED, f"**{UNSEEN}**"))
        rows.append(_aurocs(found["seen"], share, PRETRAINED, SEEN))
        rows += [_aurocs(found["unseen"], share, row, title_of(row)) for row in COMPARED]
        rows += [_gaps(found["unseen"], share, row) for row in COMPARED]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _aurocs(halves: Sequence[pd.DataFrame], share: float, row: str, title: str) -> list[str]:
    values = sum(_of(half, share, row)["auroc"] for half in halves) / len(halves)
    cells = [f"{values[task]:.3f}" for task in TASKS]
    return [f"{100 * share:g} %", title, *cells, f"{values.mean():.3f}"]


def _gaps(halves: Sequence[pd.DataFrame], share: float, row: str) -> list[str]:
    each = [_of(half, share, row) for half in halves]
    cells = [_gap([half.loc[task] for half in each]) for task in TASKS]
    mean = np.mean([half["difference"].mean() for half in each])
    return [f"{100 * share:g} %", f"{UNSEEN}, minus {title_of(row)}", *cells, f"{mean:+.3f}"]


def _gap(halves: Sequence["pd.Series[Any]"]) -> str:
    difference, low, high = _combined(halves)
    return f"{difference:+.3f} [{low:+.3f}, {high:+.3f}]"


def _combined(halves: Sequence["pd.Series[Any]"]) -> tuple[float, float, float]:
    """Return the mean difference with the ends that independent halves give."""
    n, mean = len(halves), sum(half["difference"] for half in halves) / len(halves)
    low = math.hypot(*(half["difference"] - half["difference_low"] for half in halves)) / n
    high = math.hypot(*(half["difference_high"] - half["difference"] for half in halves)) / n
    return mean, mean - low, mean + high


def _verdicts(out: Path, leads: str) -> list[str]:
    """Say for each share on how many tasks the encoder is no worse than both references."""
    halves = _halves(out, "unseen", leads)
    said = []
    for share in SHARES:
        rows = [[_of(half, share, row) for half in halves] for row in COMPARED]
        gaps = {t: [_combined([half.loc[t] for half in each]) for each in rows] for t in TASKS}
        reached = {task: min(one[0] for one in both) >= 0 for task, both in gaps.items()}
        above = sum(min(one[1] for one in both) > 0 for both in gaps.values())
        said.append(verdict(f"{leads}, {100 * share:g} % of the labels", reached, above))
    return said


def _of(half: pd.DataFrame, share: float, row: str) -> pd.DataFrame:
    return half[(half["fraction"] == share) & (half["row"] == row)].set_index("task")
