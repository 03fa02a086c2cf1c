"""The recommended network: what its objective sees, and that fusion loses no lead."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS, LIMB_LEADS
from lsemvae.losses import info_nce
from lsemvae.models import BeatLsEmvae, BeatObjective
from lsemvae.nn.beat_augmentation import BeatAugmentation, augment
from lsemvae.nn.lead_parts import split_leads
from tests.nn.test_heart_beats import recording

UNDER_CONTRACT = {"BeatLsEmvae": {"latent_dim": 4, "window": {"before_s": 0.1, "after_s": 0.2}}}


def network(**settings: float) -> BeatLsEmvae:
    torch.manual_seed(0)
    return BeatLsEmvae(1000, 4, objective=BeatObjective(**settings))


@pytest.fixture
def ecg() -> Tensor:
    torch.manual_seed(1)
    both = torch.cat(
        [recording([100, 220, 340, 460, 580, 700, 820]), recording([130, 300, 480, 660])]
    )
    return both + 0.05 * torch.randn_like(both)


def test_nothing_learnt_costs_log_of_the_batch_and_certainty_nothing() -> None:
    present = torch.ones(8, 3, dtype=torch.bool)
    alike = torch.ones(8, 3, 5)
    assert info_nce(alike, alike[:, 0], present, 0.1).item() == pytest.approx(math.log(8))
    own = torch.eye(8)
    sure = own.unsqueeze(1).expand(-1, 3, -1)
    assert info_nce(sure, own, present, 0.01).item() == pytest.approx(0.0, abs=1e-6)


def test_info_nce_is_the_cross_entropy_of_a_plain_loop() -> None:
    torch.manual_seed(0)
    query, key = torch.randn(4, 2, 3), torch.randn(4, 3)
    present = torch.tensor([[True, False], [True, True], [False, True], [True, True]])
    costs = []
    for record, lead in present.nonzero().tolist():
        cosine = torch.cosine_similarity(query[record, lead], key, dim=-1) / 0.2
        costs.append(-torch.log_softmax(cosine, 0)[record])
    expected = torch.stack(costs).mean()
    torch.testing.assert_close(info_nce(query, key, present, 0.2), expected)


def test_absent_queries_have_no_say() -> None:
    query, key = torch.randn(4, 2, 3), torch.randn(4, 3)
    present = torch.tensor([[True, False]] * 4)
    other = torch.where(present.unsqueeze(-1), query, 7.0)
    assert torch.equal(info_nce(query, key, present, 0.1), info_nce(other, key, present, 0.1))


@settings(max_examples=20, deadline=None)
@given(
    rows=st.lists(st.lists(st.booleans(), min_size=5, max_size=5).filter(any), min_size=1),
    seed=st.integers(0, 99),
)
def test_lead_parts_divide_the_present_leads(rows: list[list[bool]], seed: int) -> None:
    torch.manual_seed(seed)
    present = torch.tensor(rows)
    first, second = split_leads(present)
    assert torch.equal(first | second, present)
    several = present.sum(1) > 1
    assert first.any(1).all()
    assert second.any(1).all()
    assert not (first & second)[several].any()


def test_nothing_is_changed_where_all_amounts_are_zero() -> None:
    beats = torch.randn(3, 12, 120)
    assert torch.equal(augment(beats, BeatAugmentation(0, 0, 0, 0, 0), 100.0), beats)
    with pytest.raises(InputError, match=r"augmentation.noise must be >= 0, got -1"):
        BeatAugmentation(noise=-1)


def test_hiding_leads_is_the_same_as_not_having_them(ecg: Tensor) -> None:
    net = network().eval()
    present = torch.zeros(2, 12, dtype=torch.bool)
    present[:, :6] = True
    hidden, alone = net.codes(ecg, LEADS, present), net.codes(ecg[:, :6], LIMB_LEADS)
    torch.testing.assert_close(hidden.mean, alone.mean)
    torch.testing.assert_close(hidden.spread, alone.spread)
    torch.testing.assert_close(hidden.lead_mean[:, :6], alone.lead_mean)
    torch.testing.assert_close(hidden.rhythm, alone.rhythm)
    assert hidden.lead_mean[:, 6:].eq(0).all()
    assert hidden.response[:, 6:].eq(0).all()


def test_what_one_lead_shows_stands_beside_the_fused_code(ecg: Tensor) -> None:
    """A change in V1 alone moves V1's own features and no other lead's."""
    net = network().eval()
    changed = ecg.clone()
    changed[:, 6] += 0.3 * recording([112, 232, 352, 472, 592, 712, 832])[0, 0]
    before, after = net.codes(ecg, LEADS), net.codes(changed, LEADS)
    moved = (after.lead_mean - before.lead_mean).abs().amax((0, 2))
    assert moved.argmax() == 6
    assert moved[6] > 10 * moved[torch.arange(12) != 6].max()
    features = net.encode(changed, LEADS)
    own = after.lead_mean[:, 6]
    assert torch.equal(features[:, 2 * 4 + 6 * 4 : 2 * 4 + 7 * 4], own)


def test_the_objective_is_the_weighted_sum_of_its_terms(ecg: Tensor) -> None:
    loss = network(contrast=3.0, lead_contrast=2.0, gamma=0.5).loss(ecg, LEADS, beta=0.7)
    terms = loss.terms
    expected = (
        terms["reconstruction"] + 0.7 * terms["kl"] + 0.5 * terms["alignment"]
        + 3.0 * terms["contrast"] + 2.0 * terms["lead_contrast"]
    )  # fmt: skip
    torch.testing.assert_close(loss.total, expected)


@pytest.mark.parametrize("leads", [("II",), ("V1", "I")])
def test_any_subset_of_leads_can_be_trained_on(ecg: Tensor, leads: tuple[str, ...]) -> None:
    rows = [LEADS.index(lead) for lead in leads]
    assert torch.isfinite(network().loss(ecg[:, rows], leads, beta=1.0).total)


@pytest.mark.parametrize(
    ("name", "value"), [("part", 1.5), ("contrast", -1.0), ("temperature", 0.0), ("gamma", -1.0)]
)
def test_weights_without_a_meaning_are_refused(name: str, value: float) -> None:
    with pytest.raises(InputError, match=name):
        BeatObjective(**{name: value})
