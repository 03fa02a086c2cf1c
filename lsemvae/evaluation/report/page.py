"""Put the sections together and write page, numbers, figures and model cards."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from lsemvae.core.earlier_results import remember_result
from lsemvae.core.files import file_sha256, write_text
from lsemvae.core.one_writer import writing_alone
from lsemvae.core.outputs import check_output_file
from lsemvae.evaluation.model_card import write_model_card
from lsemvae.evaluation.report.attribution import attribution_section
from lsemvae.evaluation.report.blocks import Section
from lsemvae.evaluation.report.calibration import calibration_section
from lsemvae.evaluation.report.card import card_facts
from lsemvae.evaluation.report.checklist import checklist_section
from lsemvae.evaluation.report.cohort import (
    characteristics_section,
    flow_section,
    sanity_section,
)
from lsemvae.evaluation.report.decisions import decision_section, operating_section
from lsemvae.evaluation.report.discrimination import discrimination_section
from lsemvae.evaluation.report.evidence import Evidence
from lsemvae.evaluation.report.first_screen import first_screen
from lsemvae.evaluation.report.html import render_page, sections_json, write_figures
from lsemvae.evaluation.report.latent import latent_section
from lsemvae.evaluation.report.methods import methods_section
from lsemvae.evaluation.report.numbers import numbers_section
from lsemvae.evaluation.report.paper import paper_section
from lsemvae.evaluation.report.provenance import provenance_section
from lsemvae.evaluation.report.reconstructions import reconstruction_section
from lsemvae.evaluation.report.results import results_section
from lsemvae.evaluation.report.sensitivity import (
    abstention_section,
    label_section,
    permutation_section,
)
from lsemvae.evaluation.report.several_labels import several_labels_section
from lsemvae.evaluation.report.stress import has_stress, stress_section
from lsemvae.evaluation.report.subgroups import subgroup_section
from lsemvae.evaluation.report.worth import worth_section

Builder = Callable[[Evidence], Section]
Shown = Callable[[Sequence[Builder]], Iterable[Builder]]

SECTIONS: Sequence[Builder] = (
    first_screen,
    flow_section,
    characteristics_section,
    sanity_section,
    methods_section,
    results_section,
    numbers_section,
    several_labels_section,
    worth_section,
    discrimination_section,
    calibration_section,
    decision_section,
    operating_section,
    subgroup_section,
    label_section,
    abstention_section,
    permutation_section,
    latent_section,
    reconstruction_section,
    attribution_section,
    stress_section,
    provenance_section,
)
OF_A_YES_OR_NO = frozenset({
    results_section, worth_section, discrimination_section, calibration_section, decision_section,
    operating_section, subgroup_section, label_section, abstention_section, permutation_section,
    latent_section, reconstruction_section, attribution_section,
})  # fmt: skip
FORMAT = "lsemvae-report"
VERSION = 1


def build_sections(evidence: Evidence, shown: Shown = iter) -> list[Section]:
    """Return the sections that these runs have something for, in the order of the page.

    Args:
        evidence: of the report.
        shown: passes the builders of the sections on, and may show how far they are.
    """
    without = set() if evidence.number_tasks else {numbers_section}
    without |= set() if evidence.label_tasks else {several_labels_section}
    without |= OF_A_YES_OR_NO if not evidence.runs else set()
    without |= set() if has_stress(evidence) else {stress_section}
    builders = [build for build in SECTIONS if build not in without]
    sections = [build(evidence) for build in shown(builders)]
    return [*sections, checklist_section(sections), paper_section(evidence)]


def write_report(evidence: Evidence, out: Path, shown: Shown = iter) -> Path:
    """Write index.html, report.json, figures and model cards into a folder.

    Args:
        evidence: of the report.
        out: the folder.
        shown: as in `build_sections`.

    Returns:
        The path of index.html.
    """
    check_report_folder(out)
    sections = build_sections(evidence, shown)
    with writing_alone(out, wait=True):
        write_figures(sections, out / "figures")
        cards = _write_cards(evidence, out)
        numbers = report_json(evidence, sections)
        text = json.dumps(numbers, indent=1, allow_nan=False)
        write_text(out / "report.json", text + "\n")
        page = out / "index.html"
        beside = ["report.json (every number)", "figures/", *cards]
        write_text(page, render_page(evidence.title, sections, beside))
    return page


def check_report_folder(out: Path) -> None:
    """Check that a folder holds no page of somebody else.

    Raises:
        InputError: names what would be lost.
    """
    if (out / "report.json").exists():
        check_output_file(out / "report.json", mark=f'"format": "{FORMAT}"'.encode())
        for card in out.glob("model_card*.md"):  # people write into them
            remember_result(card, file_sha256)
        return
    for name in ("index.html", "model_card.md"):
        check_output_file(out / name, mark=b"lsemvae")


def report_json(evidence: Evidence, sections: Sequence[Section]) -> dict[str, Any]:
    """Return every number of the report, and everything that its tables say."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "title": evidence.title,
        "data": evidence.label,
        "synthetic": evidence.synthetic,
        "records": {run.key: run.summary["records"] for run in evidence.all_runs},
        "sections": sections_json(sections),
    }


def _write_cards(evidence: Evidence, out: Path) -> list[str]:
    """Write a card for the first run of every task, the first task's as model_card.md."""
    names = []
    for number, task in enumerate(evidence.tasks):
        name = f"model_card_{task}.md" if number else "model_card.md"
        write_model_card(card_facts(evidence, evidence.of_task(task)[0]), out / name)
        names.append(name)
    return names
