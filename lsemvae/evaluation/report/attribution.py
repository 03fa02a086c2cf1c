"""Show what `lsemvae explain` found, from its folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.sealed_json import read_sealed
from lsemvae.evaluation.kept_files import read_kept_table
from lsemvae.evaluation.report.blocks import Block, Picture, Section, Table, Text
from lsemvae.evaluation.report.evidence import Evidence
from lsemvae.evaluation.report.written import number, percent, unavailable
from lsemvae.evaluation.runs import PREDICTED, data_label
from lsemvae.evaluation.statistics.json_values import to_json

TITLE = "Attribution"
NUMBERS, PICTURES = "attribution.json", "pictures"
AGAIN = "run `lsemvae explain` again"
NEEDED = ("data", "synthetic", "task", "method", "leads", "ranking", "attribution", "n_records",
          "completeness")  # fmt: skip
SETTINGS = ("task", "method", "leads", "cohort_sha256", "encoder_sha256", "splits_sha256")
ALIKE = 0.8  # a median rank correlation that is called alike; chosen, no measurement says where
HOW = (
    "Share: how much of all absolute attribution a lead has, on one scale for all leads. It says "
    "what moves this model's output, not what causes disease. A rank correlation with shuffled "
    "weights near 1 would mean that the pictures show the recordings rather than the model."
)


def attribution_section(evidence: Evidence) -> Section:
    """Return ranking, checks and pictures.

    Raises:
        InputError: the folder is none of `lsemvae explain`, or of a run that is not reported.
    """
    if evidence.explained is None:
        why = "no folder of `lsemvae explain` was given (--explain)"
        return Section("attribution", TITLE, [unavailable(TITLE, why)])
    found = read_explanation(evidence.explained)
    _check_run(evidence, found)
    label = data_label(found["data"], found["synthetic"])
    run = f"{found['task']}, {found['method']}, {counted(len(found['leads']), 'lead')}"
    blocks: list[Block] = [Text(HOW), *_skill(found), _ranking(found, f"{run}, {label}")]
    if found.get("waves"):
        blocks.append(_waves(found, f"{run}, {label}"))
    blocks += [Text(_completeness(found)), *randomisation_blocks(found, f"{run}, {label}")]
    blocks += _pictures(evidence.explained, found, f"{run}, {label}")
    gate = evidence.explained / "gate.csv"
    facts = dict(found)
    if gate.is_file() and "gate" in found.get(PICTURES, ["gate"]):
        facts["gate"] = to_json(read_kept_table(gate, AGAIN))
    return Section("attribution", TITLE, blocks, facts)


def read_explanation(folder: Path) -> dict[str, Any]:
    """Read attribution.json.

    Raises:
        InputError: there is none, or it is no JSON.
    """
    file = folder / NUMBERS
    if not file.is_file():
        raise InputError(f"{file} not found; --explain takes the folder of `lsemvae explain`")
    return read_sealed(file, AGAIN, NEEDED, files=["attribution.csv"])


def _check_run(evidence: Evidence, found: Mapping[str, Any]) -> None:
    for run in evidence.runs:
        metrics = run.run.metrics
        if all(found.get(name) == metrics.get(name) for name in SETTINGS):
            if run.run.predicted(found.get(PREDICTED)):
                return
            raise InputError(
                f"{evidence.explained} explains another training of {run.key} than the one that is "
                f"reported; {AGAIN}"
            )
    raise InputError(
        f"{evidence.explained} explains {found.get('task')}/{found.get('method')} on "
        f"{counted(len(found.get('leads', [])), 'lead')}, which is none of the reported runs "
        "(task, method, leads and hashes are compared); explain one of them"
    )


def _skill(found: Mapping[str, Any]) -> list[Block]:
    """Say how well the explained models predict; older explanations do not know it."""
    model = found.get("model")
    if model is None:
        return [Text("How well the explained models predict was not kept; run `lsemvae explain` "
                     "again.")]  # fmt: skip
    return [Text(f"The explained models: {model['text']}.")]


def _interval(row: Mapping[str, Any]) -> str:
    low, high = row.get("low"), row.get("high")
    span = f" [{percent(low)}, {percent(high)}]" if low is not None and high is not None else ""
    return f"{percent(row['share'])}{span}"


def _ranking(found: Mapping[str, Any], label: str) -> Table:
    rows = [[str(row["lead"]), _interval(row)] for row in found["ranking"]]
    how = found["attribution"]
    caption = (
        f"Leads by mean share of attribution over {counted(found['n_records'], 'record')}, "
        f"{how['method']}, baseline {how['baseline']}, {label}."
    )
    return Table(caption, ("lead", "share [95 %]"), rows)


def _waves(found: Mapping[str, Any], label: str) -> Table:
    rows = [[str(row["wave"]), _interval(row)] for row in found["waves"]]
    return Table(f"Waves by mean share of attribution, {label}.", ("wave", "share [95 %]"), rows)


def _completeness(found: Mapping[str, Any]) -> str:
    delta = found["completeness"]
    return (
        f"Completeness (attributions against the difference of logits): largest deviation "
        f"{number(delta['largest_delta_logit'], 4)}, median "
        f"{number(delta['median_delta_logit'], 4)}."
    )


def randomisation_blocks(found: Mapping[str, Any], label: str) -> list[Block]:
    """Return the table of the model-randomisation check, and a sentence where it is not passed."""
    agreement = found.get("model_randomisation") or {}
    rows = [
        [str(part), str(values["n_records"]), *(
            f"{number(values[name]['q50'], 2)} ({number(values[name]['q05'], 2)} to "
            f"{number(values[name]['q95'], 2)})" for name in ("samples", "leads"))]
        for part, values in agreement.items()
    ]  # fmt: skip
    header = ("weights shuffled", "records", "samples: median (5 to 95 %)", "leads: the same")
    caption = f"Rank correlation of attributions with those of shuffled weights, {label}."
    alike = [
        f"{thing} of the network with shuffled weights ({part}) are much like these: they tell "
        "little of what was learned there."
        for part, values in agreement.items()
        for name, thing in (("samples", "The pictures"), ("leads", "The shares of leads"))
        if values[name]["q50"] > ALIKE
    ]
    return [Table(caption, header, rows), *map(Text, alike)] if rows else []


def _pictures(folder: Path, found: Mapping[str, Any], label: str) -> list[Picture]:
    """Return the pictures of an explanation; an older one does not list its own."""
    pictures = []
    own = found.get(PICTURES)
    files = [file for file in folder.glob("*.png") if own is None or file.stem in own]
    for file in sorted(files, key=lambda file: (file.stem[:7] == "record_", file)):
        named = {
            "leads": "Ranking of leads by attribution",
            "waves": "Shares of P, QRS and T by lead",
            "gate": "Weights of the gate by expert and class",
        }
        what = named.get(file.stem, f"ECG with attributions, {file.stem.replace('_', ' ')}")
        caption = f"{what}, {label}."
        pictures.append(
            Picture(f"explain_{file.stem}", file.read_bytes(), "png", caption, caption, wide=True)
        )
    return pictures
