"""Write the methods of a study in plain text, from its files alone."""

from collections.abc import Mapping
from typing import Any

from lsemvae.core.counted import counted
from lsemvae.core.study_flow import Flow, FlowStep
from lsemvae.core.tasks import Thresholds, find_task
from lsemvae.evaluation.report.evidence import Evidence, RunEvidence

STATISTICS = (
    "Statistics. AUROC as the mean over the folds with DeLong's interval within folds by patient, "
    "and pooled; AUPRC, MCC and accuracy at a probability of one half, with bootstrap intervals by "
    "patient, stratified by class ({n} resamples; that of AUPRC on log-odds); paired differences "
    "by DeLong's test and the test of Nadeau and Bengio, p adjusted by Holm's method; calibration "
    "by intercept, slope and Brier score."
)
OF_NUMBERS = (
    "Statistics of estimates. Mean absolute and root mean squared error, R², Pearson's and Lin's "
    "concordance correlation with bootstrap intervals by patient ({n} resamples); bias and limits "
    "of agreement after Bland and Altman; split conformal prediction intervals of 90 % from the "
    "errors on inner parts of the training parts, with their measured coverage."
)
OF_LABELS = (
    "Statistics of several labels. AUROC of each label and their mean (macro), as means over the "
    "folds, with DeLong's intervals by patient; the components of each patient are summed over the "
    "labels. A label that was not known was left out of training and of its AUROC."
)
WHEN = {
    "nearest": "nearest to it, at most {days} days before or after",
    "before": "nearest before it, on its day or at most {days} days earlier",
    "after": "nearest after it, on its day or at most {days} days later",
}
IGNORED = {
    "blanks": "blanks",
    "case": "upper and lower case",
    "leading_zeros": "leading zeros",
    "signs": "signs between",
    "check_digit": "the check digit ({})",
}
DATES = {
    "shift": "Dates were put back by a number of days of each patient's own.",
    "keep": "Dates were kept.",
    "drop": "Dates were left out.",
}
NORMALISED = {
    "record": "each recording was divided by the standard deviation of its limb leads",
    "lead": "each lead was divided by its standard deviation",
    "millivolt": "amplitudes stayed in millivolts",
}
ARMS = {"recordings": "Recordings", "table": "Table", "study": "Study"}


def methods_text(evidence: Evidence) -> list[str]:
    """Return a paragraph each of cohort, outcome, preparation, models, folds, tests, software."""
    cohort = [] if evidence.cohort is None else [
        " ".join([f"Cohort. Data: {evidence.label}.", *_cohort(evidence.cohort.study)])
    ]  # fmt: skip
    told = [*(_outcome(evidence, task) for task in evidence.tasks),
            *(_number(evidence, task) for task in evidence.number_tasks),
            *(_labels(evidence, task) for task in evidence.label_tasks)]  # fmt: skip
    outcome = " ".join(["Outcome.", *told])
    store = None if evidence.cohort is None else evidence.cohort.store
    preparation = [] if store is None else [_preparation(store)]
    models = " ".join(["Models.", *dict.fromkeys(_model(run) for run in evidence.all_runs)])
    used = [*([STATISTICS] if evidence.runs else []),
            *([OF_NUMBERS] if evidence.number_tasks else []),
            *([OF_LABELS] if evidence.label_tasks else [])]  # fmt: skip
    statistics = [text.format(n=evidence.n_resamples) for text in used]
    return [*cohort, outcome, *preparation, models, _folds(evidence), *statistics,
            _software(evidence)]  # fmt: skip


def _cohort(flow: Flow) -> list[str]:
    sentences = []
    for arm, name in ARMS.items():
        steps = [step for step in flow.steps if step.arm == arm]
        if steps:
            sentences.append(f"{name}: {'; then '.join(map(_step, steps))}.")
    if flow.linking:
        sentences += _linking(flow.linking)
    return sentences


def _step(step: FlowStep) -> str:
    patients = "" if step.patients is None else f" ({counted(step.patients, 'patient')})"
    left = ", ".join(f"{one.n} ({one.reason})" for one in step.excluded)
    return f"{step.n} {step.text}{patients}" + (f", left out: {left}" if left else "")


def _linking(options: Mapping[str, Any]) -> list[str]:
    """Return how recordings and table were joined, in the words of the options."""
    when = WHEN[options["when"]].format(days=options["window_days"])
    which = "one for each patient" if options["ecgs"] == "one" else "all of them were kept"
    chosen = f"A recording was joined to a catheterisation of the same patient where it was {when}"
    return [f"{chosen}; {which}.", _ids(options["ids"]), DATES[options["dates"]]]


def _ids(rule: Mapping[str, Any]) -> str:
    ignored = [IGNORED[name].format(value) for name, value in rule.items()
               if value not in (False, "none")]  # fmt: skip
    if not ignored:
        return "Ids were compared sign by sign."
    return f"Ids were compared without {', '.join(ignored)}."


def _outcome(evidence: Evidence, task: str) -> str:
    run = evidence.of_task(task)[0]
    counts = run.summary["records"]
    defined = find_task(task).defined_by(Thresholds.of_settings(run.run.metrics))
    derived = "".join(f" ({note})" for note in run.run.derived)
    return (
        f"{task}: {defined}{derived}; {counted(counts['n_records'], 'recording')} of "
        f"{counted(counts['n_patients'], 'patient')}, {counted(counts['n_positive'], 'recording')} "
        "positive."
    )


def _number(evidence: Evidence, task: str) -> str:
    run = evidence.of_task(task)[0]
    counts, target = run.summary["records"], run.run.target.number
    derived = "".join(f" ({note})" for note in run.run.derived)
    return (
        f"{task}: the measured {target.title} in {target.unit}, as a number{derived}; "
        f"{counted(counts['n_records'], 'recording')} of "
        f"{counted(counts['n_patients'], 'patient')}, {counts['measured_mean']:.1f} ± "
        f"{counts['measured_sd']:.1f} {target.unit}."
    )


def _labels(evidence: Evidence, task: str) -> str:
    run = evidence.of_task(task)[0]
    thresholds = Thresholds.of_settings(run.run.metrics)
    told = [
        f"{find_task(name).defined_by(thresholds)} ({one['n_positive']} of {one['n_known']})"
        for name, one in run.summary["counts"].items()
    ]
    derived = "".join(f" ({note})" for note in run.run.derived)
    counts = run.summary["records"]
    return (
        f"Several labels at once, positive of known: {'; '.join(told)}{derived}; "
        f"{counted(counts['n_records'], 'recording')} of "
        f"{counted(counts['n_patients'], 'patient')}."
    )


def _preparation(store: Mapping[str, Any]) -> str:
    """Return how the recordings were prepared, with what the store's settings say and no more."""
    seconds = store.get("duration_s")
    brought = f"{store['sampling rate (Hz)']} Hz" + (f" and {seconds:g} s" if seconds else "")
    sentences = [f"Preparation. Recordings were brought to {brought}."]
    edges = [f"{text} {store[name]:g} Hz" for name, text in (("low_hz", "from"), ("high_hz", "to"))
             if store.get(name) is not None]  # fmt: skip
    if edges:
        sentences.append(f"A Butterworth filter passed {' '.join(edges)} without phase shift.")
    if store.get("powerline_hz") is not None:
        sentences.append(f"A notch took out {store['powerline_hz']:g} Hz.")
    if store.get("max_gap_s") is not None:
        sentences.append(f"Gaps of up to {store['max_gap_s']:g} s were bridged by a line.")
    if store.get("bad_leads") is not None:
        fate = "masked" if store["bad_leads"] == "mask" else "a reason to reject the recording"
        sentences.append(f"Missing, flat, saturated, gapped or implausible leads were {fate}.")
    if store.get("min_leads") is not None and store.get("min_duration_s") is not None:
        sentences.append(
            f"Recordings of fewer than {store['min_leads']} usable leads or shorter than "
            f"{store['min_duration_s']:g} s were rejected."
        )
    if store.get("segment") == "median_beat":
        sentences.append("The median of the aligned beats of each recording was kept.")
    return " ".join(sentences)


def _model(run: RunEvidence) -> str:
    about = run.run.metrics
    digest = about.get("encoder_sha256")
    how = (f"the head alone was trained, on a frozen pre-trained encoder (SHA-256 {digest})"
           if digest else "trained end to end")  # fmt: skip
    normalised = NORMALISED.get(about.get("normalisation", ""), "")
    amplitudes = f"; {normalised}" if normalised else ""
    return (
        f"{run.run.method_title} on {', '.join(about['leads'])}: {how}; "
        f"{counted(about['epochs'], 'epoch')}, {counted(about['batch_size'], 'recording')} a step, "
        f"learning rate {about['lr']:g}, {_loss(run)}, seed "
        f"{about.get('seed', 'not stated')}{amplitudes}; scored epoch: "
        f"{about.get('scored_epoch', 'not stated')}."
    )


def _loss(run: RunEvidence) -> str:
    about = run.run.metrics
    if run.run.target.kind == "number":
        return "squared error of the standardised value"
    return f"focal loss with alpha {about['focal_alpha']:g} and gamma {about['focal_gamma']:g}"


def _folds(evidence: Evidence) -> str:
    numbers = sorted({int(run.run.predictions["fold"].nunique()) for run in evidence.all_runs})
    strata = [*(["label"] if evidence.runs else []),
              *(["fifths of the value"] if evidence.number_tasks else []),
              *(["the rarest positive label"] if evidence.label_tasks else [])]  # fmt: skip
    return (
        f"Validation. {' or '.join(map(str, numbers))} folds, drawn once by patient, stratified by "
        f"{' or '.join(strata)}, the same for all models; each recording was predicted by the "
        "model of the fold that held it out."
    )


def _software(evidence: Evidence) -> str:
    """Return the versions that the runs state, each set once."""
    made = [run.run.metrics.get("provenance") or {} for run in evidence.all_runs]
    said = dict.fromkeys(_versions(one) for one in made if one)
    return "Software. " + (" ".join(said) or "The runs do not state it.")


def _versions(made: Mapping[str, Any]) -> str:
    versions = made.get("versions", {})
    named = [f"Python {made['python']}"] if "python" in made else []
    named += [f"{name} {number}" for name, number in versions.items()]
    code = f"; code {made['git_commit']}" if "git_commit" in made else ""
    return f"{', '.join(named)}{code}."
