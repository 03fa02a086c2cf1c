"""PVR and mPAP by hand: stated, converted when told, computed and flagged, never guessed."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_modules.cohort.checks import CohortLimits, check_cohort_values
from data_modules.cohort.labels import task_labels
from data_modules.cohort.quantities import derived_counts, group_sizes, quantity
from data_modules.cohort.table import read_cohort_table
from lsemvae.core.errors import InputError
from lsemvae.core.tasks import RESISTANCE_TASKS, Thresholds

NAN = np.nan
# PVR: (40-10)/5 = 6, (30-20)/5 = 2, (45-21)/4 = 6, (24-14)/5 = 2, (20-8)/6 = 2, none, (35-15)/9.9
TABLE = pd.DataFrame(
    {
        "record": list("abcdefg"),
        "patient_id": list("abcdefg"),
        "mpap_mmhg": [40.0, 30.0, 45.0, 24.0, 20.0, 50.0, 35.0],
        "pawp_mmhg": [10.0, 20.0, 21.0, 14.0, 8.0, 12.0, 15.0],
        "cardiac_output_l_min": [5.0, 5.0, 4.0, 5.0, 6.0, NAN, 9.9],
    }
)


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("pre_capillary", [1, 0, 0, 0, NAN, NAN, 1]),
        ("isolated_post_capillary", [0, 1, 0, 0, NAN, NAN, 0]),
        ("combined_post_capillary", [0, 0, 1, 0, NAN, NAN, 0]),
    ],
)
def test_groups_of_the_guideline_by_hand(task: str, expected: list[float]) -> None:
    np.testing.assert_array_equal(task_labels(TABLE, task, Thresholds()), expected)


def test_groups_are_disjoint_and_the_rest_is_counted() -> None:
    assert group_sizes(TABLE, Thresholds()) == {
        "pre-capillary": 2, "isolated post-capillary": 1, "combined post- and pre-capillary": 1,
        "unclassified": 1, "PAWP or PVR not known": 1,
    }  # fmt: skip
    assert group_sizes(TABLE.drop(columns="cardiac_output_l_min"), Thresholds()) == {}
    positive = sum((task_labels(TABLE, task, Thresholds()) == 1) for task in RESISTANCE_TASKS)
    assert positive.max() == 1


def test_the_threshold_of_the_resistance_is_a_parameter() -> None:
    at_6 = task_labels(TABLE, "combined_post_capillary", Thresholds(pvr_wu=5.9))
    assert at_6[2] == 1
    with pytest.raises(InputError, match="no record has a label"):
        task_labels(TABLE.iloc[:0], "combined_post_capillary", Thresholds())
    assert task_labels(TABLE, "combined_post_capillary", Thresholds(pvr_wu=6.0))[2] == 0


def test_a_stated_resistance_goes_before_a_converted_and_a_computed_one() -> None:
    table = TABLE.assign(pvr_wu=[7.0, *[NAN] * 6], pvr_dyn_s_cm5=[80.0, 240.0, *[NAN] * 5])
    found = quantity(table, "pvr_wu", Thresholds())
    assert found is not None
    np.testing.assert_allclose(found.values[:5], [7, 3, 6, 2, 2])
    assert found.source.tolist()[:3] == [
        "stated", "divided by 80", "computed as (mPAP - PAWP) / CO",
    ]  # fmt: skip
    assert derived_counts(table, "pre_capillary", Thresholds()) == {
        "PVR divided by 80": 1, "PVR computed as (mPAP - PAWP) / CO": 4,
    }  # fmt: skip
    assert derived_counts(table, "phenotype", Thresholds()) == {}


def test_a_missing_mean_pressure_is_estimated_only_on_demand_and_then_said() -> None:
    table = TABLE.assign(spap_mmhg=60.0, dpap_mmhg=15.0)
    table.loc[0, "mpap_mmhg"] = NAN
    assert np.isnan(task_labels(table, "detection", Thresholds())[0])
    asked = Thresholds(estimate_mpap=True)  # (60 + 2 * 15) / 3 = 30 mmHg; (30 - 10) / 5 = 4 WU
    assert task_labels(table, "detection", asked)[0] == 1
    assert task_labels(table, "detection", Thresholds(30, estimate_mpap=True))[0] == 0
    resistance = quantity(table, "pvr_wu", asked)
    assert resistance is not None
    assert resistance.values[0] == 4
    counts = derived_counts(table, "detection", asked)
    assert counts == {"a missing mPAP is estimated as (sPAP + 2 dPAP) / 3": 1}


def test_what_is_lacking_and_what_could_mean_two_things_is_refused() -> None:
    with pytest.raises(InputError, match=r"needs the vascular resistance \(pvr_wu, pvr_dyn_"):
        task_labels(TABLE.drop(columns="cardiac_output_l_min"), "pre_capillary", Thresholds())
    with pytest.raises(InputError, match="has a column of that name too; rename"):
        task_labels(TABLE.assign(pre_capillary=1.0), "pre_capillary", Thresholds())
    zero = TABLE.assign(cardiac_output_l_min=TABLE["cardiac_output_l_min"].replace(4.0, 0.0))
    with pytest.raises(InputError, match=r"'cardiac_output_l_min' holds 0\.0 for record c; exp"):
        task_labels(zero, "pre_capillary", Thresholds())


def test_a_resistance_in_the_other_unit_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text("record,patient_id,pvr_wu\na,1,240\n")
    with pytest.raises(InputError, match=r"row 2: pvr_wu is 240; expected -5 to 60; in dyn\.s\."):
        read_cohort_table(file)


def test_a_resistance_that_pressures_and_output_contradict_is_found() -> None:
    stated = TABLE.assign(pvr_wu=[6.5, 2.5, 4.9, 2.0, 2.0, 9.0, NAN])
    found = [
        one for one in check_cohort_values(stated, CohortLimits()) if one.check == "resistance"
    ]
    assert [one.where for one in found] == [("2",)]
    assert "most with 4.9 against 6" in found[0].message
