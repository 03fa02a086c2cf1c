import json

import numpy as np
import pandas as pd
import pytest

from lsemvae.evaluation.statistics.estimate import Comparison, Estimate
from lsemvae.evaluation.statistics.json_values import to_json


def test_everything_becomes_plain() -> None:
    nested = {
        1: Comparison(Estimate(0.5, 0.25, np.inf, "Wald"), float("nan")),
        "array": np.array([1.5, np.nan]),
        "table": pd.DataFrame({"n": [1, 2], "x": [0.5, np.nan]}),
        "scalars": [np.int64(3), np.bool_(True), None, "text"],
    }
    expected = {
        "1": {"difference": {"value": 0.5, "low": 0.25, "high": None, "method": "Wald"}, "p": None},
        "array": [1.5, None],
        "table": [{"n": 1, "x": 0.5}, {"n": 2, "x": None}],
        "scalars": [3, True, None, "text"],
    }
    assert json.loads(json.dumps(to_json(nested), allow_nan=False)) == expected


def test_what_json_does_not_know_is_refused() -> None:
    with pytest.raises(TypeError, match="set has no form"):
        to_json({1, 2})
