"""Write what `lsemvae explain` found: tables, attribution.json and pictures."""

import re
from dataclasses import asdict
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from data_modules.base import StoreDataModule
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.figure_files import save_figure
from lsemvae.core.files import write_text
from lsemvae.core.leads import lead_set_name
from lsemvae.core.outputs import check_output_file
from lsemvae.core.printable import say
from lsemvae.core.provenance import provenance
from lsemvae.core.sealed_json import read_json, write_json
from lsemvae.core.tasks import find_task
from lsemvae.evaluation.report.attribution import NUMBERS, PICTURES
from lsemvae.evaluation.runs import PREDICTED
from lsemvae.evaluation.statistics.estimate import Estimate
from lsemvae.explain.attribution import DELTA_ABSOLUTE, DELTA_RELATIVE
from lsemvae.explain.figures import gate_figure, ranking_figure, waves_figure
from lsemvae.explain.gate import summarise_gate
from lsemvae.explain.ranking import rank_leads, summarise_waves
from lsemvae.explain.records import Explained, ExplanationSettings
from lsemvae.explain.sheet import draw_attribution
from lsemvae.explain.skill import knows_something, skill_facts, skill_lines
from lsemvae.predicting.pictures import file_names

QUANTILES = (0.05, 0.5, 0.95)
LEADS, LEADS_HEAD = "attribution.csv", b"record,patient_id,fold,label,probability,"
TABLES, FIXED = (LEADS, "waves.csv", "gate.csv"), ("leads", "waves", "gate")
KINDS = ("png", "svg")
OF_RECORD = re.compile(r"record_[^/]+")
LINE = 90  # letters of a picture's title, beyond which it is cut


def write_explanation(
    out: Path,
    about: dict[str, Any],
    data: StoreDataModule,
    plan: ExplanationSettings,
    found: Explained,
    *,
    skill: Estimate,
) -> None:
    """Write every file and print where they are.

    Args:
        out: folder, made where it is missing.
        about: metrics.json of the run.
        data: the store.
        plan: what was computed.
        found: the results.
        skill: AUROC of the explained models, from `model_skill`.
    """
    remove_earlier(out)
    out.mkdir(parents=True, exist_ok=True)
    seed = plan.settings.seed
    leads = pd.concat(found.leads, ignore_index=True)
    write_text(out / LEADS, leads.to_csv(index=False, float_format="%.6g"))
    ranking = rank_leads(leads, seed=seed)
    about = {**about, "skill": "\n".join(fill(one, LINE) for one in skill_lines(skill))}
    n_records = int(leads["record"].nunique())
    title = _title(about, data, plan, n_records)
    _save(ranking_figure(ranking, f"Leads by attribution\n{title}"), out / "leads")
    summary = {
        **_about(about, data, plan),
        "n_records": n_records,
        "n_patients": int(leads["patient_id"].nunique()),
        "model": skill_facts(skill),
        "completeness": _completeness(leads),
        "ranking": ranking.to_dict("records"),
        "model_randomisation": _agreement(found.randomised),
        PICTURES: [
            "leads", *(["waves"] if found.waves else []), *(["gate"] if found.gate else []),
            *_record_files(found).values(),
        ],
    }  # fmt: skip
    if found.waves:
        summary["waves"] = _write_waves(out, pd.concat(found.waves, ignore_index=True), title, seed)
        summary["n_not_delineated"] = len(found.not_delineated)
    if found.gate:
        _write_gate(out, about, found, f"{_source(about, data)}\n{about['skill']}")
    _write_records(out, about, data, found, leads)
    tables = [LEADS, *(["waves.csv"] if found.waves else []), *(["gate.csv"] if found.gate else [])]
    pictures = [f"{stem}.png" for stem in summary[PICTURES]]
    write_json(out / NUMBERS, _plain(summary | {"provenance": provenance()}), tables + pictures)
    best = ranking.iloc[0]
    told = f"{best['lead']} has the largest share, {best['share']:.1%}"
    say(f"{title}: {told}" if knows_something(skill) else f"{title} Of no meaning: {told}")
    say(f"explanation: {out}")


def _about(
    about: dict[str, Any], data: StoreDataModule, plan: ExplanationSettings
) -> dict[str, Any]:
    names = ("task", "method", "leads", "data", "synthetic", "normalisation", "cohort_sha256",
             "encoder_sha256", "splits_sha256", PREDICTED)  # fmt: skip
    return {
        **{name: about[name] for name in names},
        "cut_from_leads": _n_stored(data),
        "calibrated": data.pool.calibrated,
        "attribution": {**asdict(plan.settings), "baseline": plan.baseline},
    }


def _n_stored(data: StoreDataModule) -> int:
    """Return how many leads the fullest recordings of the store hold."""
    return int(data.pool.present.sum(1).max())


def _source(about: dict[str, Any], data: StoreDataModule) -> str:
    """Name leads and data, and say what they are not."""
    n_used, n_stored = len(data.leads), _n_stored(data)
    names = (
        f"{counted(n_used, 'lead')}"
        if lead_set_name(data.leads) == f"{n_used}L"
        else ", ".join(data.leads)
    )
    cut = f" cut from {n_stored}-lead recordings" if n_stored > n_used else ""
    label = f"SYNTHETIC data ({about['data']})" if about["synthetic"] else about["data"]
    return f"{names}{cut}, {label}"


def _title(
    about: dict[str, Any], data: StoreDataModule, plan: ExplanationSettings, n_records: int
) -> str:
    explained_by = plan.settings.method.replace("_", " ")
    source = f"{_source(about, data)}\n{about['skill']}"
    of_many = counted(n_records, "recording")
    return f"{about['task']}, {about['method']}, {explained_by}, {of_many}\n{source}"


def _completeness(leads: pd.DataFrame) -> dict[str, float | None]:
    delta = leads.drop_duplicates("record")["delta_logit"].abs().dropna()
    return {
        "largest_delta_logit": float(delta.max()) if len(delta) else None,
        "median_delta_logit": float(delta.median()) if len(delta) else None,
        "allowed_absolute": DELTA_ABSOLUTE,
        "allowed_relative": DELTA_RELATIVE,
    }


def _agreement(randomised: list[pd.DataFrame]) -> dict[str, Any]:
    """Return quantiles of the rank correlations with shuffled weights, by what was shuffled."""
    table = pd.concat(randomised, ignore_index=True)
    return {
        str(part): {
            "n_records": len(own),
            **{
                name: {f"q{100 * q:02.0f}": own[name].quantile(q) for q in QUANTILES}
                for name in ("samples", "leads")
            },
        }
        for part, own in table.groupby("shuffled", sort=False)
    }


def _write_waves(out: Path, waves: pd.DataFrame, title: str, seed: int) -> list[Any]:
    write_text(out / "waves.csv", waves.to_csv(index=False, float_format="%.6g"))
    summary = summarise_waves(waves, seed=seed)
    by_lead = waves.pivot_table(index="lead", columns="wave", values="share", sort=False)
    by_lead = by_lead[summary["wave"].tolist()]
    figure = waves_figure(summary, by_lead / by_lead.to_numpy().sum(), f"Waves\n{title}")
    _save(figure, out / "waves")
    return summary.to_dict("records")


def _write_gate(out: Path, about: dict[str, Any], found: Explained, source: str) -> None:
    parts = []
    for leads, tables in found.gate.items():
        table = pd.concat(tables, ignore_index=True)
        weights = table.drop(columns=["label", "record"])
        parts.append(summarise_gate(weights, table["label"].to_numpy(), leads))
    gate = pd.concat(parts, ignore_index=True)
    write_text(out / "gate.csv", gate.to_csv(index=False, float_format="%.6g"))
    names = find_task(about["task"]).groups
    _save(
        gate_figure(
            gate, names, f"Weights of the gate, {about['task']}, {about['method']}\n{source}"
        ),
        out / "gate",
    )


def _write_records(
    out: Path, about: dict[str, Any], data: StoreDataModule, found: Explained, leads: pd.DataFrame
) -> None:
    facts = leads.drop_duplicates("record").set_index("record").to_dict("index")
    task = about["task"]
    names = find_task(task).groups
    for record, name in _record_files(found).items():
        explained, fact = found.records[record], facts[record]
        title = (
            f"record {record}: {names[int(fact['label'])]}\n"
            f"P({names[1]}) = {fact['probability']:.2f} by the model of fold {fact['fold']} "
            f"({task}, {about['method']})\n{_source(about, data)}\n{about['skill']}"
        )
        _save(draw_attribution(explained, title=title).figure, out / name)


def _record_files(found: Explained) -> dict[str, str]:
    """Return the name of each drawn record's picture; no two are alike."""
    return {record: f"record_{name}" for record, name in file_names(list(found.records)).items()}


def check_explain_folder(out: Path) -> None:
    """Check that a folder holds no file of somebody else under our names.

    Raises:
        InputError: names what would be lost.
    """
    check_output_file(out / LEADS, mark=LEADS_HEAD)
    if (out / NUMBERS).exists():
        check_output_file(out / NUMBERS, mark=b'"attribution"')
        return
    if (out / LEADS).exists():
        return  # an explanation that was interrupted: this file is its first, the numbers its last
    for name in (*TABLES, *(f"{stem}.{kind}" for stem in FIXED for kind in KINDS)):
        check_output_file(out / name, mark=b"lsemvae-explain")


def remove_earlier(out: Path) -> None:
    """Remove an earlier explanation, which would be shown as parts of this one.

    The table of the leads stays until this one's takes its place: it tells whose the folder is.
    """
    if not (out / NUMBERS).is_file():
        return
    stems = _earlier_pictures(out / NUMBERS)
    others = [name for name in TABLES if name != LEADS]
    for name in (*others, *(f"{stem}.{kind}" for stem in stems for kind in KINDS), NUMBERS):
        (out / name).unlink(missing_ok=True)


def _earlier_pictures(numbers: Path) -> list[str]:
    """Return the pictures that an explanation lists; those of every one where it is damaged."""
    try:
        listed = read_json(numbers, "it is replaced").get(PICTURES, FIXED)
    except InputError as error:
        say(f"note: {error}")
        listed = FIXED
    return [name for name in map(str, listed) if name in FIXED or OF_RECORD.fullmatch(name)]


def _save(figure: Figure, stem: Path) -> None:
    for kind in KINDS:
        save_figure(figure, stem.with_name(f"{stem.name}.{kind}"), dpi=180)
        figure.set_layout_engine("none")  # laid out once; to do it again costs as much as to draw


def _plain(value: Any) -> Any:
    """Return numbers as JSON knows them; what is not a number becomes null."""
    if isinstance(value, dict):
        return {str(name): _plain(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
