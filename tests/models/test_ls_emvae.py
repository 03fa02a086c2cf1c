from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS, LIMB_LEADS
from lsemvae.models import Fusion, LsEmvae, lead_vae, ls_emvae
from lsemvae.models.lead_vae import sample
from tests.tiny_batches import LATENT_DIM, N_SAMPLES, loss_of, tiny_ecg, tiny_network

UNDER_CONTRACT = {
    "LsEmvae": {"latent_dim": 4},
    "LsEmvae, lead means": {"latent_dim": 4, "feature": "lead_means"},
    "LsEmvae, product only": {"latent_dim": 4, "fusion": {"kind": "poe"}},
    "LsEmvae, no product": {"latent_dim": 4, "fusion": {"kind": "moe"}},
    "LsEmvae, uniform gate": {"latent_dim": 4, "fusion": {"gate": "uniform"}},
}

ALL_FUSIONS = [
    Fusion(kind, gate, gate_floor=0.2)
    for kind in ("poe_moe", "moe", "poe")
    for gate in ("learned", "uniform")
]
ALL_DECODERS = ("multichannel", "conditioned", "per_lead", "published")
masks = st.lists(st.booleans(), min_size=12, max_size=12).filter(any)


@pytest.mark.parametrize(
    ("decoder", "count"), [("published", 256_150_577), ("multichannel", 256_151_292)]
)
@pytest.mark.filterwarnings("ignore:decoder=published")
def test_published_size(decoder: Any, count: int) -> None:
    with torch.device("meta"):
        network = LsEmvae(decoder=decoder, fusion=Fusion(gate="uniform"))
    assert sum(parameter.numel() for parameter in network.parameters()) == count
    assert sum(parameter.numel() for parameter in network.encoders.parameters()) == 245_860_224


@pytest.mark.parametrize("fusion", ALL_FUSIONS, ids=str)
@settings(max_examples=10, deadline=None)
@given(chosen=masks)
def test_masking_a_lead_is_deleting_it(fusion: Fusion, chosen: list[bool]) -> None:
    network = tiny_network(fusion=fusion)
    ecg, present = tiny_ecg(3), torch.tensor([chosen] * 3)
    kept = [lead for lead, there in zip(LEADS, chosen, strict=True) if there]
    masked, deleted = (
        network.posterior(ecg, LEADS, present),
        network.posterior(ecg[:, chosen], kept),
    )
    torch.testing.assert_close(masked.mean, deleted.mean, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(masked.logvar, deleted.logvar, rtol=1e-4, atol=1e-5)
    there = masked.expert_present[0]
    torch.testing.assert_close(masked.weight[:, there], deleted.weight, rtol=1e-4, atol=1e-5)
    assert (masked.weight[:, ~there] == 0).all()
    for name, term in loss_of(network, ecg, present=present).terms.items():
        alone = loss_of(network, ecg[:, chosen], kept).terms[name]
        torch.testing.assert_close(term, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("fusion", ALL_FUSIONS, ids=str)
def test_nan_in_absent_leads_changes_no_bit(fusion: Fusion) -> None:
    network = tiny_network(fusion=fusion)
    present = torch.rand(4, 12, generator=torch.Generator().manual_seed(1)) > 0.4
    results = []
    for filling in (0.0, torch.nan, torch.inf):
        ecg = torch.where(present.unsqueeze(-1), tiny_ecg(4), filling)
        network.zero_grad()
        total = loss_of(network, ecg, present=present).total
        total.backward()
        gradients = [p.grad.clone() for p in network.parameters() if p.grad is not None]
        results.append([total.detach(), network.encode(ecg, LEADS, present), *gradients])
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))
    assert all(torch.isfinite(value).all() for value in results[0])


def test_an_overflow_in_the_encoder_of_an_absent_lead_stays_there() -> None:
    network = tiny_network()
    present = torch.ones(2, 12, dtype=torch.bool)
    present[:, 3] = False
    clean = network.posterior(tiny_ecg(2), LEADS, present)
    with torch.no_grad():
        network.encoders.linear_bias[3] = torch.nan
    spoilt = network.posterior(tiny_ecg(2), LEADS, present)
    assert torch.equal(spoilt.mean, clean.mean)
    assert torch.equal(spoilt.weight, clean.weight)


@settings(max_examples=10, deadline=None)
@given(order=st.permutations(range(12)))
def test_permuting_leads_permutes_only_the_gate_weights(order: list[int]) -> None:
    network = tiny_network()
    ecg = tiny_ecg(3)
    straight = network.posterior(ecg, LEADS)
    permuted = network.posterior(ecg[:, order], [LEADS[i] for i in order])
    torch.testing.assert_close(permuted.mean, straight.mean, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(permuted.logvar, straight.logvar, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(permuted.weight, straight.weight[:, [*order, 12]])


def test_an_absent_lead_filled_with_zeros_is_no_expert() -> None:
    network = tiny_network()
    ecg, present = tiny_ecg(2), torch.ones(2, 12, dtype=torch.bool)
    ecg[:, 6:], present[:, 6:] = 0.0, False
    as_absent = network.posterior(ecg, LEADS, present).mean
    torch.testing.assert_close(as_absent, network.posterior(ecg[:, :6], LIMB_LEADS).mean)
    assert not torch.allclose(as_absent, network.posterior(ecg, LEADS).mean, atol=1e-3)


def test_fusion_variants_take_the_experts_that_they_name() -> None:
    ecg = tiny_ecg(2)
    whole, no_product, product = (
        tiny_network(fusion=Fusion(kind)).posterior(ecg, LEADS)
        for kind in ("poe_moe", "moe", "poe")
    )
    assert [p.weight.shape[1] for p in (whole, no_product, product)] == [13, 12, 13]
    # The product is the last expert of the first, and all there is in the third.
    assert torch.equal(whole.expert_mean[:, -1], product.mean)
    assert torch.equal(whole.expert_logvar[:, -1], product.logvar)
    assert torch.equal(product.weight, torch.tensor([[0.0] * 12 + [1.0]] * 2))
    for mixture in (whole, no_product):
        expected = (mixture.weight.unsqueeze(-1) * mixture.expert_mean).sum(1)
        torch.testing.assert_close(mixture.mean, expected)
        torch.testing.assert_close(mixture.weight.sum(1), torch.ones(2))


def test_a_uniform_gate_has_no_parameters_and_equal_weights() -> None:
    network = tiny_network(fusion=Fusion(gate="uniform"))
    assert network.gate is None
    weight = network.posterior(tiny_ecg(2)[:, :6], LIMB_LEADS).weight
    torch.testing.assert_close(weight, torch.full((2, 7), 1 / 7))


def test_the_prior_may_be_a_factor_of_the_product() -> None:
    ecg = tiny_ecg(2)
    without, with_prior = (
        tiny_network(fusion=Fusion("poe", prior_expert=prior)).posterior(ecg, LEADS)
        for prior in (False, True)
    )
    precision = (-without.logvar).exp()
    torch.testing.assert_close((-with_prior.logvar).exp(), precision + 1)
    torch.testing.assert_close(with_prior.mean, without.mean * precision / (precision + 1))


def test_the_published_decoder_warns_and_its_leads_are_equal() -> None:
    with pytest.warns(UserWarning, match="twelve equal waveforms"):
        network = LsEmvae(N_SAMPLES, LATENT_DIM, decoder="published")
    waves = network.reconstruct(tiny_ecg(2), LEADS)
    assert waves.shape == (2, 12, N_SAMPLES)
    assert (waves == waves[:, :1]).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("decoder", ["multichannel", "conditioned", "per_lead"])
def test_other_decoders_tell_leads_apart_and_give_all_twelve_from_any(decoder: Any) -> None:
    network = LsEmvae(N_SAMPLES, LATENT_DIM, decoder=decoder)
    ecg = tiny_ecg(2)
    for leads in (LIMB_LEADS, ("V3",)):
        chosen = ecg[:, [LEADS.index(lead) for lead in leads]]
        waves = network.reconstruct(chosen, leads)
        assert waves.shape == (2, 12, N_SAMPLES)
        assert (waves[:, 1:] != waves[:, :1]).any(-1).all()


@pytest.mark.parametrize("decoder", ALL_DECODERS)
def test_fusion_and_loss_stay_in_float32_under_bfloat16_autocast(decoder: Any) -> None:
    network = tiny_network(decoder=decoder, fusion=Fusion(gate_floor=0.1))
    ecg = tiny_ecg(4)
    with torch.autocast("cpu", torch.bfloat16):
        posterior = network.posterior(ecg, LEADS)
        loss = loss_of(network, ecg)
    assert {value.dtype for value in posterior if value.is_floating_point()} == {torch.float32}
    assert (posterior.weight.sum(1) - 1).abs().max() < 1e-6
    assert {value.dtype for value in (loss.total, *loss.terms.values())} == {torch.float32}
    exact = loss_of(network, ecg)
    torch.testing.assert_close(loss.total, exact.total, rtol=0.05, atol=0)


def test_fusion_takes_bfloat16_encodings_up_to_float32_outside_autocast(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network, seen = tiny_network(), []

    class HalfEncoders(torch.nn.Module):
        def forward(self, ecg: Tensor, leads: Any) -> Tensor:
            return ecg[:, :, : 2 * LATENT_DIM].bfloat16()

    def watched(function: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            tensors = [value for value in arguments if isinstance(value, Tensor)]
            dtypes = {value.dtype for value in tensors if value.is_floating_point()}
            seen.append((torch.is_autocast_enabled("cpu"), dtypes))
            return function(*arguments, **options)

        return call

    for module, name in (
        (ls_emvae, "product_of_experts"),
        (ls_emvae, "mixture_of_experts"),
        (lead_vae, "squared_error_per_lead"),
    ):
        monkeypatch.setattr(module, name, watched(getattr(module, name)))
    network.encoders = HalfEncoders()  # type: ignore[assignment]
    with torch.autocast("cpu", torch.bfloat16):
        network.loss(tiny_ecg(4), LEADS, beta=1.0)
    assert seen == [(False, {torch.float32})] * 3


@pytest.mark.parametrize("logvar", [-1e6, -300.0, 300.0, 1e6])
def test_extreme_log_variances_give_finite_loss_and_gradients(logvar: float) -> None:
    network = tiny_network()
    with torch.no_grad():
        network.encoders.linear_bias[0, 0, LATENT_DIM:] = logvar
    loss = loss_of(network, tiny_ecg(3)).total
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(p.grad).all() for p in network.parameters())


def test_samples_have_the_moments_of_the_posterior() -> None:
    posterior = tiny_network().posterior(tiny_ecg(1), LEADS)
    many = posterior._replace(
        mean=posterior.mean.expand(40_000, -1), logvar=posterior.logvar.expand(40_000, -1)
    )
    torch.manual_seed(0)
    z = sample(many)
    sd = (posterior.logvar[0] / 2).exp()
    torch.testing.assert_close(z.mean(0), posterior.mean[0], rtol=0, atol=0.02 * sd.max().item())
    torch.testing.assert_close(z.std(0), sd, rtol=0.02, atol=0)


def test_lead_means_stand_side_by_side_in_canonical_order() -> None:
    network = tiny_network(feature="lead_means")
    ecg, present = tiny_ecg(2), torch.tensor([[True, True], [True, False]])
    features = network.encode(ecg[:, [6, 0]], ("V1", "I"), present)
    lead_i = network.encoders(ecg[:, [0]], ("I",))[:, 0, :LATENT_DIM]
    v1 = network.encoders(ecg[:, [6]], ("V1",))[:, 0, :LATENT_DIM]
    lead_i[1] = 0.0  # absent in the second record
    torch.testing.assert_close(features, torch.cat([lead_i, v1], 1))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Fusion(gate_floor=1.0), r"gate_floor must be in \[0, 1\), got 1.0"),
        (lambda: LsEmvae(N_SAMPLES, decoder="unheard"), "unknown decoder 'unheard'"),  # type: ignore[arg-type]
    ],
)
def test_bad_settings_are_refused(make: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()
