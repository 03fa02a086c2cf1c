"""How unsure a network is of a recording: the mean log variance of its posterior."""

import pytest
import torch

from lsemvae.core.leads import LEADS, LIMB_LEADS
from lsemvae.models import AuthorsCode, BetaVae, EcgNetwork, LsEmvae, MopoeVae, MultimodalCnn, Mvae
from tests.tiny_batches import N_SAMPLES, tiny_ecg


@pytest.mark.parametrize(
    "build",
    [
        lambda: LsEmvae(N_SAMPLES, 4),
        lambda: Mvae(N_SAMPLES, 4),
        lambda: MopoeVae(N_SAMPLES, 4),
        lambda: BetaVae(N_SAMPLES, 4),
        lambda: AuthorsCode(N_SAMPLES, 4),
    ],
)
@torch.no_grad()
def test_autoencoders_say_how_unsure_they_are(build: type[EcgNetwork]) -> None:
    torch.manual_seed(0)
    found = build().eval().uncertainty(tiny_ecg(5), LEADS)
    assert found is not None
    assert found.shape == (5,)
    assert found.isfinite().all()
    assert found.unique().numel() == 5


@torch.no_grad()
def test_fewer_leads_leave_a_product_of_experts_less_sure() -> None:
    torch.manual_seed(0)
    network, ecg = Mvae(N_SAMPLES, 4).eval(), tiny_ecg(5)
    of_limb = network.uncertainty(ecg[:, : len(LIMB_LEADS)], LIMB_LEADS)
    assert (of_limb > network.uncertainty(ecg, LEADS)).all()


@torch.no_grad()
def test_mixture_of_products_has_the_variance_of_its_samples() -> None:
    torch.manual_seed(0)
    network, ecg = MopoeVae(N_SAMPLES, 2).eval(), tiny_ecg(1)
    leads, two = ("I", "II"), ecg[:, :2]
    experts = network.experts(two, leads, torch.ones(1, 2, dtype=torch.bool))
    weight = network.subset_weights(experts.present, network.target)[0]
    used = weight.nonzero().squeeze(-1)
    products = network.subset_posteriors(experts, network.members[used])
    drawn = torch.multinomial(weight[used], 400_000, replacement=True)
    mean, logvar = products.mean[0, drawn], products.logvar[0, drawn]
    samples = mean + (0.5 * logvar).exp() * torch.randn_like(mean)
    expected = samples.var(0).log().mean()
    assert network.uncertainty(two, leads)[0] == pytest.approx(expected.item(), abs=0.02)


def test_classifiers_cannot_say() -> None:
    network = MultimodalCnn(N_SAMPLES, 4, leads=12)
    assert network.uncertainty(tiny_ecg(2), LEADS) is None
