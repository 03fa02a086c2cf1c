"""Label the recordings of a store with what a model was made to tell."""

from typing import TYPE_CHECKING

from data_modules.cohort.label_columns import tell_label
from data_modules.cohort.labels import task_labels
from lsemvae.core.errors import InputError
from lsemvae.core.tasks import DEFINED_TASKS, find_task
from lsemvae.model_file.description import Description

if TYPE_CHECKING:
    import pandas as pd

    from data_modules.store.read import EcgStore


def labels_of(store: "EcgStore", model: Description, column: str | None) -> tuple["pd.Series", str]:
    """Return the label of every recording, NaN where it is missing, and its definition.

    Args:
        store: of the cohort.
        model: whose task is asked.
        column: that means the same as the model's task; None where it has the same name.

    Raises:
        InputError: a column is named for a task that pressures define, or there is no label.
    """
    task = model.task.name
    if column is not None and task in DEFINED_TASKS:
        raise InputError(
            f"the model's task {task} is defined by pressures ({model.task.label}), so --label is "
            "of no use; leave it out"
        )
    name, thresholds = column or task, model.task.thresholds
    try:
        tell_label(store.table, name, thresholds)
        return task_labels(store.table, name, thresholds), find_task(name).defined_by(thresholds)
    except InputError as error:
        hint = "" if task in DEFINED_TASKS else "; name the column that means it with --label"
        raise InputError(f"{store.named}: {error}{hint}") from error


def label_caution(here: str, trained_for: str) -> str:
    """Say that a label is defined otherwise than the model's; empty where it is not.

    Args:
        here: definition of the label that the model is judged by.
        trained_for: definition of the label of its training.
    """
    if here == trained_for:
        return ""
    return (
        f"The label here is {here}; the model was trained for {trained_for}. That both mean the "
        "same is the user's word."
    )
