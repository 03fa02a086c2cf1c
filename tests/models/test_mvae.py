"""MVAE against a plain form of one expert and one bound at a time."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS, LIMB_LEADS
from lsemvae.models import Mvae, ReconstructionObjective
from lsemvae.models.mvae import random_subsets
from tests.nn.plain_reference import PlainDecoder, PlainEncoders, copy_decoder, copy_encoders
from tests.tiny_batches import LATENT_DIM, N_SAMPLES, tiny_ecg

UNDER_CONTRACT = {"Mvae": {"latent_dim": 4}}

OBJECTIVE = ReconstructionObjective(lead_weights={"V1": 3.0, "aVR": 0.25})


def tiny(**arguments: object) -> Mvae:
    torch.manual_seed(0)
    return Mvae(N_SAMPLES, LATENT_DIM, **arguments).eval()  # type: ignore[arg-type]


def plain_product(
    mean: torch.Tensor, logvar: torch.Tensor, members: list[int]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Multiply the experts of one recording, (L, D), and the prior, one after the other."""
    precision = torch.ones(mean.shape[-1], dtype=torch.double)
    weighted = torch.zeros(mean.shape[-1], dtype=torch.double)
    for lead in members:
        precision = precision + 1 / logvar[lead].double().exp()
        weighted = weighted + mean[lead].double() / logvar[lead].double().exp()
    return weighted / precision, 1 / precision


def test_parameters_at_full_size() -> None:
    with torch.device("meta"):
        network = Mvae()
    assert sum(parameter.numel() for parameter in network.parameters()) == 369_344_460


def test_features_are_the_mean_of_the_product_with_the_prior() -> None:
    network, ecg = tiny(), tiny_ecg(3)
    outputs = network.encoders(ecg, LEADS)
    mean, logvar = outputs.chunk(2, -1)
    for leads in (range(12), range(6), [7]):
        chosen = list(leads)
        found = network.encode(ecg[:, chosen], [LEADS[lead] for lead in chosen])
        for record in range(3):
            expected, _ = plain_product(mean[record], logvar[record], chosen)
            torch.testing.assert_close(found[record].double(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("leads", [LEADS, LIMB_LEADS])
def test_the_loss_is_the_sum_of_plain_bounds(
    leads: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With fixed subsets and no noise, the loss equals a loop over bounds, leads and records."""
    n_leads, beta = len(leads), 0.6
    network, ecg = tiny(objective=OBJECTIVE, n_subsets=2), tiny_ecg(2)[:, :n_leads]
    fixed = torch.rand(2, 2, n_leads, generator=torch.Generator().manual_seed(3)) > 0.5
    monkeypatch.setattr("lsemvae.models.mvae.random_subsets", lambda *_: fixed)
    monkeypatch.setattr("lsemvae.models.mvae.sample", lambda gaussian: gaussian.mean)
    encoders = PlainEncoders(N_SAMPLES, LATENT_DIM)
    copy_encoders(network.encoders, encoders)
    decoders = [PlainDecoder(LATENT_DIM, N_SAMPLES, 1) for _ in LEADS]
    for index, decoder in enumerate(decoders):
        copy_decoder(network.decoder, decoder, index)
    outputs = encoders(ecg, leads)
    expected = 0.0
    for record in range(2):
        mean, logvar = outputs[record].chunk(2, -1)
        bounds = [list(range(n_leads)), *([lead] for lead in range(n_leads))]
        bounds += [fixed[record, number].nonzero().flatten().tolist() for number in range(2)]
        for members in bounds:
            z, variance = plain_product(mean, logvar, members)
            posterior = Normal(z, variance.sqrt())
            expected += beta * kl_divergence(posterior, Normal(0.0, 1.0)).sum().item() / 2
            for lead in members:
                wave = decoders[LEADS.index(leads[lead])](z.float().unsqueeze(0))[0, 0]
                weight = {"V1": 3.0, "aVR": 0.25}.get(leads[lead], 1.0)
                expected += weight * (wave - ecg[record, lead]).square().sum().item() / 2
    loss = network.loss(ecg, leads, beta=beta)
    assert loss.total.item() == pytest.approx(expected, rel=1e-4)
    terms = {name: value.item() for name, value in loss.terms.items()}
    parts = [
        terms[f"reconstruction{part}"] + beta * terms[f"kl{part}"]
        for part in ("", "_single_leads", "_subsets")
    ]
    assert loss.total.item() == pytest.approx(sum(parts), rel=1e-5)


def test_an_absent_lead_takes_part_in_no_bound() -> None:
    network, ecg = tiny(), tiny_ecg(4)
    present = torch.ones(4, 12, dtype=torch.bool)
    present[:, 6:] = False
    losses = []
    for filling in (0.0, float("nan")):
        filled = torch.where(present.unsqueeze(-1), ecg, filling)
        torch.manual_seed(1)
        losses.append(network.loss(filled, LEADS, beta=0.5, present=present))
    assert torch.equal(losses[0].total, losses[1].total)
    limb = tiny(n_subsets=0).loss(ecg[:, :6], LIMB_LEADS, beta=0.5)
    whole = tiny(n_subsets=0).loss(ecg, LEADS, beta=0.5, present=present)
    assert whole.terms["kl"].item() == pytest.approx(limb.terms["kl"].item(), rel=1e-5)
    single = [terms["kl_single_leads"].item() for terms in (whole.terms, limb.terms)]
    assert single[0] == pytest.approx(single[1], rel=1e-5)


def test_random_subsets_have_uniform_sizes_and_only_available_leads() -> None:
    torch.manual_seed(0)
    available = torch.ones(4000, 12, dtype=torch.bool)
    available[:2000, :4] = False
    members = random_subsets(available, 3)
    assert not (members & ~available.unsqueeze(1)).any()
    for part, n_leads in ((members[:2000], 8), (members[2000:], 12)):
        sizes = torch.bincount(part.sum(-1).flatten(), minlength=13)
        assert sizes[:2].sum() == 0
        assert sizes[n_leads:].sum() == 0
        share = sizes[2:n_leads] / sizes.sum()
        torch.testing.assert_close(share, torch.full_like(share, 1 / (n_leads - 2)), atol=0.02,
                                   rtol=0)  # fmt: skip
    frequency = members[2000:].float().mean((0, 1))
    torch.testing.assert_close(frequency, frequency.mean().expand(12), atol=0.02, rtol=0)


@pytest.mark.parametrize("n_available", [1, 2])
def test_two_leads_have_no_random_subset(n_available: int) -> None:
    available = torch.arange(12).expand(3, -1) < n_available
    assert not random_subsets(available, 2).any()


def test_a_negative_number_of_subsets_is_refused() -> None:
    with pytest.raises(InputError, match="n_subsets must be >= 0, got -1"):
        Mvae(N_SAMPLES, n_subsets=-1)
