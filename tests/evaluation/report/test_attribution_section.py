"""What the report says about an explanation of `lsemvae explain`."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lsemvae.core.errors import InputError
from lsemvae.evaluation.report.attribution import (
    NEEDED,
    SETTINGS,
    attribution_section,
    randomisation_blocks,
)
from lsemvae.evaluation.report.blocks import Table, Text
from lsemvae.evaluation.report.evidence import Evidence, RunEvidence
from lsemvae.evaluation.runs import CvRun


def found(samples: float, leads: float) -> dict[str, Any]:
    values = {name: {"q05": 0.0, "q50": median, "q95": 1.0}
              for name, median in (("samples", samples), ("leads", leads))}  # fmt: skip
    return {"model_randomisation": {"head": {"n_records": 40, **values}}}


@pytest.mark.parametrize(
    ("samples", "leads", "warned"),
    [(0.4, 0.1, []), (0.4, 0.95, ["The shares of leads"]), (0.9, 0.1, ["The pictures"])],
)
def test_attributions_that_shuffled_weights_give_too_are_called_so(
    samples: float, leads: float, warned: list[str]
) -> None:
    table, *texts = randomisation_blocks(found(samples, leads), "label")
    assert isinstance(table, Table)
    said = [text.text for text in texts if isinstance(text, Text)]
    assert [text[: len(start)] for text, start in zip(said, warned, strict=True)] == warned


def test_the_explanation_of_an_earlier_training_is_refused(tmp_path: Path) -> None:
    (tmp_path / "predictions.csv").write_text("record\n")
    metrics = dict.fromkeys((*SETTINGS, *NEEDED), "a") | {"leads": ["I"]}
    run = RunEvidence(CvRun(tmp_path, metrics, pd.DataFrame()), {})
    (tmp_path / "attribution.json").write_text(json.dumps(metrics | {"predictions_sha256": "0"}))
    with pytest.raises(InputError, match="explains another training of a/a/1L"):
        attribution_section(Evidence("", [run], explained=tmp_path))


def test_an_explanation_without_the_check_has_no_table_of_it() -> None:
    assert randomisation_blocks({}, "label") == []
