"""beta-VAE on whole recordings."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS, LIMB_LEADS
from lsemvae.models import BetaVae
from tests.tiny_batches import LATENT_DIM, N_SAMPLES, tiny_ecg

UNDER_CONTRACT = {"BetaVae": {"latent_dim": 4}}


def tiny(**arguments: float) -> BetaVae:
    torch.manual_seed(0)
    return BetaVae(N_SAMPLES, LATENT_DIM, **arguments).eval()


def test_parameters_at_full_size() -> None:
    with torch.device("meta"):
        network = BetaVae()
    assert sum(parameter.numel() for parameter in network.parameters()) == 61_771_340
    assert network.n_steps == 312


def test_six_leads_are_refused_with_the_reason() -> None:
    with pytest.raises(InputError, match=r"mixes the twelve leads in its first layer.*for 6"):
        tiny().encode(tiny_ecg(2)[:, :6], LIMB_LEADS)


@pytest.mark.parametrize(("beta", "capacity"), [(0.0, 0.0), (0.4, 10.0), (1.0, 25.0)])
def test_the_loss_is_error_plus_weighted_distance_to_the_capacity(
    beta: float, capacity: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lsemvae.models.beta_vae.sample", lambda gaussian: gaussian.mean)
    network, ecg = tiny(), tiny_ecg(3)
    hidden = network.encoder(ecg).flatten(1)
    mean, logvar = network.to_mean(hidden), network.to_logvar(hidden)
    kl = kl_divergence(Normal(mean, (logvar / 2).exp()), Normal(0.0, 1.0)).sum(-1).mean()
    error = (network.reconstruct(ecg, LEADS) - ecg).square().mean()
    expected = error + 1000 * (kl - capacity).abs()
    loss = network.loss(ecg, LEADS, beta=beta)
    assert loss.terms["capacity"].item() == pytest.approx(capacity)
    assert loss.total.item() == pytest.approx(expected.item(), rel=1e-3)


@pytest.mark.parametrize("n_samples", [16, 100, 120, 127])
def test_lengths_that_four_halvings_do_not_divide_are_padded(n_samples: int) -> None:
    network = BetaVae(n_samples, 3).eval()
    waves = network.reconstruct(torch.randn(2, 12, n_samples), LEADS)
    assert waves.shape == (2, 12, n_samples)
    padded = n_samples % 16
    assert (waves[..., n_samples - padded :] == 0).all()
    assert (waves[..., : n_samples - padded] != 0).any()


def test_absent_leads_count_for_nothing() -> None:
    network, ecg = tiny(), tiny_ecg(3)
    present = torch.ones(3, 12, dtype=torch.bool)
    present[0, 3] = False
    losses = []
    for filling in (0.0, float("nan"), 1e6):
        torch.manual_seed(1)
        filled = torch.where(present.unsqueeze(-1), ecg, filling)
        losses.append(network.loss(filled, LEADS, beta=0.5, present=present).total)
    assert torch.equal(losses[0], losses[1])
    assert torch.equal(losses[0], losses[2])


def test_too_few_samples_are_refused() -> None:
    with pytest.raises(InputError, match="n_samples must be 16 or more"):
        BetaVae(15)
