"""Set the patients beside those of the training, and measure the model in parts of them."""

from dataclasses import asdict
from typing import Any

import pandas as pd
from scipy.special import logit

from lsemvae.evaluation.report.blocks import Block, Section, Table, Text, frame_table
from lsemvae.evaluation.report.subgroups import performance_cells
from lsemvae.evaluation.report.written import estimate, unavailable
from lsemvae.evaluation.statistics.calibration import SMALLEST_PROBABILITY
from lsemvae.evaluation.statistics.json_values import to_json
from lsemvae.evaluation.statistics.leave_site_out import Calibration, leave_one_site_out
from lsemvae.evaluation.statistics.observed_expected import observed_expected
from lsemvae.evaluation.statistics.subgroups import age_bands, group_names, subgroup_performance
from lsemvae.evaluation.tables.case_mix import case_mix_table, summarise_cohort
from lsemvae.external.evidence import ExternalEvidence
from lsemvae.model_file.cohort_summary import CohortSummary

SUBGROUP_HEADER = ("column", "group", "patients", "positive records", "AUROC [95 %]", "AUPRC",
                   "positive share", "Brier score", "observed / expected [95 %]")  # fmt: skip
SITE_HEADER = ("site", "patients", "positive records", "AUROC [95 %]", "probabilities",
               "observed / expected [95 %]", "intercept [95 %]", "slope [95 %]")  # fmt: skip
SITES = (
    "The model is finished: nothing of it is trained again. For each site, intercept and slope are "
    "fitted on the recordings of all other sites of this cohort, without patients of the site "
    "itself, and the recalibrated probabilities are tested on the site. It shows what a new site "
    "may expect that recalibrates with data of others."
)


def case_mix_section(evidence: ExternalEvidence) -> Section:
    """Return Table 1 of the training and of this cohort side by side."""
    labelled = evidence.table[evidence.table["label"].notna()]
    scored = evidence.evaluated["probability"].astype(float)  # labelled, as those of training
    odds = logit(scored.clip(SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY))
    here = summarise_cohort(labelled, labelled["label"], odds)
    table = frame_table(
        f"Labelled patients of the training ({evidence.model.label}) and of {evidence.name}: mean "
        "± SD or n (%), each patient once; the last column is the difference in units of the "
        "standard deviation. Log-odds of training: inner predictions.",
        case_mix_table(evidence.model.trained_cohort, here),
    )
    blocks: list[Block] = [table]
    if evidence.model.trained_cohort is None:
        why = "the model is of format 1, which stored nothing of its patients; lock it again"
        blocks.append(unavailable("Patients of the training", why))
    facts = {"training": _plain(evidence.model.trained_cohort), "here": _plain(here)}
    return Section("case_mix", "Case mix (Table 1)", blocks, facts)


def _plain(summary: CohortSummary | None) -> Any:
    return None if summary is None else to_json(asdict(summary))


def subgroup_section(evidence: ExternalEvidence) -> Section:
    """Return performance and calibration in the large by group."""
    table = evidence.evaluated
    rows, facts = [], {}
    blocks: list[Block] = []
    for column in evidence.subgroups:
        if column not in table:
            blocks.append(unavailable(f"Subgroups of {column}", "the cohort has no such column"))
            continue
        group = age_bands(table[column]) if column == "age_years" else table[column]
        found = subgroup_performance(table, group)
        names = group_names(group)
        facts[column] = to_json(found)
        for name, part in to_json(found).items():
            cell = "" if part["suppressed"] else _ratio(table[names == name])
            rows.append([column, *performance_cells(name, part), cell])
    if rows:
        blocks.insert(0, Table(f"Subgroups on {evidence.name}.", SUBGROUP_HEADER, rows))
    return Section("subgroups", "Subgroups", blocks, facts)


def _ratio(part: pd.DataFrame) -> str:
    return estimate(
        to_json(observed_expected(part["label"], part["probability"], part["patient_id"])), 2
    )


def site_section(evidence: ExternalEvidence) -> Section:
    """Return performance at each site, locked and recalibrated at the others."""
    title = "Leave one site out"
    if evidence.site is None:
        why = "the cohort has no column of sites (--site)"
        return Section("sites", title, [unavailable(title, why)])
    table = evidence.evaluated
    if len(set(group_names(table[evidence.site]))) < 2:
        return Section("sites", title, [unavailable(title, "all recordings are of one site")])
    found = leave_one_site_out(*evidence.columns, table[evidence.site])
    rows = []
    for name, one in found.items():
        part = to_json(one.performance)
        counts = [name, *performance_cells(name, part)[1:4]]
        rows.append([*counts, "as locked", *_cells(one.locked, "")])
        if one.locked is not None:
            blank = [name, "", "", ""]
            rows.append([*blank, "recalibrated at the others", *_cells(one.recalibrated, one.why)])
    caption = f"Sites of {evidence.name} (column {evidence.site}); small ones are not judged."
    return Section("sites", title, [Text(SITES), Table(caption, SITE_HEADER, rows)],
                   {"sites": to_json(found)})  # fmt: skip


def _cells(found: Calibration | None, why: str) -> list[str]:
    if found is None:
        return [f"not available: {why}" if why else "", "", ""]
    return [estimate(one, 2) for one in to_json(found).values()]
