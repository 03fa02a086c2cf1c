import json
from dataclasses import replace

import pytest

from lsemvae.core.errors import InputError
from lsemvae.model_file import description as module
from lsemvae.model_file.cohort_summary import Characteristic, CohortSummary
from lsemvae.model_file.description import (
    Description,
    OperatingPoint,
    Recalibration,
    Task,
    read_description,
)
from lsemvae.model_file.targets import LabelOutput, NumberOutput

EXAMPLE = Description(
    kind="refit", method="ls_emvae", networks=[{"class": "LsEmvae", "init_args": {}}], frozen=True,
    n_members=1, task=Task("detection", "pulmonary hypertension", 20.0, None), leads=("I", "II"),
    trained_leads=("I", "II"), fewest_leads=1, unit="mV", normalisation="record", signal={},
    recalibration=Recalibration(0.1, 0.9), points={"youden": OperatingPoint(0.4, 0.8, 0.7)},
    point="youden", uncertainty="none", uncertainty_limit=None, withheld_share=0.0, hashes=True,
    label="cohort", synthetic=False, sources={}, versions={}, card="",
)  # fmt: skip


def test_a_description_survives_its_text() -> None:
    assert read_description(EXAMPLE.to_json(), "m") == EXAMPLE
    assert EXAMPLE.threshold == 0.4


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"version": 99}, "install a newer lsemvae"),
        ({"format": "other"}, "is no model of lsemvae"),
        ({"version": "one"}, "is no model of lsemvae"),
        ({"task": None}, "is damaged"),
        ({"networks": []}, "0 networks for 1 members"),
        ({"n_members": 10**30}, "networks for 10+ members"),
        ({"n_members": None}, "is damaged"),
        ({"frozen": None}, "is damaged"),
        ({"sources": []}, "is damaged"),
        ({"signal": 5}, "is damaged"),
    ],
)
def test_what_is_no_description_of_ours_is_refused(change: dict[str, object], line: str) -> None:
    with pytest.raises(InputError, match=line):
        read_description(json.dumps({**json.loads(EXAMPLE.to_json()), **change}), "m")


def test_an_older_version_is_brought_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    old = json.loads(EXAMPLE.to_json())
    del old["label"]
    monkeypatch.setattr(module, "VERSION", 5)
    with pytest.raises(InputError, match="no longer read"):
        read_description(json.dumps(old), "m")
    monkeypatch.setitem(module.MIGRATIONS, 4, lambda found: {**found, "label": "unknown"})
    assert read_description(json.dumps(old), "m") == replace(EXAMPLE, label="unknown")


def test_a_model_of_format_1_stores_no_training_cohort() -> None:
    summary = CohortSummary(9, 9, 3, 0.1, 1.0, (Characteristic("sex", 9, 0, None, None, {"F": 9}),))
    new = replace(EXAMPLE, trained_cohort=summary)
    assert read_description(new.to_json(), "m") == new
    old = {**json.loads(new.to_json()), "version": 1}
    del old["trained_cohort"]
    assert read_description(json.dumps(old), "m") == EXAMPLE


def test_a_model_of_format_2_tells_one_yes_or_no() -> None:
    old = {**json.loads(EXAMPLE.to_json()), "version": 2}
    del old["number"], old["labels"]
    assert read_description(json.dumps(old), "m") == EXAMPLE
    assert EXAMPLE.target == "binary"


def test_numbers_and_labels_survive_their_text() -> None:
    number = NumberOutput("mPAP", "mmHg", ((30.5, 8.25), (31.0, 8.0)), 9.5, 0.9)
    one = replace(EXAMPLE, number=number, points={}, point="")
    assert read_description(one.to_json(), "m") == one
    assert (one.target, one.value_columns) == ("number", ["estimated", "low", "high", "unit"])
    label = LabelOutput("AFIB", "AFIB = 1", Recalibration(0.2, 1.1), EXAMPLE.points)
    several = replace(EXAMPLE, labels=(label, replace(label, name="LBBB")), points={})
    assert read_description(several.to_json(), "m") == several
    assert several.target == "labels"
    assert several.value_columns[2:4] == ["threshold:AFIB", "probability:LBBB"]
    assert several.point_names == ["youden"]


def test_a_task_keeps_every_threshold_of_its_label() -> None:
    task = Task("pre_capillary", "x", 25.0, 12.0, 3.0, estimate_mpap=True)
    assert task.label == (
        "mPAP > 25 mmHg, PAWP <= 12 mmHg, PVR > 3 WU; a missing mPAP is estimated as "
        "(sPAP + 2 dPAP) / 3"
    )
    assert Task("detection", "x", 20.0, None).label == "mPAP > 20 mmHg"
