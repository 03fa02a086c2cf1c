"""End the report with what a manuscript needs: the flow diagram and the methods in plain text."""

from collections.abc import Sequence

from lsemvae.core.counted import counted
from lsemvae.core.study_flow import Arm, FlowStep
from lsemvae.evaluation.flow_diagram import Box, flow_diagram
from lsemvae.evaluation.report.blocks import Block, Picture, Section, Text
from lsemvae.evaluation.report.cohort import NO_STORE
from lsemvae.evaluation.report.evidence import CohortEvidence, Evidence
from lsemvae.evaluation.report.methods_text import methods_text
from lsemvae.evaluation.report.written import unavailable


def paper_section(evidence: Evidence) -> Section:
    """Return the flow diagram, the methods and the rules of eligibility, word by word."""
    cohort = evidence.cohort
    if cohort is None:
        blocks: list[Block] = [unavailable("Flow diagram, cohort, preparation", NO_STORE)]
    else:
        blocks = [_picture(evidence, cohort)]
        blocks += [Text(cohort.study_note, "note")] if cohort.study_note else []
    paragraphs = methods_text(evidence)
    blocks += [Text(paragraph) for paragraph in paragraphs]
    rules = "" if cohort is None else cohort.study.rules
    if rules:
        blocks += [Text("Eligibility. Recordings were left out by these rules, in their order:"),
                   Text(rules, "verbatim")]  # fmt: skip
    facts = {"methods": paragraphs, "rules": rules,
             "steps": [_fact(step) for step in cohort.study.steps] if cohort else []}  # fmt: skip
    return Section("paper", "For the manuscript", blocks, facts)


def _fact(step: FlowStep) -> dict[str, object]:
    return {**step._asdict(), "excluded": [one._asdict() for one in step.excluded]}


def _picture(evidence: Evidence, cohort: CohortEvidence) -> Picture:
    steps = cohort.study.steps
    trunk = [*_boxes(steps, "study"), _analysed(evidence, len(cohort.table))]
    arms = [arm for arm in (_boxes(steps, "recordings"), _boxes(steps, "table")) if arm]
    title = f"Flow of the study, {evidence.label}"
    drawn = flow_diagram(arms, trunk, title, "SYNTHETIC data" if evidence.synthetic else "")
    said = "; ".join(
        f"{box.text}: {', '.join(box.counts)}"
        + (f" (left out: {', '.join(box.left_out)})" if box.left_out else "")
        for box in [*(box for arm in arms for box in arm), *trunk]
    )
    caption = f"Flow of the study, {evidence.label}: what was left, and beside it who was left out."
    return Picture("flow", drawn.encode(), "svg", caption, f"Flow diagram. {said}")


def _boxes(steps: Sequence[FlowStep], arm: Arm) -> list[Box]:
    return [
        Box(step.text, _counts(step), [f"{one.n:,} {one.reason}" for one in step.excluded])
        for step in steps if step.arm == arm
    ]  # fmt: skip


def _counts(step: FlowStep) -> list[str]:
    n = f"n = {step.n:,}"
    if step.patients is None or (step.unit == "patients" and step.patients == step.n):
        return [n]
    return [f"{n} ({counted(step.patients, 'patient')})"]


def _analysed(evidence: Evidence, n_stored: int) -> Box:
    """Return the last box: what the runs were made of, and whom no task has a label for."""
    tasks = [*evidence.tasks, *evidence.number_tasks, *evidence.label_tasks]
    counts = {task: evidence.of_task(task)[0].summary["records"] for task in tasks}
    lines = [
        f"{task}: n = {one['n_records']:,} ({counted(one['n_patients'], 'patient')})"
        + (f", {counted(one['n_positive'], 'record')} positive" if "n_positive" in one else "")
        for task, one in counts.items()
    ]
    left = [
        f"{n_stored - one['n_records']:,} without a label of {task}"
        for task, one in counts.items() if n_stored > one["n_records"]
    ]  # fmt: skip
    return Box("recordings analysed", lines, left)
