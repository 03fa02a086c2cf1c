import json
from dataclasses import asdict, replace

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


def _task(**change: object) -> dict[str, object]:
    return {**asdict(EXAMPLE.task), **change}


def _point(threshold: object) -> dict[str, object]:
    return {"threshold": threshold, "sensitivity": 0.5, "specificity": 0.5}


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
        ({"n_members": 10**30}, "1 network for 10+ members"),
        ({"n_members": None}, "is damaged"),
        ({"frozen": None}, "is damaged"),
        ({"sources": []}, "is damaged"),
        ({"signal": 5}, "is damaged"),
        ({"version": 4.9}, "is no model of lsemvae"),
        ({"version": True}, "is no model of lsemvae"),
        ({"leads": ["II", "I"]}, "leads II,I are not standard leads in their order"),
        ({"leads": ["I", "I"]}, "not standard leads"),
        ({"leads": ["I", "X"]}, "not trained on X"),
        ({"trained_leads": ["I"]}, "not trained on II"),
        ({"fewest_leads": 3}, "fewest_leads 3 of 2"),
        ({"unit": "uV"}, "unit 'uV'"),
        ({"normalisation": "zscore"}, "normalisation 'zscore'"),
        ({"uncertainty_limit": "x"}, "uncertainty_limit 'x'"),
        ({"synthetic": None}, "synthetic None"),
        ({"signal": {"sampling_rate_hz": -1}}, "sampling_rate_hz must be"),
        (
            {"networks": [{"class": "LsEmvae", "init_args": {"n_samples": 120}}]},
            "takes 120 samples, its signal settings make 5000",
        ),
        ({"task": _task(mpap_threshold_mmhg=None)}, "detection without mpap_threshold_mmhg"),
        ({"task": _task(mpap_threshold_mmhg=900)}, "must be above 0 and below 150"),
        ({"task": _task(name="phenotype")}, "phenotype without pawp_threshold_mmhg"),
        ({"task": _task(name="mpap_mmhg")}, "kind number, its outputs are of kind binary"),
        ({"recalibration": {"intercept": 0, "slope": float("nan")}}, "recalibration of detection"),
        ({"points": {"youden": _point(1.7)}}, "threshold 1.7 of detection"),
        ({"points": {"youden": _point("0.5")}}, "threshold '0.5' of detection"),
        ({"point": "other"}, "no operating point 'other'"),
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
    number = NumberOutput("mPAP", "mmHg", ((30.5, 8.25),), 9.5, 0.9)
    task = replace(EXAMPLE.task, name="mpap_mmhg")
    one = replace(EXAMPLE, task=task, number=number, points={}, point="")
    assert read_description(one.to_json(), "m") == one
    assert (one.target, one.value_columns) == ("number", ["estimated", "low", "high", "unit"])
    label = LabelOutput("AFIB", "AFIB = 1", Recalibration(0.2, 1.1), EXAMPLE.points)
    both, task = (label, replace(label, name="LBBB")), replace(EXAMPLE.task, name="AFIB,LBBB")
    several = replace(EXAMPLE, task=task, labels=both, points={})
    with pytest.raises(InputError, match="labels LBBB, AFIB of task AFIB,LBBB"):
        read_description(replace(several, labels=both[::-1]).to_json(), "m")
    with pytest.raises(InputError, match="2 scales of 1 members"):
        read_description(replace(one, number=replace(number, scale=((1, 1),) * 2)).to_json(), "m")
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
