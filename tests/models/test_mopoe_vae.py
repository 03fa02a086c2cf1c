"""MoPoE-VAE: subsets, the mixture, exact and sampled divergence."""

from collections import Counter
from itertools import combinations
from math import comb

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS, LIMB_LEADS
from lsemvae.models import MopoeVae
from lsemvae.nn.lead_subsets import (
    VIEW_SHARE,
    all_subsets,
    stratified_distribution,
    subset_products,
    uniform_distribution,
)
from tests.tiny_batches import LATENT_DIM, N_SAMPLES, tiny_ecg

UNDER_CONTRACT = {
    "MopoeVae": {"latent_dim": 4},
    "MopoeVae, exact KL": {"latent_dim": 4, "kl": "exact"},
}

LIMB = torch.tensor([lead in LIMB_LEADS for lead in LEADS])


def tiny(**arguments: object) -> MopoeVae:
    torch.manual_seed(0)
    network = MopoeVae(N_SAMPLES, LATENT_DIM, **arguments).eval()  # type: ignore[arg-type]
    with torch.no_grad():
        network.encoders.linear_bias[..., LATENT_DIM:].normal_()  # unequal experts
    return network


def experts_of(network: MopoeVae, ecg: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    mean, logvar = network.lead_posteriors(ecg, torch.ones(len(ecg), 12, dtype=torch.bool), LEADS)
    return mean.double(), logvar.double()


def plain_product(
    mean: torch.Tensor, logvar: torch.Tensor, members: tuple[int, ...], prior: bool
) -> Normal:
    precision = torch.full_like(mean[0], float(prior))
    weighted = torch.zeros_like(mean[0])
    for lead in members:
        precision = precision + (-logvar[lead]).exp()
        weighted = weighted + mean[lead] * (-logvar[lead]).exp()
    return Normal(weighted / precision, precision.rsqrt())


def test_parameters_at_full_size() -> None:
    with torch.device("meta"):
        network = MopoeVae()
    assert sum(parameter.numel() for parameter in network.parameters()) == 369_344_460


def test_all_subsets_are_those_of_itertools() -> None:
    found = {tuple(members.nonzero().flatten().tolist()) for members in all_subsets()}
    expected = {members for size in range(1, 13) for members in combinations(range(12), size)}
    assert found == expected
    assert len(all_subsets()) == 4095


def test_the_stratified_distribution_gives_the_deployed_views_their_share() -> None:
    members = all_subsets()
    probability = stratified_distribution(members)
    size = members.sum(-1)
    assert probability.sum().item() == pytest.approx(1.0)
    assert (probability > 0).all()
    rest = (1 - VIEW_SHARE) / 12
    limb = (members == LIMB).all(-1)
    assert probability[limb].item() == pytest.approx(0.1 + rest / comb(12, 6))
    assert probability[size == 12].item() == pytest.approx(0.1 + rest)
    torch.testing.assert_close(probability[size == 1], torch.full((12,), (0.1 + rest) / 12))
    for n in (2, 5, 11):
        assert probability[(size == n)].sum().item() == pytest.approx(rest)


@pytest.mark.parametrize("prior_expert", ["none", "full_only", "always"])
def test_features_are_the_mean_over_plain_products(prior_expert: str) -> None:
    network, ecg = tiny(subsets="uniform", prior_expert=prior_expert), tiny_ecg(1)
    mean, logvar = (part[0] for part in experts_of(network, ecg))
    for n_leads in (12, 6, 1):
        subsets = [
            members for size in range(1, n_leads + 1)
            for members in combinations(range(n_leads), size)
        ]  # fmt: skip
        priors = [
            prior_expert == "always" or (prior_expert == "full_only" and len(members) == 12)
            for members in subsets
        ]
        expected = torch.stack([
            plain_product(mean, logvar, members, prior).mean
            for members, prior in zip(subsets, priors, strict=True)
        ]).mean(0)  # fmt: skip
        found = network.encode(ecg[:, :n_leads], LEADS[:n_leads])[0]
        torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-5)


def test_the_exact_divergence_is_the_mean_over_plain_products() -> None:
    network, ecg = tiny(subsets="uniform", kl="exact"), tiny_ecg(1)
    mean, logvar = (part[0] for part in experts_of(network, ecg))
    total = sum(
        kl_divergence(
            plain_product(mean, logvar, members, len(members) == 12), Normal(0.0, 1.0)
        ).sum()
        for size in range(1, 13)
        for members in combinations(range(12), size)
    )
    loss = network.loss(ecg, LEADS, beta=1.0)
    assert loss.terms["kl"].item() == pytest.approx(float(total) / 4095, rel=1e-4)


@pytest.mark.parametrize(
    ("subsets", "importance_weights"),
    [("uniform", False), ("stratified", False), ("stratified", True)],
)
def test_the_sampled_divergence_estimates_the_exact_one(
    subsets: str, importance_weights: bool
) -> None:
    arguments = {"subsets": subsets, "importance_weights": importance_weights}
    ecg = tiny_ecg(2)
    exact = tiny(kl="exact", **arguments).loss(ecg, LEADS, beta=1.0).terms["kl"].item()
    network = tiny(n_kl_subsets=2000, **arguments)
    with torch.no_grad():
        draws = torch.stack([network.loss(ecg, LEADS, beta=1.0).terms["kl"] for _ in range(40)])
    standard_error = draws.std().item() / 40**0.5
    assert abs(draws.mean().item() - exact) < 4 * standard_error
    assert standard_error < 0.02 * exact


def test_exact_and_sampled_gradients_agree() -> None:
    ecg = tiny_ecg(2)
    gradients = []
    for arguments in ({"kl": "exact"}, {"kl": "sampled", "n_kl_subsets": 20_000}):
        network = tiny(**arguments)
        network.loss(ecg, LEADS, beta=1.0).terms["kl"].backward()
        gradients.append(network.encoders.linear_bias.grad.flatten())
    similarity = torch.cosine_similarity(gradients[0], gradients[1], dim=0)
    assert similarity > 0.99
    assert gradients[1].norm().item() == pytest.approx(gradients[0].norm().item(), rel=0.05)


def test_importance_weights_restore_the_uniform_objective() -> None:
    ecg = tiny_ecg(1)
    uniform = tiny(subsets="uniform", kl="exact").loss(ecg, LEADS, beta=1.0).terms["kl"]
    weighted = tiny(importance_weights=True, kl="exact").loss(ecg, LEADS, beta=1.0).terms["kl"]
    stratified = tiny(kl="exact").loss(ecg, LEADS, beta=1.0).terms["kl"]
    assert weighted.item() == pytest.approx(uniform.item(), rel=1e-5)
    features = [
        tiny(**arguments).encode(ecg, LEADS)
        for arguments in ({"subsets": "uniform"}, {"importance_weights": True}, {})
    ]
    torch.testing.assert_close(features[0], features[1])
    assert (features[0] - features[2]).abs().max() > 1e-3
    assert abs(stratified.item() - uniform.item()) > 0.01 * uniform.item()


def test_drawn_subsets_vary_between_recordings_and_hold_the_limb_leads_often_enough() -> None:
    """The published slicing of a batch gives all recordings the full set from 12 leads on."""
    network = tiny()
    weight = network.subset_weights(torch.ones(3000, 12, dtype=torch.bool), network.probability)
    drawn = network.members[torch.multinomial(weight, 1)[:, 0]]
    counts = Counter(map(tuple, drawn.tolist()))
    assert len(counts) > 500
    assert counts[tuple(LIMB.tolist())] > 0.07 * 3000
    assert counts[(True,) * 12] < 0.25 * 3000


def test_what_is_decoded_comes_from_subsets_that_vary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lsemvae.models.mopoe_vae.sample", lambda gaussian: gaussian.mean)
    network, codes = tiny(), []
    monkeypatch.setattr(network.decoder, "forward", lambda z: codes.append(z) or z.new_zeros(
        len(z), 12, N_SAMPLES))  # fmt: skip
    network.loss(tiny_ecg(1).expand(64, -1, -1), LEADS, beta=1.0)
    assert len(torch.unique(codes[0].round(decimals=5), dim=0)) > 20


def test_only_subsets_of_the_leads_that_are_there_are_drawn() -> None:
    network = tiny()
    present = torch.rand(50, 12, generator=torch.Generator().manual_seed(2)) > 0.6
    present[:, 4] = True
    weight = network.subset_weights(present, network.probability)
    torch.testing.assert_close(weight.sum(-1), torch.ones(50))
    drawn = network.members[torch.multinomial(weight, 20, replacement=True)]
    assert not (drawn & ~present.unsqueeze(1)).any()


def test_precisions_at_the_bound_do_not_overflow() -> None:
    mean, members = torch.full((1, 12, 2), 3.0), all_subsets()[-1:]
    for logvar in (-20.0, 20.0):
        product = subset_products(mean, torch.full((1, 12, 2), logvar), members, prior=0.0)
        torch.testing.assert_close(product.mean, torch.full((1, 1, 2), 3.0))
        expected = torch.full((1, 1, 2), logvar) - torch.tensor(12.0).log()
        torch.testing.assert_close(product.logvar, expected)


def test_the_uniform_distribution_is_uniform() -> None:
    assert uniform_distribution(all_subsets()).unique().numel() == 1


def test_no_subset_at_all_is_refused() -> None:
    with pytest.raises(InputError, match="n_kl_subsets must be >= 1, got 0"):
        MopoeVae(N_SAMPLES, n_kl_subsets=0)
