"""The authors' code's variants against plain forms, one recording at a time."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS, LIMB_LEADS
from lsemvae.models import AuthorsCode
from tests.tiny_batches import LATENT_DIM, N_SAMPLES, tiny_ecg

UNDER_CONTRACT = {
    "AuthorsCode": {"latent_dim": 4},
    "AuthorsCode, MoPoE": {"latent_dim": 4, "method": "mopoe_vae"},
    "AuthorsCode, MVAE": {"latent_dim": 4, "method": "mvae"},
}

N_PARAMETERS = {"ls_emvae": 256_150_577, "mvae": 369_344_460, "mopoe_vae": 369_344_460}


def tiny(method: str) -> AuthorsCode:
    torch.manual_seed(0)
    return AuthorsCode(N_SAMPLES, LATENT_DIM, method=method).eval()  # type: ignore[arg-type]


@pytest.mark.parametrize(("method", "expected"), N_PARAMETERS.items())
def test_parameters_at_full_size(method: str, expected: int) -> None:
    with torch.device("meta"):
        network = AuthorsCode(method=method)  # type: ignore[arg-type]
    assert sum(parameter.numel() for parameter in network.parameters()) == expected
    assert network.feature_dim(LEADS) == 3072
    assert network.feature_dim(LIMB_LEADS) == 1536


@pytest.mark.parametrize("method", N_PARAMETERS)
def test_the_loss_is_that_of_plain_means_and_products(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lsemvae.models.authors_code.sample", lambda gaussian: gaussian.mean)
    network, ecg, beta = tiny(method), tiny_ecg(2), 0.3
    expected = 0.0
    for record in range(2):
        outputs = network.encoders(ecg[record : record + 1], LEADS)[0]
        mean, logvar = outputs.chunk(2, -1)
        centre, centre_logvar = mean.mean(0), logvar.mean(0)
        if method == "mvae":
            precision = 1 + (-logvar).exp().sum(0)
            fused, fused_logvar = ((-logvar).exp() * mean).sum(0) / precision, -precision.log()
        else:
            parts = []
            for start in (0, 3, 6, 9):
                precision = (-logvar[start : start + 3]).exp()
                weighted = (precision * mean[start : start + 3]).sum(0)
                parts.append((weighted / precision.sum(0), -precision.sum(0).log()))
            fused = torch.stack([part[0] for part in parts]).mean(0)
            fused_logvar = torch.stack([part[1] for part in parts]).mean(0)
        waves = network.decoder(fused.unsqueeze(0))[0]
        expected += 1e-3 * (waves - ecg[record]).square().sum().item() / 2
        of_kl = (fused, fused_logvar) if method == "mopoe_vae" else (centre, centre_logvar)
        posterior = Normal(of_kl[0], (of_kl[1] / 2).exp())
        expected += beta * kl_divergence(posterior, Normal(0.0, 1.0)).sum().item() / 2
        if method == "ls_emvae":
            expected += 0.1 * (mean - centre).square().mean().item() / 2
    loss = network.loss(ecg, LEADS, beta=beta)
    assert loss.total.item() == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("method", N_PARAMETERS)
def test_a_group_without_any_lead_has_no_gradient_and_no_weight(method: str) -> None:
    network, ecg = tiny(method), tiny_ecg(3)
    present = torch.ones(3, 12, dtype=torch.bool)
    present[1, 3:9] = False
    waves = network.reconstruct(ecg, LEADS, present)
    again = network.reconstruct(ecg[1:2][:, [0, 1, 2, 9, 10, 11]],
                                ("I", "II", "III", "V4", "V5", "V6"))  # fmt: skip
    torch.testing.assert_close(waves[1:2], again, rtol=1e-4, atol=1e-5)
    network.loss(ecg, LEADS, beta=1.0, present=present).total.backward()
    gradients = [parameter.grad for parameter in network.parameters()]
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(InputError, match="method must be ls_emvae, mvae or mopoe_vae"):
        AuthorsCode(method="vae")  # type: ignore[arg-type]


@pytest.mark.parametrize("method", N_PARAMETERS)
def test_reconstructions_fuse_in_float32_under_autocast(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With equal encodings, what autocast does to the rest must not reach the fused code."""
    network, ecg = tiny(method), tiny_ecg(3)
    encoded = network.encoders(ecg, LEADS)
    monkeypatch.setattr(network.encoders, "forward", lambda *_: encoded)
    exact = network.code(ecg, LEADS)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(network.code(ecg, LEADS), exact)
