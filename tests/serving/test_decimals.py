"""Two numbers on two sides of a limit must not look the same."""

from dataclasses import replace

import pytest

from lsemvae.model_file.description import OperatingPoint
from lsemvae.predicting.decimals import told_apart
from tests.serving.conftest import PeakModel, ecg, rows_of, send, text_of, visit


@pytest.mark.parametrize(
    ("value", "limit", "least", "texts"),
    [
        (0.37, 0.53, 2, ("0.37", "0.53")),
        (0.528, 0.531, 2, ("0.528", "0.531")),
        (0.5304, 0.531, 3, ("0.530", "0.531")),
        (0.53096, 0.53104, 2, ("0.53096", "0.53104")),
        (0.53, 0.53, 2, ("0.53", "0.53")),
        (-1.7601, -1.76, 2, ("-1.7601", "-1.7600")),
        (0.0, 1e-30, 2, ("0.00", "0.00")),
    ],
)
def test_decimals_show_on_which_side_of_the_limit_a_value_lies(
    value: float, limit: float, least: int, texts: tuple[str, str]
) -> None:
    assert told_apart(value, limit, least) == texts


def test_a_probability_just_below_the_threshold_is_seen_to_be_below(model: PeakModel) -> None:
    with visit(model) as client:
        send(client, ecg("anna"))
        probability = float(rows_of(client)[0]["probability"])
    point = OperatingPoint(probability + 0.0004, 0.8, 0.7)
    model.description = replace(model.description, points={"youden": point})
    with visit(model) as client:
        listed = text_of(send(client, ecg("anna")))
        page = text_of(client.get("/recordings/1"))
    shown, threshold = told_apart(probability, point.threshold)
    assert shown != threshold
    assert f"{shown} {threshold}" in listed
    assert f"{shown} probability of PH (mPAP > 20 mmHg); threshold {threshold} (youden)" in page
