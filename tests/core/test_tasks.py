"""A task is one record: its question, its groups, its label."""

import numpy as np

from lsemvae.core.tasks import PRESSURE_TASKS, Thresholds, find_task

TABLE = {
    "mpap_mmhg": np.array([20.0, 20.1, 40.0, np.nan, 40.0]),
    "pawp_mmhg": np.array([10.0, 15.0, 15.1, 20.0, np.nan]),
}


def test_labels_of_the_paper_by_hand() -> None:
    labels = {name: task.label(TABLE, Thresholds()) for name, task in PRESSURE_TASKS.items()}
    np.testing.assert_array_equal(labels["detection"], [0, 1, 1, np.nan, 1])
    np.testing.assert_array_equal(labels["phenotype"], [np.nan, 0, 1, np.nan, np.nan])


def test_question_and_definition_hold_the_thresholds() -> None:
    thresholds = Thresholds(25, 12)
    phenotype = find_task("phenotype")
    assert "mPAP above 25 mmHg" in phenotype.question(thresholds)
    assert phenotype.defined_by(thresholds) == "mPAP > 25 mmHg, PAWP > 12 mmHg"


def test_any_other_name_is_a_column_whatever_signs_it_has() -> None:
    task = find_task("CD {all}")
    assert (task.columns, task.groups) == (("CD {all}",), ("CD {all} = 0", "CD {all} = 1"))
    assert "records with CD {all} = 1 from" in task.question(Thresholds())
