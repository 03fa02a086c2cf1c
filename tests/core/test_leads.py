from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lsemvae.core.errors import InputError
from lsemvae.core.leads import (
    CHEST_LEADS,
    LEADS,
    LIMB_LEADS,
    canonical_lead,
    canonical_order,
    derive_limb_leads,
    lead_indices,
    lead_set_name,
    limb_lead_residual,
    parse_leads,
)

# Two leads of two samples, and the other four by hand from Einthoven's and Goldberger's relations.
LIMB_MV = np.array([[0.4, -1.0], [1.0, 0.5], [0.6, 1.5], [-0.7, 0.25], [-0.1, -1.25], [0.8, 1.0]])


def test_leads_stand_in_the_order_of_the_paper() -> None:
    assert " ".join(LEADS) == "I II III aVR aVL aVF V1 V2 V3 V4 V5 V6"
    assert LIMB_LEADS + CHEST_LEADS == LEADS


@pytest.mark.parametrize(
    ("written", "lead"),
    [("avr", "aVR"), ("AVF", "aVF"), (" ii ", "II"), ("Lead I", "I"), ("lead_v1", "V1")],
)
def test_lead_names_are_found_in_any_spelling(written: str, lead: str) -> None:
    assert canonical_lead(written) == lead


@pytest.mark.parametrize("written", ["V7", "", "IV", "lead", "I II", "-aVR", "-V1"])
def test_an_unknown_name_is_refused_by_name(written: str) -> None:
    with pytest.raises(InputError, match=r"unknown lead name .* expected one of I, II, III"):
        canonical_lead(written)


@pytest.mark.parametrize(
    ("asked", "leads"),
    [
        (12, LEADS),
        (6, LIMB_LEADS),
        (" 6 ", LIMB_LEADS),
        ("12", LEADS),
        ("v1, ii,I", ("I", "II", "V1")),
        (["V6", "aVF"], ("aVF", "V6")),
        ("II,", ("II",)),
    ],
)
def test_leads_are_parsed_into_canonical_order(
    asked: int | str | list[str], leads: tuple[str, ...]
) -> None:
    assert parse_leads(asked) == leads


@pytest.mark.parametrize("asked", [7, "7", 0, "²", "I,II,V7", ["X"]])
def test_other_counts_and_names_are_refused(asked: int | str | list[str]) -> None:
    with pytest.raises(InputError, match=r"leads must be 12, 6|unknown lead name"):
        parse_leads(asked)


def test_a_lead_given_twice_is_refused() -> None:
    with pytest.raises(InputError, match="names a lead twice: I, II, I"):
        parse_leads("I,II,i")


@pytest.mark.parametrize("asked", ["", " , ", []])
def test_no_lead_is_refused(asked: str | list[str]) -> None:
    with pytest.raises(InputError, match="leads is empty"):
        parse_leads(asked)


def test_lead_sets_are_named_for_folders() -> None:
    assert lead_set_name(LEADS[::-1]) == "12L"
    assert lead_set_name(LIMB_LEADS) == "6L"
    assert lead_set_name(["V1", "I"]) == "2L-I-V1"
    assert lead_set_name(CHEST_LEADS) == "6L-V1-V2-V3-V4-V5-V6"


@given(st.lists(st.sampled_from(LEADS), unique=True, min_size=1))
def test_canonical_order_sorts_any_leads(leads: list[str]) -> None:
    ordered = [leads[position] for position in canonical_order(leads)]
    assert tuple(ordered) == parse_leads(leads)
    assert [LEADS[index] for index in lead_indices(leads)] == leads


@pytest.mark.parametrize("pair", list(combinations(range(6), 2)))
def test_any_two_limb_leads_give_the_other_four(pair: tuple[int, int]) -> None:
    present = np.isin(range(6), pair)
    given_mv = np.where(present[:, None], LIMB_MV, np.nan)
    completed = derive_limb_leads(given_mv, present)
    np.testing.assert_allclose(completed, LIMB_MV, atol=1e-12)
    np.testing.assert_array_equal(completed[present], LIMB_MV[present])


@settings(max_examples=50, deadline=None)
@given(
    arrays(np.float64, (2, 5), elements=st.floats(-5, 5)),
    st.lists(st.booleans(), min_size=6, max_size=6).filter(lambda chosen: sum(chosen) >= 2),
)
def test_completed_limb_leads_keep_the_law(i_and_ii: np.ndarray, chosen: list[bool]) -> None:
    lead_i, lead_ii = i_and_ii
    limb = np.stack(
        [lead_i, lead_ii, lead_ii - lead_i, -(lead_i + lead_ii) / 2, lead_i - lead_ii / 2,
         lead_ii - lead_i / 2]
    )  # fmt: skip
    present = np.array(chosen)
    completed = derive_limb_leads(np.where(present[:, None], limb, 1e6), present)
    np.testing.assert_allclose(completed, limb, atol=1e-9)
    assert limb_lead_residual(completed) < 1e-9


def test_one_limb_lead_is_too_few() -> None:
    with pytest.raises(InputError, match="needs two of them"):
        derive_limb_leads(LIMB_MV, np.arange(6) == 3)


def test_residual_is_the_largest_rms_of_a_derived_lead() -> None:
    spoilt = np.stack([LIMB_MV, LIMB_MV])
    spoilt[1, 4] += [0.3, 0.4]  # aVL
    spoilt[1, 5] += [0.1, 0.1]  # aVF, less
    np.testing.assert_allclose(limb_lead_residual(spoilt), [0.0, np.sqrt(0.125)], atol=1e-12)


def test_residual_sees_swapped_arms() -> None:
    swapped = LIMB_MV.copy()
    swapped[1] = -swapped[1]
    assert limb_lead_residual(swapped) > 0.5
