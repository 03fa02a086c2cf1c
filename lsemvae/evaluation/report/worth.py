"""Show what pre-training was worth: the encoder against its untrained twins and what needs none."""

from pathlib import Path
from typing import Any

import pandas as pd

from lsemvae.core.counted import counted
from lsemvae.core.leads import lead_set_name
from lsemvae.core.sealed_json import read_sealed
from lsemvae.evaluation.plots.label_curve import label_curve
from lsemvae.evaluation.report.blocks import Block, Picture, Section, Table, Text, draw
from lsemvae.evaluation.report.evidence import Evidence, RunEvidence
from lsemvae.evaluation.report.written import unavailable
from lsemvae.evaluation.runs import data_label
from lsemvae.evaluation.worth import HEADER, LINEAR, title_of, worth_cells

FILE = "references.json"
WHAT = "What pre-training was worth"
NOT_MEASURED = "no run has references; measure them with `lsemvae cv --references true`"
SAME = ("cohort_sha256", "splits_sha256", "task")


def worth_section(evidence: Evidence) -> Section:
    """Return one sentence, a table and label curves for each run that has references."""
    blocks: list[Block] = []
    facts: dict[str, Any] = {}
    for run in evidence.runs:
        found = read_references(run.run.folder)
        if found is None:
            continue
        wrong = _foreign(found, run)
        if wrong:
            blocks.append(unavailable(f"{WHAT} ({run.key})", wrong))
            continue
        facts[run.key] = {"statement": found["statement"], "rows": found["rows"]}
        blocks += _blocks(found, run)
    return Section("worth", WHAT, blocks or [unavailable(WHAT, NOT_MEASURED)], facts)


NEEDED = ("statement", "encoders_sha256")


def read_references(folder: Path) -> dict[str, Any] | None:
    """Return what `references.json` of a run holds, None where there is none.

    Raises:
        InputError: it, or the table beside it, is not as it was written.
    """
    file = folder / FILE
    if not file.is_file():
        return None
    again = (
        f"remove {file}, and run `lsemvae worth`, or `lsemvae cv --references true`, again to "
        "measure anew"
    )
    return read_sealed(file, again, NEEDED, files=["references.csv"])


def _foreign(found: dict[str, Any], run: RunEvidence) -> str:
    """Say why references are not this run's, empty where they are."""
    metrics = run.run.metrics
    other = [name for name in SAME if found.get(name) != metrics.get(name)]
    if metrics.get("encoder_sha256") not in found["encoders_sha256"]:
        other.append("encoder_sha256")
    if not other:
        return ""
    return (
        f"{run.run.folder / FILE} is of another {', '.join(other)}; run `lsemvae cv --references "
        "true` again"
    )


def _blocks(found: dict[str, Any], run: RunEvidence) -> list[Block]:
    table = pd.DataFrame(found["rows"])
    data = data_label(found["data"], found["synthetic"])
    leads = lead_set_name(found["leads"])
    probe = found["settings"]["probe"]
    caption = (
        f"{found['task']}, {leads}, {data}: {counted(found['n_records'], 'record')} of "
        f"{counted(found['n_patients'], 'patient')}, {counted(found['n_positive'], 'record')} "
        "positive. Frozen features on the folds of this run; AUROC, mean over folds, draws and "
        "seeds; intervals by patient (DeLong within folds), seeds and draws included. "
        f"Linear probe: C of {', '.join(f'{c:g}' for c in probe['strengths'])}, "
        f"chosen on inner parts; {counted(probe['n_draws'], 'draw')} of patients "
        "at every share below 100 %, the same for every row."
    )
    if found["encoder_saw_these_recordings"]:
        caption += " The encoder has seen these recordings, without labels."
    return [Text(found["statement"]), Table(caption, HEADER, worth_cells(table)),
            _curve(table, f"{found['task']}, {leads}, {data}", run)]  # fmt: skip


def _curve(table: pd.DataFrame, title: str, run: RunEvidence) -> Picture:
    mine = table[table["head"] == LINEAR]
    said = "; ".join(
        f"{title_of(line['row'])}, {100 * line['fraction']:g} %: {line['auroc']:.3f}"
        for line in mine.to_dict("records")
    )
    caption = f"Label curves, {title}. Bars: standard deviation over the draws."
    name = f"label_curve_{run.key.replace('/', '_')}"
    return draw(label_curve(table, title), name, caption=caption, alt=f"AUROC by share: {said}")
