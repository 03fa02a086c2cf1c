"""Say where the numbers come from: code, settings, seeds, hashes, machine, packages."""

from collections.abc import Mapping
from typing import Any

from lsemvae.core.provenance import provenance
from lsemvae.evaluation.leakage_statement import encoder_saw
from lsemvae.evaluation.report.blocks import Block, Section, Table, Text
from lsemvae.evaluation.report.evidence import Evidence
from lsemvae.evaluation.report.written import unavailable

HASHES = ("cohort_sha256", "splits_sha256", "encoder_sha256")
SAW = "encoder pre-trained on these recordings too, without labels"


def provenance_section(evidence: Evidence) -> Section:
    """Return a table of hashes by run and one of code and machine."""
    rows = []
    for run in evidence.all_runs:
        metrics = run.run.metrics
        rows.append([run.key, *(str(metrics.get(name) or "none") for name in HASHES),
                     _saw(metrics)])  # fmt: skip
    blocks: list[Block] = [
        Table(f"SHA-256 of what the runs on {evidence.label} were made from.",
              ("run", "cohort", "folds", "encoder", SAW), rows, wrap=True)
    ]  # fmt: skip
    made = {run.key: run.run.metrics.get("provenance") for run in evidence.all_runs}
    rows = []
    for name, found in merged(made).items():
        rows += [[name, key, value] for key, value in described(found).items()]
    missing = [key for key, found in made.items() if found is None]
    if evidence.pretrain is not None and evidence.pretrain.provenance:
        rows += [["pre-training", key, value]
                 for key, value in described(evidence.pretrain.provenance).items()]  # fmt: skip
    own = provenance()
    rows += [["this report", key, value] for key, value in described(own).items()]
    blocks.append(Table("Code, machine and packages.", ("of", "what", "value"), rows, wrap=True))
    if missing:
        blocks.append(unavailable(f"Provenance of {', '.join(missing)}", "older version"))
    if evidence.pretrain is not None and not evidence.pretrain.provenance:
        why = f"{evidence.pretrain.folder} has no provenance.json, so its log cannot be checked"
        blocks.append(unavailable("Provenance of the pre-training", why))
    blocks += [Text(note, "note") for note in evidence.notes]
    hashes = {run.key: {name: run.run.metrics.get(name) for name in HASHES}
              for run in evidence.all_runs}  # fmt: skip
    facts = {"hashes": hashes, "runs": made, "report": own, "notes": list(evidence.notes)}
    answers = ("code", "specification")
    return Section("provenance", "Provenance", blocks, facts, answers)


def _saw(metrics: Mapping[str, Any]) -> str:
    if metrics["encoder_saw_these_recordings"]:
        return "yes"
    saw = encoder_saw(metrics)
    return "not known" if saw is None else "some of them, or their patients" if saw else "no"


def merged(made: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return equal provenances once, under the names of all their runs."""
    names: dict[str, list[str]] = {}
    values: dict[str, dict[str, Any]] = {}
    for key, found in made.items():
        if found is not None:
            names.setdefault(str(found), []).append(key)
            values[str(found)] = found
    everyone = len(values) == 1 and None not in made.values()
    return {("all runs" if everyone else ", ".join(names[text])): found
            for text, found in values.items()}  # fmt: skip


def described(found: Mapping[str, Any]) -> dict[str, str]:
    """Return provenance as text, the versions in one line."""
    rows = {name.replace("_", " "): str(value) for name, value in found.items()
            if name != "versions"}  # fmt: skip
    versions = found.get("versions", {})
    return rows | {"packages": ", ".join(f"{name} {number}" for name, number in versions.items())}
