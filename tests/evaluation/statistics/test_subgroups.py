import numpy as np
import pandas as pd
import pytest

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.performance import performance
from lsemvae.evaluation.statistics.subgroups import age_bands, subgroup_performance
from tests.evaluation.simulated import predictions


def test_groups_add_up_to_the_cohort_missing_values_included() -> None:
    table = predictions(300)
    sex = pd.Series(["F", "M", None] * 100, name="sex")
    groups = subgroup_performance(table, sex)
    assert list(groups) == ["F", "M", "missing"]
    assert [group.n_records for group in groups.values()] == [100] * 3
    part = table[(sex == "M").to_numpy()]
    assert groups["M"] == performance(part["label"], part["probability"], part["patient_id"])


def test_empty_text_is_missing_and_whole_numbers_are_plain() -> None:
    table = predictions(300)
    sex = pd.Series(["F", "", None] * 100, name="sex")
    assert list(subgroup_performance(table, sex)) == ["F", "missing"]
    assert subgroup_performance(table, sex)["missing"].n_records == 200
    smoker = pd.Series([1.0, 0.0, np.nan] * 100, name="smoker")
    assert list(subgroup_performance(table, smoker)) == ["0", "1", "missing"]


def test_a_group_too_small_is_suppressed() -> None:
    table = predictions(300)
    site = pd.Series(["a"] * 290 + ["b"] * 10, name="site")
    assert subgroup_performance(table, site)["b"].suppressed
    assert not subgroup_performance(table, site)["a"].suppressed


def test_a_planted_weakness_of_a_group_is_found() -> None:
    table = predictions(2000)
    weak = np.arange(2000) % 2 == 0
    rng = np.random.default_rng(0)
    table.loc[weak, "probability"] = rng.permutation(table["probability"][weak])
    groups = subgroup_performance(table, pd.Series(np.where(weak, "weak", "sound"), name="kind"))
    assert groups["weak"].auroc.low < 0.5 < groups["weak"].auroc.high
    assert groups["sound"].auroc.low > 0.7


def test_numbers_and_bands_keep_their_order() -> None:
    table = predictions(40)
    centre = pd.Series([10, 9] * 20, name="centre")
    assert list(subgroup_performance(table, centre)) == ["9", "10"]
    age = pd.Series([85.0, 39.99, 40.0, np.nan] * 10)
    assert list(subgroup_performance(table, age_bands(age))) == [
        "below 40", "40-49", "80 and over", "missing"
    ]  # fmt: skip


def test_impossible_ages_and_lengths_are_refused() -> None:
    with pytest.raises(InputError, match=r"1 ages are outside 0..120 years, as 300"):
        age_bands(pd.Series([50.0, 300.0]))
    with pytest.raises(InputError, match="ascending"):
        age_bands(pd.Series([50.0]), edges=(50, 40))
    with pytest.raises(InputError, match="2 values of sex for 40 predictions"):
        subgroup_performance(predictions(40), pd.Series(["F", "M"], name="sex"))
