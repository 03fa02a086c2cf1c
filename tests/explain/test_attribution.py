from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from data_modules.normalise import normalise
from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS, LIMB_LEADS
from lsemvae.core.types import EcgBatch, Normalisation
from lsemvae.explain.attribution import (
    AttributionSettings,
    attribute,
    is_complete,
    lead_shares,
)
from lsemvae.explain.logit import MillivoltLogit, Recordings
from lsemvae.tasks import Classifier
from tests.tiny_batches import N_SAMPLES, tiny_ecg, tiny_network

HOW: tuple[Normalisation, ...] = ("millivolt", "record", "lead")
GRADIENT_SHAP = AttributionSettings("gradient_shap", n_steps=8)
OCCLUSION = AttributionSettings("lead_occlusion")


class Linear(torch.nn.Module):
    """A classifier whose logit is a weighted sum of the amplitudes that it gets."""

    def __init__(self, n_leads: int = 12) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(5)
        self.weight = torch.nn.Parameter(torch.randn(n_leads, N_SAMPLES, generator=generator))

    def forward(self, batch: EcgBatch) -> Tensor:
        return (batch.ecg * self.weight).sum((1, 2))


def raw_batch(
    n_records: int = 4, *, leads: Sequence[str] = LEADS, absent: Sequence[str] = ()
) -> EcgBatch:
    """Return a batch as the loader yields it, in mV, with leads absent from all records."""
    present = torch.tensor([lead not in absent for lead in leads]).repeat(n_records, 1)
    ecg = 0.3 * tiny_ecg(n_records)[:, [LEADS.index(lead) for lead in leads]]
    nobody = np.empty(0, object)
    scale = torch.ones(n_records, 1)
    return EcgBatch(ecg, scale, present, tuple(leads), torch.empty(0), nobody, nobody)


def recordings(how: Normalisation = "record", **arguments: object) -> Recordings:
    raw = raw_batch(**arguments)  # type: ignore[arg-type]
    return Recordings(raw.ecg, normalise(raw, how).scale, raw.present, raw.leads, how)


def tiny_classifier(leads: Sequence[str] = LEADS, **network: object) -> Classifier:
    torch.manual_seed(1)
    task = Classifier(tiny_network(**network), leads=list(leads)).eval()
    with torch.no_grad():
        task.head[0].weight *= 8.0
        task.head[3].weight *= 8.0
    return task


@pytest.mark.parametrize("how", HOW)
def test_logit_of_millivolts_is_the_logit_of_the_normalised_batch(how: Normalisation) -> None:
    raw, task = raw_batch(absent=["V2"]), tiny_classifier()
    given = recordings(how, absent=["V2"])
    logit = MillivoltLogit(task, leads=LEADS, normalisation=how)
    torch.testing.assert_close(logit(*given[:3]), task(normalise(raw, how)))


def test_normalised_logit_has_no_slope_towards_the_flat_line() -> None:
    # Why the scale is held fixed: f(c x) = f(x), so by Euler x . grad f = 0, and gradients
    # integrated from 0 mV would sum to zero whatever the logits are.
    raw = raw_batch()
    ecg = raw.ecg.clone().requires_grad_()
    logit = tiny_classifier()(normalise(raw._replace(ecg=ecg), "record"))
    (gradient,) = torch.autograd.grad(logit.sum(), ecg)
    along_the_path = (gradient * ecg).sum((1, 2))
    assert along_the_path.abs().max() < 1e-4 * (gradient * ecg).abs().sum((1, 2)).min()


def test_linear_logit_is_explained_by_weight_times_amplitude() -> None:
    model, given = Linear(), recordings("millivolt")
    baseline = given.ecg_mv.mean(0)
    from_zero, from_mean = attribute(model, given), attribute(model, given, baseline_mv=baseline)
    torch.testing.assert_close(from_zero.value, model.weight.detach() * given.ecg_mv)
    torch.testing.assert_close(from_mean.value, model.weight.detach() * (given.ecg_mv - baseline))
    assert from_mean.delta.abs().max() < 1e-4


@pytest.mark.parametrize("how", ["record", "lead"])
def test_normalisation_is_part_of_what_is_explained(how: Normalisation) -> None:
    # logit = sum w (x - mean x) / s with s held: the gradient is (w - mean w) / s.
    model, given = Linear(), recordings(how)
    weight = model.weight.detach()
    slope = (weight - weight.mean(-1, keepdim=True)) / given.scale.unsqueeze(-1)
    expected = slope * given.ecg_mv
    torch.testing.assert_close(attribute(model, given).value, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("leads", [LEADS, LIMB_LEADS])
def test_attributions_sum_to_the_difference_of_the_logits(
    how: Normalisation, leads: tuple[str, ...]
) -> None:
    task, given = tiny_classifier(leads), recordings(how, leads=leads)
    found = attribute(task, given)
    flat = given._replace(ecg_mv=torch.zeros_like(given.ecg_mv))
    logit = MillivoltLogit(task, leads=leads, normalisation=how)
    with torch.no_grad():
        difference = logit(*given[:3]) - logit(*flat[:3])
    assert difference.abs().max() > 0.1
    torch.testing.assert_close(found.value.sum((1, 2)), difference, rtol=0.01, atol=0.01)
    torch.testing.assert_close(found.delta, found.value.sum((1, 2)) - difference)
    assert is_complete(found.delta, difference).all()


def test_only_leads_in_use_are_explained() -> None:
    task, given = tiny_classifier(), recordings(absent=["V1", "aVL"])
    found = attribute(task, given)
    absent = ~given.present[0]
    assert not found.value[:, absent].any()
    share = lead_shares(found.value, given.present)
    assert share[:, absent].isnan().all()
    torch.testing.assert_close(share.nansum(1), torch.ones(4))
    other = given.ecg_mv.clone()
    other[:, absent] = 7.0
    torch.testing.assert_close(attribute(task, given._replace(ecg_mv=other)).value, found.value)


@pytest.mark.parametrize("method", ["integrated_gradients", "saliency", "lead_occlusion"])
def test_order_of_the_leads_does_not_matter(method: str) -> None:
    task, given = tiny_classifier(), recordings()
    order = torch.randperm(12, generator=torch.Generator().manual_seed(2))
    shuffled = given._replace(
        ecg_mv=given.ecg_mv[:, order], present=given.present[:, order],
        leads=[LEADS[number] for number in order],
    )  # fmt: skip
    settings = AttributionSettings(method)  # type: ignore[arg-type]
    one = attribute(task, given, settings=settings).value[:, order]
    other = attribute(task, shuffled, settings=settings).value
    torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


def test_batch_size_changes_nothing() -> None:
    task, given = tiny_classifier(), recordings()
    for method in ("integrated_gradients", "lead_occlusion"):
        small = AttributionSettings(method, batch_size=3)  # type: ignore[arg-type]
        large = AttributionSettings(method, batch_size=500)  # type: ignore[arg-type]
        one, other = (attribute(task, given, settings=chosen).value for chosen in (small, large))
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


def test_dropout_is_off_while_explaining() -> None:
    task, given = tiny_classifier(), recordings()
    expected = attribute(task, given).value
    torch.testing.assert_close(attribute(task.train(), given).value, expected)


def test_a_jump_between_baseline_and_recording_is_refused() -> None:
    def jump(batch: EcgBatch) -> Tensor:
        size = batch.ecg.square().sum((1, 2))
        return 5.0 * (size > 1e-6).float() + 0.0 * size

    with pytest.raises(InputError, match="give more n_steps"):
        attribute(jump, recordings())
    kept = attribute(jump, recordings(), check=False)
    torch.testing.assert_close(kept.delta, torch.full((4,), -5.0))


def test_a_kink_gets_more_points_until_the_sum_is_right() -> None:
    given = recordings("millivolt")
    weight = given.ecg_mv[0] / given.ecg_mv[0].square().sum()

    def kink(batch: EcgBatch) -> Tensor:  # of the first recording: 20 relu(position - 0.713)
        return 20.0 * torch.relu((batch.ecg * weight).sum((1, 2)) - 0.713)

    first = given.rows(slice(0, 1))
    found = attribute(kink, first, settings=AttributionSettings(n_steps=4))
    assert found.value.sum().item() == pytest.approx(20 * (1 - 0.713), abs=0.07)
    with pytest.raises(InputError, match="16 steps"):
        attribute(kink, first, settings=AttributionSettings(n_steps=1))


def test_saliency_is_the_gradient_per_millivolt() -> None:
    model, given = Linear(), recordings()
    weight = model.weight.detach()
    slope = (weight - weight.mean(-1, keepdim=True)) / given.scale.unsqueeze(-1)
    found = attribute(model, given, settings=AttributionSettings("saliency"))
    torch.testing.assert_close(found.value, slope.expand_as(found.value), rtol=1e-4, atol=1e-4)
    assert found.delta.isnan().all()


def test_gradient_shap_of_a_linear_logit_needs_one_draw() -> None:
    model, given = Linear(), recordings("millivolt")
    baseline = given.ecg_mv.mean(0)
    found = attribute(model, given, baseline_mv=baseline, settings=GRADIENT_SHAP)
    expected = model.weight.detach() * (given.ecg_mv - baseline)
    torch.testing.assert_close(found.value, expected, rtol=1e-4, atol=1e-5)


def test_gradient_shap_draws_baselines_from_those_given() -> None:
    model, given = Linear(), recordings("millivolt")
    baselines = given.ecg_mv[:2]
    found = attribute(model, given, baseline_mv=baselines, settings=GRADIENT_SHAP).value
    # The mean over 8 draws of one of two baselines lies on the line between them.
    ends = model.weight.detach() * (given.ecg_mv - baselines.unsqueeze(1))  # (2, B, L, T)
    share = ((found - ends[0]) * (ends[1] - ends[0])).sum((1, 2)) / (
        (ends[1] - ends[0]).square().sum((1, 2))
    )
    torch.testing.assert_close(share * 8, (share * 8).round(), rtol=0, atol=1e-3)
    assert ((share >= 0) & (share <= 1)).all()


def test_gradient_shap_repeats_itself_and_leaves_the_generators_alone() -> None:
    task, given = tiny_classifier(), recordings()
    np.random.seed(3)
    expected = np.random.rand(2)
    np.random.seed(3)
    first = np.random.rand(1)
    one = attribute(task, given, baseline_mv=given.ecg_mv, settings=GRADIENT_SHAP).value
    assert (np.concatenate([first, np.random.rand(1)]) == expected).all()
    other = attribute(task, given, baseline_mv=given.ecg_mv, settings=GRADIENT_SHAP).value
    torch.testing.assert_close(one, other)


def test_occlusion_is_what_the_logit_loses_without_a_lead() -> None:
    task, given = tiny_classifier(), recordings(absent=["V6"])
    found = attribute(task, given, settings=OCCLUSION)
    logit = MillivoltLogit(task, leads=LEADS, normalisation="record")
    without = given.present.clone()
    without[:, LEADS.index("aVF")] = False
    with torch.no_grad():
        lost = logit(*given[:3]) - logit(given.ecg_mv, given.scale, without)
    torch.testing.assert_close(found.value[:, LEADS.index("aVF"), 0], lost)
    assert not found.value[:, LEADS.index("V6")].any()


def test_occlusion_of_an_ignored_lead_is_zero() -> None:
    model, given = Linear(), recordings()
    with torch.no_grad():
        model.weight[LEADS.index("V3")] = 0.0
    value = attribute(model, given, settings=OCCLUSION).value.squeeze(-1)
    zero = value.abs().amax(0) < 1e-5  # rounding in batches of different sizes
    assert [lead for lead, is_zero in zip(LEADS, zero, strict=True) if is_zero] == ["V3"]


def test_occlusion_needs_a_second_lead() -> None:
    with pytest.raises(InputError, match="only one of the leads"):
        attribute(Linear(1), recordings(leads=["II"]), settings=OCCLUSION)


def test_shares_keep_the_leads_on_one_scale() -> None:
    value = torch.zeros(1, 3, 4)
    value[0, 0, 1], value[0, 1, 2] = -3.0, 1.0
    share = lead_shares(value, torch.tensor([[True, True, True]]))
    assert share.tolist() == [[0.75, 0.25, 0.0]]


def test_shares_of_a_logit_that_ignores_the_recording_are_undefined() -> None:
    assert lead_shares(torch.zeros(1, 3, 4), torch.ones(1, 3, dtype=torch.bool)).isnan().all()


@pytest.mark.parametrize("wrong", [{"n_steps": 0}, {"batch_size": 0}])
def test_settings_that_compute_nothing_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(InputError, match="n_steps >= 1"):
        AttributionSettings(**wrong)  # type: ignore[arg-type]
