"""Say what a reader has to know before anything else."""

from collections.abc import Sequence
from typing import Any

from lsemvae.core.chance import chance_text
from lsemvae.core.counted import counted
from lsemvae.core.tasks import Thresholds, find_task
from lsemvae.evaluation.leakage_statement import LeakageStatement, leakage_statement
from lsemvae.evaluation.report.blocks import Block, Section, Table, Text
from lsemvae.evaluation.report.evidence import Evidence, RunEvidence
from lsemvae.evaluation.report.numbers import errors_table
from lsemvae.evaluation.report.several_labels import macro_table
from lsemvae.evaluation.report.to_beat import to_beat
from lsemvae.evaluation.report.written import NONE, estimate, number, or_none, percent, reason
from lsemvae.evaluation.statistics.permutation import judge_permuted_training

SYNTHETIC = (
    "Synthetic recordings: simulated ECGs, not patients. No number of this report says anything "
    "about a diagnosis."
)
CUT = (
    "Results on fewer leads use signals that were cut from {n}-lead recordings; a handheld device "
    "differs in amplitude, posture and noise, and the beats of a store of median beats were found "
    "and aligned in all {n} leads."
)
RESEARCH = "Research software, not a medical device: no result of it is a diagnosis."
HEADER = ("task", "model", "AUROC, mean over folds [95 %]", "AUROC, pooled [95 %]",
          "AUPRC [95 %]", "positive share", "accuracy", "larger class alone",
          "patients (positive)")  # fmt: skip


def first_screen(evidence: Evidence) -> Section:
    """Return what was asked, of which data, with which result, and what speaks against it."""
    statements = leakage_statements(evidence)
    blocks: list[Block] = []
    if evidence.synthetic:
        blocks.append(Text(SYNTHETIC, "warning"))
    blocks += [Text(found.text, "warning") for found in statements if not found.clean]
    blocks += chosen_epochs(evidence)
    for task in evidence.tasks:
        blocks += [Text(question(evidence, task)), Text(base_rate(evidence, task))]
    for task in evidence.number_tasks:
        blocks += number_texts(evidence.of_task(task)[0])
    for task in evidence.label_tasks:
        blocks.append(labels_text(evidence.of_task(task)[0]))
    blocks.append(Text(f"Data: {evidence.label}."))
    main = [run for task in evidence.tasks for run in evidence.detailed(task)]
    if main:
        blocks.append(main_table(evidence, main))
    blocks += guesses(main)
    for task in evidence.tasks:
        blocks += to_beat(evidence, task)
    blocks += [errors_table(evidence, task) for task in evidence.number_tasks]
    blocks += [macro_table(evidence, task) for task in evidence.label_tasks]
    blocks += [Text(f"Leakage: {found.text}") for found in statements if found.clean]
    if any(len(run.run.metrics["leads"]) < 12 for run in evidence.all_runs):
        n_leads = evidence.cohort.most_leads if evidence.cohort else 12
        blocks.append(Text(CUT.format(n=n_leads)))
    blocks += scored(evidence)
    blocks += permuted_verdicts(evidence)
    blocks.append(Text(RESEARCH))
    return Section(
        "summary",
        "Summary",
        blocks,
        {
            "data": evidence.label,
            "synthetic": evidence.synthetic,
            "leakage": [found._asdict() for found in statements],
            "questions": {task: question(evidence, task) for task in evidence.tasks},
            **_estimated(evidence),
            "main": {
                run.key: {"within_folds": run.within_folds, **run.summary["pooled"]} for run in main
            },
        },
        ("leakage", "performance", "interval_widths"),
    )


def main_table(evidence: Evidence, main: Sequence[RunEvidence]) -> Table:
    """Return the main results of the tasks with a yes or no."""
    return Table(
        f"Main results on {evidence.label}: out-of-fold predictions, intervals by patient "
        "(DeLong; bootstrap). Pooled figures, all but the first, rank the scores of models "
        "against one another that were trained apart; accuracy at a probability of one half.",
        HEADER,
        [_row(run) for run in main],
    )


def guesses(main: Sequence[RunEvidence]) -> list[Text]:
    """Warn of every run whose AUROC cannot be told from that of a guess."""
    said = []
    for run in main:
        found = run.within_folds
        if not reason(found):
            guess = chance_text(*(found[name] for name in ("value", "low", "high")))
            said += [Text(f"{run.task}, {run.title}: {guess}", "warning")] if guess else []
    return said


def number_texts(run: RunEvidence) -> list[Text]:
    """Return what was asked of a number, and how wrong one is without any model."""
    target, counts = run.run.target.number, run.summary["records"]
    return [
        Text(f"Question ({run.task}): how close does an estimate from the ECG come to the measured "
             f"{target.title} ({target.unit})?"),
        Text(f"Base rate ({run.task}): measured {counts['measured_mean']:.1f} ± "
             f"{counts['measured_sd']:.1f} {target.unit}; naming the mean of the training part "
             f"alone is off by {counts['training_mean_mae']:.2f} {target.unit} on average."),
    ]  # fmt: skip


def labels_text(run: RunEvidence) -> Text:
    """Return what was asked of several labels."""
    thresholds = Thresholds.of_settings(run.run.metrics)
    defined = "; ".join(find_task(name).defined_by(thresholds) for name in run.run.target.names)
    return Text(f"Question ({run.task}): does the ECG tell each of these labels: {defined}?")


def _estimated(evidence: Evidence) -> dict[str, Any]:
    """Return the facts of numbers and of several labels, none where there are none."""
    numbers = [run for task in evidence.number_tasks for run in evidence.of_task(task)]
    labels = [run for task in evidence.label_tasks for run in evidence.of_task(task)]
    return {
        **({"numbers": {run.key: run.summary["pooled"] for run in numbers}} if numbers else {}),
        **({"labels": {run.key: run.summary["macro"] for run in labels}} if labels else {}),
    }


def question(evidence: Evidence, task: str) -> str:
    """Return what was asked of the recordings of a task."""
    metrics = evidence.of_task(task)[0].run.metrics
    thresholds = Thresholds.of_settings(metrics)
    asked = find_task(task).question(thresholds)
    return f"Question ({task}): {asked}"


def base_rate(evidence: Evidence, task: str) -> str:
    """Return what is right without any model: it has to be seen on a narrow screen, too."""
    counts = evidence.of_task(task)[0].summary["records"]
    return (
        f"Base rate ({task}): {counts['n_positive']} of "
        f"{counted(counts['n_records'], 'record is', 'records are')} positive, so naming the "
        f"larger class alone is right in {percent(counts['base_rate_accuracy'])}."
    )


def scored(evidence: Evidence) -> list[Block]:
    """Say which epoch the scores are of, where none was chosen."""
    epochs = {run.run.metrics.get("scored_epoch") for run in evidence.all_runs}
    if epochs == {"last"}:
        return [Text("Every score is of the last training epoch: no epoch was chosen by any fold.")]
    if None not in epochs:
        return []
    return [
        Text("Some metrics.json is of an older version and does not say which epoch was scored; "
             "`lsemvae cv` has always scored the last one.")
    ]  # fmt: skip


def chosen_epochs(evidence: Evidence) -> list[Text]:
    """Warn of scores of another epoch than the last."""
    return [
        Text(
            f"{run.key}: scored at epoch {run.run.metrics['scored_epoch']!r}, not at the last one; "
            "an epoch that was chosen by its test fold makes results too good.", "warning",
        )
        for run in evidence.all_runs
        if run.run.metrics.get("scored_epoch") not in (None, "last")
    ]  # fmt: skip


def leakage_statements(evidence: Evidence) -> list[LeakageStatement]:
    """Return what the runs say about leakage, equal statements once and the bad ones first."""
    by_text: dict[LeakageStatement, list[str]] = {}
    for run in evidence.all_runs:
        by_text.setdefault(leakage_statement(run.run.metrics), []).append(run.key)
    found = [
        LeakageStatement(clean, text if len(by_text) == 1 else f"{', '.join(keys)}: {text}")
        for (clean, text), keys in by_text.items()
    ]
    return sorted(found, key=lambda statement: statement.clean)


def permuted_verdicts(evidence: Evidence) -> list[Text]:
    """Return the verdict on every run with shuffled labels."""
    verdicts = []
    for run in evidence.permuted:
        table = run.predictions
        judged = judge_permuted_training(table["label"], table["probability"], table["patient_id"])
        text = f"{run.metrics['task']}, {run.title}: {judged.statement}"
        verdicts.append(Text(text, "warning" if judged.leak else "plain"))
    return verdicts


def _row(run: RunEvidence) -> list[str]:
    pooled, counts = run.summary["pooled"], run.summary["records"]
    if reason(pooled):
        return [run.task, run.title, *[NONE] * 3, *[""] * 3, str(counts["n_patients"])]
    boot = pooled["bootstrap"]
    return [
        run.task,
        run.title,
        or_none(run.within_folds),
        estimate(pooled["auroc_delong"]),
        estimate(boot["average_precision"]),
        percent(counts["prevalence"]),
        number(boot["accuracy"]["value"]),
        number(counts["base_rate_accuracy"]),
        f"{counts['n_patients']} ({counts['n_positive_patients']})",
    ]
