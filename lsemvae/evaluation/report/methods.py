"""Say how the numbers were made, from the settings of the runs and of the store."""

from typing import Any

from lsemvae.evaluation.report.blocks import Block, Section, Table, Text
from lsemvae.evaluation.report.evidence import Evidence
from lsemvae.evaluation.report.written import unavailable

SETTINGS = ("size", "epochs", "batch_size", "lr", "focal_alpha", "focal_gamma", "normalisation",
            "seed")  # fmt: skip
GENERAL = (
    "Folds are drawn once by patient, stratified by label, and shared by all methods and leads. "
    "Each record is predicted by the model of the fold that held it out. The output is the "
    "probability of the positive class.",
    "Training weighs classes by the focal loss (alpha, gamma below); probabilities are therefore "
    "looked at as predicted and recalibrated inside the training folds.",
    "Measures: AUROC (DeLong, by patient), AUPRC, MCC and accuracy (bootstrap by patient, "
    "stratified, {n} resamples, AUPRC on log-odds), means over folds (Nadeau-Bengio), paired "
    "differences with Holm's correction, calibration, decision curves. A number that the files do "
    "not allow is named with the reason.",
    "Bootstrap intervals hold for patients with the share of positives that was seen, and those of "
    "AUPRC are somewhat narrow (simulated: docs/report.md).",
)

GENERAL_OF_TARGETS = (
    "Folds are drawn once by patient, stratified by fifths of a measured value or by the rarest "
    "positive label, and shared by all methods and leads. Each record is predicted by the model of "
    "the fold that held it out.",
    "Measures stand in the sections of the targets, with {n} resamples of every bootstrap.",
)


def _in_words(value: Any) -> str:
    words = {"True": "yes", "False": "no", "None": "none"}
    return value if isinstance(value, str) else words.get(str(value), str(value))


def methods_section(evidence: Evidence) -> Section:
    """Return partition, preparation, model building and measures."""
    texts = GENERAL if evidence.runs else GENERAL_OF_TARGETS
    blocks: list[Block] = [Text(text.format(n=evidence.n_resamples)) for text in texts]
    rows = [
        [run.key, *(str(run.run.metrics.get(name, "not stated")) for name in SETTINGS),
         "yes" if run.run.inner is not None else "no"]
        for run in evidence.all_runs
    ]  # fmt: skip
    names = [name.replace("_", " ") for name in SETTINGS]
    blocks.append(
        Table(f"Settings of the runs on {evidence.label}.",
              ("run", *names, "inner predictions"), rows)
    )  # fmt: skip
    answers = ["partition", "predictor_handling", "model_building", "measures", "predictors",
               "prediction_method", "class_imbalance", "output", "outcome_definition"]  # fmt: skip
    facts: dict[str, Any] = {
        "settings": {run.key: {name: run.run.metrics.get(name) for name in SETTINGS}
                     for run in evidence.all_runs}
    }  # fmt: skip
    if evidence.cohort is None:
        blocks.append(unavailable("Preparation of the recordings", "no store was given (--cohort)"))
    else:
        store = evidence.cohort.store
        blocks.append(
            Table(f"Preparation of {evidence.label}.", ("setting", "value"),
                  [[name, _in_words(value)] for name, value in store.items()], wrap=True)
        )  # fmt: skip
        facts["store"] = store
        answers += ["preparation", "data_sources"]
    return Section("methods", "Methods", blocks, facts, answers)
