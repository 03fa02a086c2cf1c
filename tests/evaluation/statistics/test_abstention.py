import numpy as np
import pytest

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.abstention import abstention_curve
from lsemvae.evaluation.statistics.performance import performance
from tests.evaluation.simulated import predictions


def test_the_most_uncertain_records_are_withheld() -> None:
    table = predictions(200)
    whole, some = abstention_curve(table, shares=(0.0, 0.25))
    kept = table.sort_values("uncertainty").head(150).sort_index()
    assert whole.kept.n_records == 200
    assert some.withheld == 0.25
    assert some.largest_uncertainty == kept["uncertainty"].max()
    assert some.kept == performance(kept["label"], kept["probability"], kept["patient_id"])


def test_withholding_by_a_telling_uncertainty_improves_and_by_a_random_one_does_not() -> None:
    table = predictions(5000)
    blind = table.assign(uncertainty=np.random.default_rng(0).random(5000))
    telling, random = (
        [point.kept.auroc.value for point in abstention_curve(given, shares=(0, 0.25, 0.5))]
        for given in (table, blind)
    )
    assert telling[0] + 0.02 < telling[1]
    assert telling[1] + 0.02 < telling[2]
    assert random == pytest.approx([random[0]] * 3, abs=0.02)


def test_records_as_unsure_as_the_last_one_kept_are_kept() -> None:
    table = predictions(100).assign(uncertainty=1.0)
    (point,) = abstention_curve(table, shares=(0.5,))
    assert (point.withheld, point.kept.n_records) == (0.0, 100)


def test_unusable_input_is_refused() -> None:
    table = predictions(100)
    with pytest.raises(InputError, match="no column entropy"):
        abstention_curve(table, column="entropy")
    with pytest.raises(InputError, match="got 1 missing values of uncertainty"):
        abstention_curve(table.assign(uncertainty=[np.nan] + [0.0] * 99))
    with pytest.raises(InputError, match=r"shares \[1.0\]"):
        abstention_curve(table, shares=(1.0,))
