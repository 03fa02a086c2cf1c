"""Write the report of an external validation: page, numbers, tables and figures."""

import json
from pathlib import Path

import pandas as pd

from lsemvae.core.files import write_text
from lsemvae.core.outputs import check_output_file
from lsemvae.evaluation.report.html import render_page, sections_json, write_figures
from lsemvae.external.evidence import ExternalEvidence
from lsemvae.external.methods import methods_section
from lsemvae.external.patients import case_mix_section, site_section, subgroup_section
from lsemvae.external.performance import (
    curve_section,
    outcome_section,
    summary_section,
)
from lsemvae.external.recalibration import learning_section
from lsemvae.external.use import benefit_section, threshold_section

FORMAT, VERSION = "lsemvae-external", 1


def write_external_report(evidence: ExternalEvidence, out: Path) -> Path:
    """Write index.html, external.json, measures.csv, learning_curve.csv and figures/.

    Returns:
        The path of index.html.
    """
    sections = [
        build(evidence)
        for build in (
            summary_section, outcome_section, case_mix_section, curve_section, threshold_section,
            benefit_section, subgroup_section, learning_section, site_section, methods_section,
        )
    ]  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    shown = sections_json(sections)
    numbers = {
        "format": FORMAT, "version": VERSION, "title": evidence.title, "data": evidence.name,
        "synthetic": evidence.synthetic or evidence.model.synthetic,
        "sections": shown,
    }  # fmt: skip
    write_text(out / "external.json", json.dumps(numbers, indent=1, allow_nan=False) + "\n")
    write_figures(sections, out / "figures")
    measures = pd.DataFrame(
        [{"measure": name, **one._asdict()} for name, one in evidence.measures.items()]
    )
    write_text(out / "measures.csv", measures.to_csv(index=False))
    curve = shown["recalibration"]["facts"].get("learning_curve", [])
    write_text(out / "learning_curve.csv", pd.DataFrame(curve).to_csv(index=False))
    page = out / "index.html"
    beside = ["external.json (every number)", "measures.csv", "learning_curve.csv",
              "predictions.csv", "figures/"]  # fmt: skip
    write_text(page, render_page(evidence.title, sections, beside))
    return page


def check_external_folder(out: Path) -> None:
    """Check that a folder holds no page of somebody else.

    Raises:
        InputError: names what would be lost.
    """
    if (out / "external.json").exists():
        check_output_file(out / "external.json", mark=f'"format": "{FORMAT}"'.encode())
        return
    check_output_file(out / "predictions.csv", mark=b"recording,outcome,code")
    for name in ("index.html", "measures.csv", "learning_curve.csv"):
        check_output_file(out / name, mark=b"lsemvae-external")
