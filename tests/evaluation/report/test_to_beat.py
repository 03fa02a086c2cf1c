"""The summary says what a few columns reach, and warns where a model is not better."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lsemvae.evaluation.report import to_beat as module
from lsemvae.evaluation.report.evidence import Evidence
from lsemvae.evaluation.report.gather import find_runs, with_statistics
from lsemvae.evaluation.report.to_beat import to_beat
from tests.report_runs import labelled_patients, write_run


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    root = tmp_path_factory.mktemp("beaten")
    write_run(Path(root), labelled_patients(seed=0), seed=1)
    (run,), _ = find_runs([str(root)])
    detailed = with_statistics(run, cohort=None, labels=lambda _: None, subgroups=[],
                               n_resamples=20)  # fmt: skip
    return Evidence(title="A report", runs=[detailed], n_resamples=20)


@pytest.mark.parametrize(
    ("columns_know", "verdict", "kind"),
    [("nothing", "Better than it: LS-EMVAE, 12L +", "plain"),
     ("as much", "Not told apart from it: LS-EMVAE, 12L +0.000 [", "warning"),
     ("everything", "Worse than it: LS-EMVAE, 12L -", "warning")],
)  # fmt: skip
def test_a_model_that_is_not_better_than_a_few_columns_is_a_warning(
    evidence: Evidence, columns_know: str, verdict: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictions = evidence.runs[0].run.predictions
    noise = np.random.default_rng(0).uniform(size=len(predictions))
    score = {"nothing": noise, "as much": predictions["probability"],
             "everything": 0.1 * noise + 0.8 * predictions["label"]}[columns_know]  # fmt: skip
    found = predictions.assign(probability=score)
    monkeypatch.setattr(
        module,
        "clinical_predictions",
        lambda *_: (pd.DataFrame(found), "logistic regression on age"),
    )
    (text,) = to_beat(evidence, "detection")
    assert text.text.startswith("Without the signal (detection), a logistic regression on age has")
    assert verdict in text.text
    assert text.kind == kind


def test_without_a_store_nothing_is_said(evidence: Evidence) -> None:
    assert to_beat(evidence, "detection") == []
