from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.distributions import Independent, Normal, kl_divergence

from lsemvae.callbacks.latent_statistics import LatentStatistics, least_squares_r2
from lsemvae.core.leads import LEADS, LIMB_LEADS
from lsemvae.models import Fusion, LsEmvae
from lsemvae.models.ls_emvae import Posterior
from tests.tiny_batches import LATENT_DIM, N_SAMPLES, tiny_ecg, tiny_network


def recordings() -> tuple[Tensor, Tensor, Tensor]:
    """Return 20 records with noise, absent leads and a scale for each lead."""
    generator = torch.Generator().manual_seed(1)
    ecg = tiny_ecg(20) + 0.3 * torch.randn(20, 12, N_SAMPLES, generator=generator)
    present = torch.rand(20, 12, generator=generator) > 0.1
    present[:8] = True
    ecg = torch.where(present.unsqueeze(-1), ecg, 0.0)
    return ecg, present, 0.1 + torch.rand(20, 12, generator=generator)


@torch.no_grad()
def figures_of(
    network: LsEmvae, data: tuple[Tensor, Tensor, Tensor], *sizes: int
) -> dict[str, float]:
    statistics = LatentStatistics(network)
    for parts in zip(*(value.split(list(sizes)) for value in data), strict=True):
        statistics.update(*parts)
    return {name: value.item() for name, value in statistics.compute().items()}


@torch.no_grad()
def posteriors(network: LsEmvae, ecg: Tensor, present: Tensor) -> tuple[Posterior, Posterior]:
    whole = network.posterior(ecg, LEADS, present)
    return whole, network.posterior(ecg[:, :6], LIMB_LEADS, present[:, :6])


@pytest.mark.parametrize("kind", ["poe_moe", "moe", "poe"])
def test_signal_figures_equal_those_of_the_concatenated_signals(kind: Any) -> None:
    network, (ecg, present, scale) = (
        tiny_network(fusion=Fusion(kind)),
        recordings(),
    )
    figures = figures_of(network, (ecg, present, scale), 7, 12, 1)
    whole, limb = posteriors(network, ecg, present)
    with torch.no_grad():
        decoded = {"r2": network.decoder(whole.mean), "r2_from_limb": network.decoder(limb.mean)}
    r2: dict[str, list[float]] = {"r2": [], "r2_from_limb": []}
    for number, lead in enumerate(LEADS):
        there = present[:, number]
        signal = ecg[there, number].numpy().ravel().astype(float)
        for name, waves in decoded.items():
            error = waves[there, number].numpy().ravel() - signal
            r2[name].append(1 - (error**2).sum() / (signal**2).sum())
        millivolt = np.abs((decoded["r2"] - ecg).numpy() * scale.numpy()[:, :, None])
        expected_mae = millivolt[there.numpy(), number].mean()
        assert figures[f"mae_mv/{lead}"] == pytest.approx(expected_mae, rel=1e-4)
        assert figures[f"r2/{lead}"] == pytest.approx(r2["r2"][number], abs=1e-4)
        if number >= 6:
            expected = pytest.approx(r2["r2_from_limb"][number], abs=1e-4)
            assert figures[f"r2_from_limb/{lead}"] == expected
    assert figures["r2/limb"] == pytest.approx(np.mean(r2["r2"][:6]), abs=1e-4)
    assert figures["r2/chest"] == pytest.approx(np.mean(r2["r2"][6:]), abs=1e-4)
    assert figures["r2_from_limb/chest"] == pytest.approx(np.mean(r2["r2_from_limb"][6:]), abs=1e-4)


def test_least_squares_reference_equals_numpy() -> None:
    ecg, present, scale = recordings()
    # Limb leads that obey Einthoven's law exactly: the normal equations are singular.
    ecg[:, :6] = tiny_ecg(20)[:, :6]
    figures = figures_of(tiny_network(), (ecg, present, scale), 20)
    complete = ecg[present.all(1)].transpose(1, 2).reshape(-1, 12).double().numpy()
    limb, chest = complete[:, :6], complete[:, 6:]
    weights, *_ = np.linalg.lstsq(limb, chest, rcond=1e-4)
    expected = 1 - ((chest - limb @ weights) ** 2).sum(0) / (chest**2).sum(0)
    gram = torch.from_numpy(complete.T @ complete)
    np.testing.assert_allclose(least_squares_r2(gram).numpy(), expected, atol=1e-6)
    assert figures["r2_from_limb/least_squares"] == pytest.approx(expected.mean(), abs=1e-5)


def test_chest_leads_made_of_limb_leads_are_explained_wholly_by_least_squares() -> None:
    limb = tiny_ecg(10)[:, :6]
    mixing = torch.randn(6, 6, generator=torch.Generator().manual_seed(3))
    ecg = torch.cat([limb, mixing @ limb], 1)
    ones = torch.ones(10, 12)
    figures = figures_of(tiny_network(), (ecg, ones.bool(), ones), 10)
    assert figures["r2_from_limb/least_squares"] == pytest.approx(1.0, abs=1e-5)


def test_latent_figures_equal_those_of_the_concatenated_posteriors() -> None:
    network, (ecg, present, scale) = tiny_network(), recordings()
    figures = figures_of(network, (ecg, present, scale), 7, 12, 1)
    whole, limb = posteriors(network, ecg, present)
    mean, sd = whole.mean, (whole.logvar / 2).exp()
    variance = mean.double().numpy().var(0)
    kl = kl_divergence(Normal(mean, sd), Normal(torch.zeros_like(mean), 1.0)).mean(0)
    assert figures["active_units"] == (variance > 0.01).sum()
    assert figures["kl_per_dimension/mean"] == pytest.approx(kl.mean().item(), rel=1e-4)
    assert figures["kl_per_dimension/max"] == pytest.approx(kl.max().item(), rel=1e-4)
    squared = (whole.expert_mean - mean[:, None]) ** 2
    squared = torch.where(whole.expert_present[..., None], squared, 0.0)
    share = (whole.weight[..., None] * squared).sum(1) / whole.logvar.exp()
    assert figures["disagreement_share"] == pytest.approx(share.mean().item(), rel=1e-4)
    alignment = (squared.sum((1, 2)) / whole.expert_present.sum(1)).mean().item()
    assert figures["alignment"] == pytest.approx(alignment, rel=1e-4)
    assert figures["alignment_per_variance"] == pytest.approx(alignment / variance.sum(), rel=1e-3)
    distributions = [Independent(Normal(p.mean, (p.logvar / 2).exp()), 1) for p in (limb, whole)]
    shift = kl_divergence(*distributions).mean().item()
    assert figures["kl_6_to_12_leads"] == pytest.approx(shift, rel=1e-4)


def test_gate_figures_equal_those_of_the_concatenated_weights() -> None:
    network, (ecg, present, scale) = tiny_network(), recordings()
    figures = figures_of(network, (ecg, present, scale), 7, 12, 1)
    for n_leads, posterior in zip((12, 6), posteriors(network, ecg, present), strict=True):
        weight = posterior.weight.double().numpy()
        names = [*LEADS[:n_leads], "PoE"]
        found = [figures[f"gate_{n_leads}/{name}"] for name in names]
        np.testing.assert_allclose(found, weight.mean(0), rtol=1e-4)
        assert sum(found) == pytest.approx(1.0)
        entropy = -np.sum(weight * np.log(np.where(weight > 0, weight, 1.0)), 1).mean()
        assert figures[f"gate_{n_leads}_entropy"] == pytest.approx(entropy, rel=1e-4)
        assert figures[f"gate_{n_leads}_largest"] == pytest.approx(weight.max(1).mean(), rel=1e-4)


def test_a_collapsed_posterior_has_no_active_unit() -> None:
    network = tiny_network()
    with torch.no_grad():
        network.encoders.linear_weight.zero_()
        network.encoders.linear_bias.zero_()
    ecg, _, scale = recordings()
    figures = figures_of(network, (ecg, torch.ones(20, 12).bool(), scale), 20)
    assert figures["active_units"] == 0
    assert figures["disagreement_share"] == 0


def test_active_units_are_counted_right_far_from_zero() -> None:
    # In float32 the sums of squares around 300 lose this variance.
    network = tiny_network(fusion=Fusion("poe"))
    with torch.no_grad():
        network.encoders.linear_bias[:, 0, :LATENT_DIM] += 300.0
    ecg, _, scale = recordings()
    ones = torch.ones(20, 12).bool()
    with torch.no_grad():
        variance = network.posterior(ecg, LEADS, ones).mean.double().var(0, correction=0)
    figures = figures_of(network, (ecg, ones, scale), 7, 12, 1)
    total_variance = figures["alignment"] / figures["alignment_per_variance"]
    assert total_variance == pytest.approx(variance.sum().item(), rel=1e-2)
    assert figures["active_units"] == (variance > 0.01).sum()


def test_a_lead_that_is_always_absent_has_no_figure_and_spoils_no_mean() -> None:
    network, (ecg, _, scale) = tiny_network(), recordings()
    present = torch.ones(20, 12, dtype=torch.bool)
    present[:, [4, 7]] = False
    figures = figures_of(network, (ecg, present, scale), 20)
    assert np.isnan(figures["r2/V2"])
    for group, leads in (("limb", LEADS[:6]), ("chest", LEADS[6:])):
        others = [figures[f"r2/{lead}"] for lead in leads if lead not in ("aVL", "V2")]
        assert figures[f"r2/{group}"] == pytest.approx(np.mean(others), abs=1e-5)


def test_records_without_a_limb_lead_are_left_out() -> None:
    network, (ecg, present, scale) = tiny_network(), recordings()
    with_chest_only = present.clone()
    with_chest_only[5:9, :6] = False
    kept = torch.tensor([number not in range(5, 9) for number in range(20)])
    figures = figures_of(network, (ecg, with_chest_only, scale), 5, 4, 11)
    expected = figures_of(network, (ecg[kept], present[kept], scale[kept]), 16)
    for name, value in expected.items():
        assert figures[name] == pytest.approx(value, rel=1e-4, abs=1e-5), name


def test_no_recording_gives_no_figure() -> None:
    assert LatentStatistics(tiny_network()).compute() == {}
