import numpy as np
import pandas as pd
import pytest

from lsemvae.evaluation.tables.case_mix import case_mix_table, standardised, summarise_cohort

TABLE = pd.DataFrame(
    {
        "patient_id": ["a", "a", "b", "c"],
        "age_years": [40.0, 90.0, 60.0, np.nan],
        "sex": ["F", "F", "M", "F"],
        "note": ["x", "y", "z", "secret"],
    }
)


def test_every_patient_counts_once_and_only_known_columns_are_kept() -> None:
    found = summarise_cohort(TABLE, [1, 1, 0, 0], [0.0, 2.0])
    assert (found.n_patients, found.n_recordings, found.n_positive) == (3, 4, 2)
    age, sex = found.characteristics
    assert (age.mean, age.n, age.missing) == (50.0, 2, 1)
    assert age.sd == pytest.approx(np.sqrt(200))
    assert sex.counts == {"F": 2, "M": 1}
    assert (found.log_odds_mean, found.log_odds_sd) == (1.0, pytest.approx(np.sqrt(2)))
    assert "secret" not in repr(found)


def test_differences_are_standardised() -> None:
    before = summarise_cohort(TABLE, [1, 1, 0, 0], [0.0, 2.0])
    older = TABLE.assign(age_years=TABLE["age_years"] + 10)
    table = case_mix_table(before, summarise_cohort(older, [1, 0, 0, 0], [1.0, 3.0]))
    cells = table.set_index("characteristic")
    age = cells.loc["Age (years) (missing: 1; 1)"]
    assert list(age) == ["50.00 ± 14.14", "60.00 ± 14.14", f"{10 / np.sqrt(200):+.2f}"]
    assert list(cells.loc["Sex: F"]) == ["2 (66.7 %)", "2 (66.7 %)", "+0.00"]
    # shares 1/2 and 1/4: variances .25 and .1875
    expected = -0.25 / np.sqrt((0.25 + 0.1875) / 2)
    assert cells.loc["positive recordings", "difference in SD"] == f"{expected:+.2f}"
    assert np.isnan(standardised(0.0, 0.0, 0.0))


def test_an_older_model_says_that_nothing_is_stored() -> None:
    table = case_mix_table(None, summarise_cohort(TABLE, [1, 1, 0, 0], [0.0, 2.0]))
    assert set(table["training"]) == {"not stored"}
    assert set(table["difference in SD"]) == {""}
