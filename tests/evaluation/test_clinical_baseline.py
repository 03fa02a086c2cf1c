import numpy as np
import pandas as pd
import pytest

from lsemvae.core.errors import InputError
from lsemvae.evaluation.clinical_baseline import clinical_baseline
from lsemvae.evaluation.statistics.metrics import binary_metrics


def cohort(n: int = 300) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return predictions and a cohort whose label follows from age alone."""
    rng = np.random.default_rng(0)
    names = [f"r{number:03}" for number in range(n)]
    age = rng.normal(60, 10, n)
    label = (age + rng.normal(0, 5, n) > 60).astype(float)
    table = pd.DataFrame(
        {"record": names, "age_years": age, "sex": rng.choice(["F", "M", ""], n),
         "heart_rate_bpm": np.where(rng.random(n) < 0.1, np.nan, 70.0)}
    )  # fmt: skip
    predictions = pd.DataFrame(
        {"record": names, "patient_id": names, "fold": np.arange(n) % 3, "label": label,
         "probability": 0.5}
    )  # fmt: skip
    return predictions, table.sample(frac=1, random_state=1)


def test_age_that_decides_is_found() -> None:
    predictions, table = cohort()
    found = clinical_baseline(predictions, table)
    assert binary_metrics(found["label"], found["probability"]).auroc > 0.9
    assert found["record"].tolist() == predictions["record"].tolist()


def test_held_out_records_have_no_say_in_their_own_predictions() -> None:
    predictions, table = cohort()
    first = clinical_baseline(predictions, table)
    held_out = predictions["fold"] == 0
    changed = predictions.assign(label=predictions["label"].where(~held_out, 0.0))
    second = clinical_baseline(changed, table)
    assert np.array_equal(first["probability"][held_out], second["probability"][held_out])
    assert not np.allclose(first["probability"][~held_out], second["probability"][~held_out])


def test_missing_columns_are_left_out_and_none_is_an_error() -> None:
    predictions, table = cohort()
    found = clinical_baseline(
        predictions, table.drop(columns=["sex"]).assign(heart_rate_bpm=np.nan)
    )
    assert found.attrs["columns"] == ["age_years"]
    with pytest.raises(InputError, match="none of the columns age_years, sex"):
        clinical_baseline(predictions, table[["record"]])


def test_an_axis_is_a_direction_and_not_a_number() -> None:
    predictions, table = cohort()
    axis = np.linspace(100, 259, len(predictions))  # 180 degrees is in the middle of it
    label = ((axis > 140) & (axis < 220)).astype(float)
    wrapped = np.where(axis > 180, axis - 360, axis)
    known = table.merge(pd.DataFrame({"record": predictions["record"], "m_axis_deg": wrapped}))
    found = clinical_baseline(predictions.assign(label=label), known, ["m_axis_deg"])
    assert binary_metrics(found["label"], found["probability"]).auroc > 0.99
    assert found.attrs["columns"] == ["m_axis_deg"]


def test_a_missing_number_is_the_median_of_the_training_folds_alone() -> None:
    predictions, table = cohort()
    table = table.set_index("record").loc[predictions["record"]].reset_index()
    held_out = (predictions["fold"] == 0).to_numpy()
    gone = table.assign(age_years=table["age_years"].where(~held_out))
    median = gone["age_years"].median()
    filled = gone.assign(age_years=gone["age_years"].fillna(median))
    found, plain = (clinical_baseline(predictions, one, ["age_years"]) for one in (gone, filled))
    assert np.allclose(found["probability"][held_out], plain["probability"][held_out])
