"""Show who the numbers are about: flow of records, groups, data sanity."""

import pandas as pd

from lsemvae.core.counted import counted
from lsemvae.core.tasks import Thresholds
from lsemvae.evaluation.report.blocks import Block, Section, Table, Text, frame_table
from lsemvae.evaluation.report.evidence import CohortEvidence, Evidence
from lsemvae.evaluation.report.written import unavailable
from lsemvae.evaluation.statistics.json_values import to_json
from lsemvae.evaluation.tables.table1 import characteristics_table, counting_note

NO_STORE = "no store was given (--cohort)"
MOST_PLACES = 5


def flow_section(evidence: Evidence) -> Section:
    """Return records found, rejected by reason and used, by fold and group."""
    cohort = evidence.cohort
    blocks: list[Block] = []
    answers = ["sample_sizes", "partition"]
    if cohort is None:
        blocks.append(unavailable("Recordings listed and rejected, dates", NO_STORE))
    else:
        rows = [[step, str(count)] for step, count in cohort.flow]
        blocks.append(
            Table(f"Recordings from the list to the analysis, {evidence.label}.",
                  ("step", "count"), rows)
        )  # fmt: skip
        blocks += _groups(evidence, cohort) + _leads_and_dates(cohort)
        answers += ["flow", "eligibility", "input_quality"]
        answers += ["ecg_interval"] if cohort.interval_days is not None else []
        answers += ["data_dates"] if cohort.dates else []
    by_task = {task: _folds(evidence.of_task(task)[0].run.predictions) for task in evidence.tasks}
    by_task |= {task: _number_folds(evidence.of_task(task)[0].run.predictions)
                for task in evidence.number_tasks}  # fmt: skip
    by_task |= {task: _record_folds(evidence.of_task(task)[0].run.predictions)
                for task in evidence.label_tasks}  # fmt: skip
    for task, table in by_task.items():
        caption = f"Patients and records by fold, {task}, {evidence.label}. Folds share no patient."
        blocks.append(frame_table(caption, table))
    facts = {"folds": to_json(by_task)}
    if cohort is not None:
        facts |= {
            "flow": [list(step) for step in cohort.flow],
            "haemodynamic_groups": cohort.groups,
            "missing_leads": cohort.missing_leads,
            "dates": {name: list(span) for name, span in cohort.dates.items()},
            "ecg_to_catheter_days": interval(cohort.interval_days),
        }
    return Section("flow", "Flow of records", blocks, facts, answers)


def _groups(evidence: Evidence, cohort: CohortEvidence) -> list[Block]:
    """Return the sizes of the haemodynamic groups, none without a vascular resistance."""
    if not cohort.groups:
        return []
    limits = Thresholds.of_settings(evidence.all_runs[0].run.metrics)
    caption = (
        f"Records with pulmonary hypertension (mPAP > {limits.mpap_mmhg:g} mmHg) by haemodynamic "
        f"group of ESC/ERS 2022 (PAWP {limits.pawp_mmhg:g} mmHg, PVR {limits.pvr_wu:g} WU), "
        f"{evidence.label}."
    )
    rows = [[name, str(n)] for name, n in cohort.groups.items()]
    return [Table(caption, ("group", "records"), rows)]


def _folds(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return counts by fold and in all."""
    parts = [(str(fold), part) for fold, part in predictions.groupby("fold", sort=True)]
    return pd.DataFrame(
        [
            {
                "fold": name,
                "patients": part["patient_id"].nunique(),
                "positive patients": part.loc[part["label"] == 1, "patient_id"].nunique(),
                "records": len(part),
                "positive records": int(part["label"].sum()),
            }
            for name, part in [*parts, ("all", predictions)]
        ]
    )


def _number_folds(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return counts and measured values by fold and in all."""
    parts = [(str(fold), part) for fold, part in predictions.groupby("fold", sort=True)]
    return pd.DataFrame(
        [
            {
                "fold": name,
                "patients": part["patient_id"].nunique(),
                "records": len(part),
                "measured": f"{part['measured'].mean():.1f} ± {part['measured'].std():.1f}",
            }
            for name, part in [*parts, ("all", predictions)]
        ]
    )


def _record_folds(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return counts by fold and in all, of records of which each has some labels."""
    parts = [(str(fold), part) for fold, part in predictions.groupby("fold", sort=True)]
    return pd.DataFrame(
        [
            {"fold": name, "patients": part["patient_id"].nunique(), "records": len(part)}
            for name, part in [*parts, ("all", predictions)]
        ]
    )


def interval(days: pd.Series | None) -> dict[str, float] | None:
    """Return quantiles of the days from ECG to catheter, negative where the ECG came later."""
    if days is None or not days.notna().any():
        return None
    known = days.dropna()
    quantiles = {f"q{round(100 * q)}": float(known.quantile(q)) for q in (0, 0.25, 0.5, 0.75, 1)}
    return {"n": len(known), "n_missing": int(days.isna().sum()), **quantiles}


def _leads_and_dates(cohort: CohortEvidence) -> list[Block]:
    lacking = ", ".join(f"{lead} in {n}" for lead, n in cohort.missing_leads.items() if n)
    blocks: list[Block] = [Text(f"Leads that records lack: {lacking or 'none'}.")]
    for name, (first, last) in cohort.dates.items():
        blocks.append(Text(f"{name}: {first} to {last}."))
    days = interval(cohort.interval_days)
    if days is None:
        blocks.append(
            unavailable("ECG-to-catheter interval", "the store has no ecg_date and rhc_date")
        )
    else:
        blocks.append(
            Text(
                f"Days from ECG to catheter (negative: ECG after it): median {days['q50']:g}, "
                f"quartiles {days['q25']:g} to {days['q75']:g}, range {days['q0']:g} to "
                f"{days['q100']:g}; unknown in {days['n_missing']:g} of "
                f"{counted(int(days['n'] + days['n_missing']), 'recording')}."
            )
        )
    return blocks


def characteristics_section(evidence: Evidence) -> Section:
    """Return Table 1 with Welch's test, beside the paper's."""
    title = "Characteristics (Table 1)"
    cohort = evidence.cohort
    if cohort is None or not cohort.comparisons:
        why = NO_STORE if cohort is None else "the store has no pressures and no task to group by"
        return Section("characteristics", title, [unavailable("Table 1", why)])
    shown = characteristics_table(cohort.table, cohort.comparisons).fillna("")
    shown = shown.rename(columns={"": "characteristic"})
    caption = (
        f"Patients of {evidence.label} by group: mean ± SD and Welch's t-test, n (%) and "
        f"chi-squared test.{counting_note(cohort.table, cohort.comparisons)} Paper: its Table 1, "
        "other patients."
    )
    table = frame_table(caption, shown)
    facts = {"table": to_json(shown)}
    return Section("characteristics", title, [table], facts, ("characteristics",))


def sanity_section(evidence: Evidence) -> Section:
    """Return what looks wrong in the values of the cohort."""
    title = "Data sanity"
    if evidence.cohort is None:
        return Section("sanity", title, [unavailable("Checks of the cohort", NO_STORE)])
    found = evidence.cohort.findings
    text = Text(
        "Checked: units, order of pressures, mean pressure against systolic and diastolic, "
        "repeated patients and waveforms, days between ECG and catheter, missing values. "
        f"{counted(len(found), 'finding')}."
    )
    rows = [[f.check, f.message, str(len(f.where)), ", ".join(f.where[:MOST_PLACES])
             + (" ..." if len(f.where) > MOST_PLACES else "")] for f in found]  # fmt: skip
    table = Table(f"What looks wrong in {evidence.label}.",
                  ("check", "finding", "places", "where"), rows, wrap=True)  # fmt: skip
    facts = {"findings": [{"check": f.check, "message": f.message, "n": len(f.where)}
                          for f in found]}  # fmt: skip
    blocks: list[Block] = [text, table] if rows else [text]
    return Section("sanity", title, blocks, facts, ("missing_data",))
