"""Show what `lsemvae stress` found of a run's model, from the folder `stress` of the run."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lsemvae.core.chance import GUESS, chance_text
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.sealed_json import read_sealed
from lsemvae.evaluation.plots.stress import row_name
from lsemvae.evaluation.report.blocks import Block, Picture, Section, Table, Text
from lsemvae.evaluation.report.evidence import Evidence, RunEvidence
from lsemvae.evaluation.report.written import number, percent
from lsemvae.evaluation.runs import PREDICTED, data_label

FOLDER, NUMBERS, FIGURE = "stress", "stress.json", "stress.svg"
FORMAT = "lsemvae-stress"
HEADER = ("shift and dose", "AUROC [95 %]", "calibration slope [95 %]", "withheld",
          "mean |change| of the probability")  # fmt: skip
SOURCES = ("cohort_sha256", "splits_sha256", "encoder_sha256")
HOW = (
    "Recordings of the store are changed by a known law: potentials change at the electrodes, so "
    "that the limb leads keep the relations of Einthoven. What is added goes through the filter of "
    "the cleaning; of median beats, which average over beats, that is the worst case. A real "
    "device differs in more than one way at a time."
)

CHANGE = (
    "The change is the mean of all recordings with a result before and after, each counted once, "
    "those that a shift of a share leaves as they are among them."
)


def stress_section(evidence: Evidence) -> Section:
    """Return table and figure of every run that has them.

    Raises:
        InputError: a file that is none of `lsemvae stress`, or of the model of another run.
    """
    blocks: list[Block] = [Text(HOW)]
    facts = {}
    for run in evidence.runs:
        folder = run.run.folder / FOLDER
        if not (folder / NUMBERS).is_file():
            continue
        found = read_stress(folder)
        foreign = _foreign(found, run)
        if foreign:
            raise InputError(
                f"{folder / NUMBERS} is of the model of another run ({', '.join(foreign)} differ); "
                "run `lsemvae stress` again with this run's model, or remove it"
            )
        facts[run.key] = found
        blocks += stress_blocks(found, folder / FIGURE, run.key.replace("/", "_"))
    return Section("stress", "Shifts of the device", blocks, facts)


def _foreign(found: Mapping[str, Any], run: RunEvidence) -> list[str]:
    """Name what of a stressed model is not that of a run; older tables keep less of it."""
    sources, metrics = found["sources"], run.run.metrics
    kept = {name: found[name] for name in ("task", "method", "leads") if name in found}
    pairs = {**{name: sources[name] for name in SOURCES}, **kept}
    foreign = [name for name, value in pairs.items() if value != metrics[name]]
    if not run.run.predicted(sources.get(PREDICTED)):
        foreign.append("predictions")
    return foreign


def has_stress(evidence: Evidence) -> bool:
    """Tell whether a run has a stress table."""
    return any((run.run.folder / FOLDER / NUMBERS).is_file() for run in evidence.runs)


def read_stress(folder: Path) -> dict[str, Any]:
    """Read stress.json.

    Raises:
        InputError: it is no JSON of `lsemvae stress`.
    """
    found = read_sealed(folder / NUMBERS, "run `lsemvae stress` again", files=[FIGURE])
    if found.get("format") != FORMAT:
        raise InputError(f"{folder / NUMBERS} is none of `lsemvae stress`; move it away")
    return found


def stress_blocks(found: dict[str, Any], figure: Path, name: str) -> list[Block]:
    """Return table, picture and what could not be tried.

    Args:
        found: content of stress.json.
        figure: the SVG beside it.
        name: of the picture's file in the report.
    """
    data = data_label(found["data"], found["synthetic"])
    rows = [
        [row_name(row), _with_ends(row, "auroc"), _with_ends(row, "slope"),
         percent(row["withheld"]), number(row["mean_absolute_change"])]
        for row in found["rows"]
    ]  # fmt: skip
    caption = (
        f"{found['task']}, {found['method']}, {counted(found['n_recordings'], 'recording')} of "
        f"{data}"
    )
    blocks: list[Block] = []
    if found["trained_on"]:
        blocks.append(Text("The model was trained on these recordings: AUROC and slope are too "
                           "good; only the changes mean anything.", "warning"))  # fmt: skip
    if found.get("caution"):
        blocks.append(Text(found["caution"], "warning"))
    guess = guess_text(found["rows"])
    if guess:
        blocks.append(Text(guess, "warning"))
    left_out = left_out_text(found.get("left_out", {}))
    said = f"{caption}: each shift alone. {CHANGE} {left_out}".strip()
    blocks.append(Table(said, HEADER, rows))
    if figure.is_file():
        auroc = [row["auroc"] for row in found["rows"] if row["auroc"] is not None]
        lowest = min(auroc, default=math.nan)
        blocks.append(
            Picture(f"stress_{name}", figure.read_bytes(), "svg", f"{caption}. Dotted: as stored.",
                    f"Four panels by shift and dose; the lowest AUROC is {lowest:.3f}", wide=True)
        )  # fmt: skip
    skipped = "; ".join(f"{shift}: {why}" for shift, why in found["not_possible"].items())
    return [*blocks, *([Text(f"Not tried. {skipped}.", "note")] if skipped else [])]


def left_out_text(counts: Mapping[str, int]) -> str:
    """Say how many recordings were met and not taken, and why; empty where none was."""
    said = [f"{n} {why}" for why, n in counts.items() if n]
    return f"Left out: {', '.join(said)}." if said else ""


def guess_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Say that the model only guesses; empty where it is better than chance.

    Args:
        rows: of the table, the first of the recordings as they are.
    """
    stored = rows[0]
    said = chance_text(stored["auroc"], stored["auroc_low"], stored["auroc_high"])
    return f"{said} {GUESS}" if said else ""


def _with_ends(row: dict[str, Any], name: str) -> str:
    if row[name] is None:
        return "not available"
    ends = [row[f"{name}_low"], row[f"{name}_high"]]
    if None in ends:
        return number(row[name])
    return f"{row[name]:.3f} [{ends[0]:.3f}, {ends[1]:.3f}]"
