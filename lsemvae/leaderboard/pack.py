"""Make the folder of a row from finished cross-validations."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from lsemvae.core.errors import InputError
from lsemvae.core.files import file_sha256, write_text
from lsemvae.core.printable import say
from lsemvae.core.targets import task_folder
from lsemvae.core.whole_folder import whole_folder
from lsemvae.evaluation.leakage_statement import encoder_saw
from lsemvae.evaluation.report.gather import find_runs
from lsemvae.evaluation.report.verify import run_faults
from lsemvae.evaluation.runs import CvRun
from lsemvae.leaderboard.encoder_leak import read_trained_on
from lsemvae.leaderboard.statement import FILE, Encoder, Entry, Statement, parse_statement

SETTINGS = ("folds", "epochs", "batch_size", "lr", "focal_alpha", "focal_gamma", "normalisation",
            "size", "mpap_threshold_mmhg", "pawp_threshold_mmhg", "pvr_threshold_wu",
            "estimate_mpap", "seed")  # fmt: skip
OF_A_CLASSIFIER = ("focal_alpha", "focal_gamma")
OURS = "MIT"
TRAINED_ON = "trained_on.npz"


def read_runs(folders: Sequence[str]) -> list[CvRun]:
    """Read finished runs whose files belong together.

    Raises:
        InputError: everything that is wrong with them.
    """
    runs, notes = find_runs(folders)
    for note in notes:
        say(f"note: {note}")
    faults = [f"{run.folder}: {fault}" for run in runs for fault in _faults(run)]
    if faults:
        raise InputError(
            f"these runs cannot stand in a leaderboard: {'; '.join(faults)}. Run `lsemvae cv` "
            "again with --overwrite"
        )
    return runs


def _faults(run: CvRun) -> list[str]:
    faults, _ = run_faults(run)
    if run.metrics.get("permute_labels") is not None:
        faults.append("its labels were shuffled")
    folder = run.folder.absolute()
    found = (folder.parents[1].name, folder.parents[0].name, folder.name)
    said = (task_folder(run.metrics["task"]), run.metrics["method"], run.leads)
    faults += [f"metrics.json is of {one}, the folder of {other}"
               for one, other in zip(said, found, strict=True) if one != other]  # fmt: skip
    return faults


def pack_method(
    runs: Sequence[CvRun], out: Path, *, class_path: str, licence: str | None, title: str | None,
    trained_on: str | None = None,
) -> Path:  # fmt: skip
    """Write the folder of a row: a statement and the predictions of every run of one method.

    Args:
        runs: of one method, from `read_runs`.
        out: folder of the row.
        class_path: of the network; empty where the runs are of an adapter.
        licence: of code and weights; what the runs say by default.
        title: of the method; what the runs say by default.
        trained_on: trained_on.npz of the encoder's pre-training.

    Raises:
        InputError: there is something at `out`, no licence is known, or `trained_on` is another
            file.
    """
    if out.exists():
        raise InputError(f"{out} exists; name a new folder with --out")
    metrics = runs[0].metrics
    known = licence or metrics.get("licence")
    if known is None:
        raise InputError(f"state the licence of {metrics['method']} with --licence, such as MIT")
    adapter = "" if class_path else str(metrics["network"]["adapter"]["title"])
    files = {run.folder / "predictions.csv": _entry(run) for run in runs}
    statement = Statement(
        metrics["method"], title or runs[0].method_title, str(known), _made_by(metrics), class_path,
        adapter, _encoder(runs, trained_on), tuple(files.values()),
    )  # fmt: skip
    content = _plain(statement)
    parse_statement(content, str(out / FILE))
    if trained_on is not None:
        read_trained_on(Path(trained_on))
        if statement.encoder is None:
            raise InputError("these runs have no frozen encoder; leave --trained_on out")
    with whole_folder(out, new=True) as begun:
        for file, entry in files.items():
            shutil.copyfile(file, begun / entry.file)
        if trained_on is not None:
            shutil.copyfile(trained_on, begun / TRAINED_ON)
        write_text(begun / FILE, yaml.safe_dump(content, sort_keys=False, width=1000))
    return out


def _entry(run: CvRun) -> Entry:
    metrics = run.metrics
    name = f"{task_folder(metrics['task'])}_{run.leads}.csv"
    return Entry(
        metrics["task"], run.leads, _plain_name(name), file_sha256(run.folder / "predictions.csv"),
        metrics["splits_sha256"], metrics["cohort_sha256"], _command(run), int(metrics["seed"]),
    )  # fmt: skip


def _plain_name(name: str) -> str:
    return "".join(letter if (letter.isalnum() and letter.isascii()) or letter in "_-.," else "_"
                   for letter in name)  # fmt: skip


def _command(run: CvRun) -> str:
    """Return the command that makes a run with these settings; its files stand in capitals."""
    metrics = run.metrics
    leads = {"12L": "12", "6L": "6"}.get(run.leads, ",".join(metrics["leads"]))
    words = ["lsemvae cv", f"--task {metrics['task']}", f"--leads {leads}",
             f"--method {metrics['method']}", "--cohort COHORT"]  # fmt: skip
    if metrics.get("encoder_sha256") and "licence" not in metrics:
        words.append("--encoder ENCODER")
    given = {**metrics, "folds": len(metrics["folds"])}
    left_out = OF_A_CLASSIFIER if run.target.kind == "number" else ()
    words += [f"--{name} {given[name]}" for name in SETTINGS
              if given.get(name) is not None and name not in left_out]  # fmt: skip
    return " ".join(words)


def _made_by(metrics: Mapping[str, Any]) -> str:
    made = metrics.get("provenance") or {}
    number, commit = made.get("versions", {}).get("lsemvae"), made.get("git_commit")
    return f"lsemvae {number or '(version not known)'}, commit {commit or 'not known'}"


def _encoder(runs: Sequence[CvRun], trained_on: str | None) -> Encoder | None:
    """Return what the runs say of their frozen encoders, one leak in any of them for all."""
    digests = {run.metrics.get("encoder_sha256") for run in runs} - {None}
    if not digests:
        return None
    if len(digests) > 1:
        raise InputError(
            f"{runs[0].metrics['method']} has runs of {len(digests)} encoders, and a row tells of "
            "one, whose training is compared: name the folders of one encoder"
        )
    found = {encoder_saw(run.metrics) for run in runs}
    saw = True if True in found else None if None in found else False
    return Encoder(str(digests.pop()), TRAINED_ON if trained_on else None, saw)


def _plain(statement: Statement) -> dict[str, Any]:
    """Return a statement as its file has it."""
    found = {name: value for name, value in asdict(statement).items() if value not in ("", None)}
    if statement.encoder:
        found["encoder"] = {name: value for name, value in asdict(statement.encoder).items()
                            if value is not None}  # fmt: skip
    found["predictions"] = []
    for entry in statement.predictions:
        plain = asdict(entry)
        lead_set = plain.pop("lead_set")
        leads = {"12L": 12, "6L": 6}.get(lead_set) or lead_set.split("-")[1:]
        found["predictions"].append({"task": plain.pop("task"), "leads": leads, **plain})
    return found
