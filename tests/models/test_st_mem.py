import json
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS, LIMB_LEADS
from lsemvae.core.types import EcgInput
from lsemvae.models import st_mem
from lsemvae.models.st_mem import StMem
from lsemvae.nn.transformer import TransformerSize
from tests.nn.plain_transformer import plain_linear, plain_norm, plain_transformer

SMALL = {"dim": 8, "n_blocks": 2, "n_heads": 2}
UNDER_CONTRACT = {"StMem": {"patch_size": 8, "encoder": SMALL, "decoder": SMALL}}

N_SAMPLES, PATCH = 26, 5  # five patches and a sample that is left out
ENCODER = TransformerSize(dim=12, n_blocks=2, n_heads=3)
DECODER = TransformerSize(dim=8, n_blocks=1, n_heads=2)
KEPT = {"mask_ratio": 0.6}  # two of five patches stay


def tiny_st_mem(**arguments: Any) -> StMem:
    """Return a small network none of whose parameters are those of the start."""
    torch.manual_seed(0)
    sizes: dict[str, Any] = {"encoder": ENCODER, "decoder": DECODER, **KEPT}
    network = StMem(N_SAMPLES, PATCH, **{**sizes, **arguments})
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.requires_grad:
                parameter.add_(0.2 * torch.randn_like(parameter))
    return network.eval()


def random_ecg(n_records: int = 3, *, seed: int = 1) -> Tensor:
    return torch.randn(n_records, 12, N_SAMPLES, generator=torch.Generator().manual_seed(seed))


def random_mask(n_records: int = 3, *, seed: int = 2) -> Tensor:
    """Return (B, 12) bool, different leads in each record, V3 in all of them."""
    mask = torch.rand(n_records, 12, generator=torch.Generator().manual_seed(seed)) > 0.4
    mask[:, 8] = True
    return mask


def count(*modules: nn.Module, trainable: bool = False) -> int:
    parameters = [parameter for module in modules for parameter in module.parameters()]
    return sum(p.numel() for p in parameters if p.requires_grad or not trainable)


def tokens_of(network: StMem, signal: Tensor, lead: str, kept: list[int]) -> Tensor:
    """Return the tokens of one lead (T,): a separator, the kept patches and a separator."""
    first_norm, linear, second_norm = network.patch_embedding
    bodies = []
    for patch in kept:
        samples = signal[patch * PATCH : (patch + 1) * PATCH][None]
        embedded = plain_norm(plain_linear(plain_norm(samples, first_norm), linear), second_norm)
        bodies.append(embedded[0] + network.positions[patch + 1])
    first, last = network.separator + network.positions[0], network.separator + network.positions[6]
    lead_embedding = network.lead_embedding[LEADS.index(lead)]
    return torch.stack([first, *bodies, last]) + lead_embedding


def slow_encoding(network: StMem, record: dict[str, Tensor]) -> Tensor:
    """Return the features (D,) of one record, given as lead name -> signal."""
    sequence = [tokens_of(network, signal, lead, list(range(5))) for lead, signal in record.items()]
    mixed = plain_transformer(torch.cat(sequence), network.transformer, ENCODER.n_heads)
    patches = [row for number, row in enumerate(mixed) if number % 7 not in {0, 6}]
    return plain_norm(torch.stack(patches).mean(0)[None], network.norm)[0]


def slow_errors(
    network: StMem, record: dict[str, Tensor], kept: dict[str, list[int]]
) -> list[Tensor]:
    """Return the mean squared error of every hidden patch of one record."""
    groups = [tokens_of(network, signal, lead, kept[lead]) for lead, signal in record.items()]
    mixed = plain_transformer(torch.cat(groups), network.transformer, ENCODER.n_heads)
    encoded = list(plain_norm(mixed, network.norm))
    decoder, errors = network.decoder, []
    assert decoder is not None
    for lead, signal in record.items():
        own, encoded = encoded[: len(kept[lead]) + 2], encoded[len(kept[lead]) + 2 :]
        tokens = plain_linear(torch.stack(own), decoder.embedding)
        sequence = [tokens[0], *[decoder.mask_token] * 5, tokens[-1]]
        for number, patch in enumerate(kept[lead]):
            sequence[patch + 1] = tokens[number + 1]
        filled = plain_transformer(
            torch.stack(sequence) + decoder.positions, decoder.transformer, DECODER.n_heads
        )
        predicted = plain_linear(plain_norm(filled, decoder.norm), decoder.to_samples)
        for patch in set(range(5)) - set(kept[lead]):
            samples = signal[patch * PATCH : (patch + 1) * PATCH]
            variance = ((samples - samples.mean()) ** 2).sum() / (PATCH - 1)
            target = (samples - samples.mean()) / (variance + 1e-6).sqrt()
            errors.append(((predicted[patch + 1] - target) ** 2).mean())
    return errors


def test_published_size_of_the_pre_training_network() -> None:
    with torch.device("meta"):
        network = StMem()
    assert count(network) == 88_534_753
    assert count(network, trainable=True) == 88_501_985
    assert (network.n_patches, network.n_kept) == (30, 7)


@pytest.mark.parametrize(("leads", "size"), [(12, 85_152_152), (6, 85_147_544)])
def test_published_size_of_the_classifier(leads: int, size: int) -> None:
    with torch.device("meta"):
        network = StMem(leads=leads, decoder=None)
        assert count(network, network.own_head(n_outputs=2)) == size


@torch.no_grad()
def test_encoding_equals_the_slow_reference() -> None:
    network, ecg, present = tiny_st_mem(), random_ecg(), random_mask()
    expected = [
        slow_encoding(network, {lead: record[i] for i, lead in enumerate(LEADS) if mask[i]})
        for record, mask in zip(ecg, present, strict=True)
    ]
    features = network.encode(ecg, LEADS, present)
    torch.testing.assert_close(features, torch.stack(expected), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("case", ["all leads", "absent leads", "hidden leads"])
@torch.no_grad()
def test_loss_equals_the_slow_reference(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network, ecg = tiny_st_mem(), random_ecg()
    present = None if case == "all leads" else random_mask()
    visible = random_mask() & random_mask(seed=5) if case == "hidden leads" else None
    kept = torch.rand(3, 12, 5, generator=torch.Generator().manual_seed(3)).argsort(-1)[..., :2]
    monkeypatch.setattr(st_mem, "random_patches", lambda shape, n_kept, device: kept)
    errors = []
    for number, record in enumerate(ecg):
        there = [i for i in range(12) if present is None or present[number, i]]
        seen = {
            LEADS[i]: kept[number, i].tolist() if visible is None or visible[number, i] else []
            for i in there
        }
        errors += slow_errors(network, {LEADS[i]: record[i] for i in there}, seen)
    loss = network.loss(ecg, LEADS, beta=0.5, present=present, visible=visible)
    torch.testing.assert_close(loss.total, torch.stack(errors).mean(), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(loss.terms["masked_mse"], loss.total)
    n_patches = 5 * (36 if present is None else int(present.sum()))
    torch.testing.assert_close(loss.terms["mask_ratio"].item(), len(errors) / n_patches)


def loss_of(network: StMem, ecg: Tensor, leads: Any = LEADS, **arguments: Any) -> Tensor:
    """Return the loss with a fixed mask."""
    torch.manual_seed(7)
    return network.loss(ecg, leads, **{"beta": 1.0, **arguments}).total


@pytest.mark.parametrize("filling", [torch.nan, 1e30])
def test_what_stands_in_an_absent_lead_changes_no_bit(filling: float) -> None:
    network, present = tiny_st_mem(), random_mask()
    ecg = torch.where(present.unsqueeze(-1), random_ecg(), 0.0)
    other = torch.where(present.unsqueeze(-1), ecg, filling)
    features = network.encode(ecg, LEADS, present)
    assert torch.isfinite(features).all()
    assert torch.equal(network.encode(other, LEADS, present), features)
    loss = loss_of(network, ecg, present=present)
    assert torch.isfinite(loss)
    assert torch.equal(loss_of(network, other, present=present), loss)


def test_six_leads_are_twelve_without_the_chest() -> None:
    network, ecg = tiny_st_mem(), random_ecg()
    limb_only = torch.tensor([lead in LIMB_LEADS for lead in LEADS]).expand(3, 12)
    masked = network.encode(ecg, LEADS, limb_only)
    torch.testing.assert_close(network.encode(ecg[:, :6], LIMB_LEADS), masked)
    assert not torch.allclose(network.encode(ecg, LEADS), masked, atol=1e-2)


def test_leads_are_found_by_name() -> None:
    network, ecg = tiny_st_mem(), random_ecg()
    order = torch.randperm(12, generator=torch.Generator().manual_seed(4)).tolist()
    permuted = network.encode(ecg[:, order], [LEADS[i] for i in order])
    torch.testing.assert_close(permuted, network.encode(ecg, LEADS))
    swapped = network.encode(ecg, [LEADS[i] for i in order])
    assert not torch.allclose(swapped, permuted, atol=1e-2)


def test_one_lead_is_read_as_itself_and_not_as_twelve() -> None:
    network, ecg = tiny_st_mem(), random_ecg()
    alone = network.encode(ecg[:, 7:8], ["V2"])
    assert not torch.allclose(network.encode(ecg[:, 7:8].expand(3, 12, -1), LEADS), alone)
    assert not torch.allclose(network.encode(ecg[:, 7:8], ["V3"]), alone)
    with pytest.raises(InputError, match=r"takes \(12 leads, 26 samples\), got \(1, 26\)"):
        network.encode(ecg[:, 7:8], LEADS)


def test_a_six_lead_network_refuses_a_lead_that_it_has_no_embedding_of() -> None:
    network = tiny_st_mem(leads=6)
    assert network.encode(random_ecg()[:, :6], LIMB_LEADS).shape == (3, 12)
    message = "no embedding of V1, V6; this StMem has I, II"
    with pytest.raises(InputError, match=message):
        network.encode(random_ecg()[:, :3], ["V6", "I", "V1"])
    with pytest.raises(InputError, match=message):
        network.feature_dim(["V6", "I", "V1"])


def test_encoding_reads_every_whole_patch_and_draws_nothing() -> None:
    network, ecg = tiny_st_mem(), random_ecg(1).requires_grad_()
    features = network.encode(ecg, LEADS)
    assert torch.equal(network.encode(ecg, LEADS), features)
    features.square().sum().backward()
    assert ecg.grad is not None
    assert (ecg.grad[..., :25] != 0).all()
    assert (ecg.grad[..., 25] == 0).all()  # beyond the last whole patch


def test_every_loss_draws_another_mask() -> None:
    network, ecg = tiny_st_mem(), random_ecg()
    assert torch.equal(loss_of(network, ecg), loss_of(network, ecg))
    assert loss_of(network, ecg) != network.loss(ecg, LEADS, beta=1.0).total


def test_the_loss_anneals_nothing() -> None:
    network, ecg = tiny_st_mem(), random_ecg()
    assert torch.equal(loss_of(network, ecg, beta=0.0), loss_of(network, ecg, beta=1.0))


def test_every_trained_parameter_gets_a_gradient() -> None:
    # Training in several processes fails on parameters without one.
    network = tiny_st_mem()
    network.loss(random_ecg(), LEADS, beta=1.0).total.backward()
    without = [
        name
        for name, parameter in network.named_parameters()
        if parameter.requires_grad and (parameter.grad is None or not parameter.grad.any())
    ]
    assert without == []


def test_an_encoder_alone_is_trained_whole_and_has_no_loss() -> None:
    network = tiny_st_mem(leads=6, decoder=None)
    head = network.own_head(2)
    head(network.encode(random_ecg()[:, :6], LIMB_LEADS)).square().sum().backward()
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in trained)
    with pytest.raises(InputError, match="build it with a decoder"):
        network.loss(random_ecg()[:, :6], LIMB_LEADS, beta=1.0)


def test_pre_training_learns_to_fill_in_what_is_hidden() -> None:
    torch.manual_seed(0)
    network = StMem(20, PATCH, encoder=TransformerSize(32, 2, 4), decoder=TransformerSize(16, 1, 2))
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3)
    wave = torch.linspace(0.0, 12.0, 20)
    ecg = torch.stack([torch.sin(wave + lead) for lead in range(12)]).expand(4, 12, 20)
    losses = []
    for _ in range(200):
        optimiser.zero_grad()
        loss = network.loss(ecg, LEADS, beta=1.0).total
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[0] > 0.8  # that of predicting zero: 4/5, a target's biased variance
    assert losses[-1] < 0.4


def test_half_precision_gives_a_close_loss() -> None:
    network, ecg, present = tiny_st_mem(), random_ecg(), random_mask()
    exact = loss_of(network, ecg, present=present)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = loss_of(network, ecg, present=present)
        features = network.encode(ecg, LEADS, present)
    torch.testing.assert_close(rough, exact, rtol=0.05, atol=0.0)
    torch.testing.assert_close(
        features.float(), network.encode(ecg, LEADS, present), rtol=0.1, atol=0.1
    )


def test_a_network_is_built_again_from_plain_values_and_its_state() -> None:
    network, ecg = tiny_st_mem(leads=6), random_ecg()[:, :6]
    with torch.device("meta"):  # as checkpoints are read
        again = StMem.from_plain(json.loads(json.dumps(network.init_args)))
    again.load_state_dict(network.state_dict(), assign=True)
    assert again.init_args == network.init_args
    assert torch.equal(again.encode(ecg, LIMB_LEADS), network.encode(ecg, LIMB_LEADS))
    assert torch.equal(loss_of(again, ecg, LIMB_LEADS), loss_of(network, ecg, LIMB_LEADS))
    assert count(again, trainable=True) == count(network, trainable=True) < count(network)


@pytest.mark.parametrize(
    ("rate_hz", "n_samples", "patch_size", "n_patches"),
    [(250.0, 2250, 75, 30), (500.0, 5000, 150, 33), (100.0, 120, 30, 4), (100.0, 100, 30, 3)],
)
def test_patches_last_three_tenths_of_a_second_at_any_rate(
    rate_hz: float, n_samples: int, patch_size: int, n_patches: int
) -> None:
    ecg_input = EcgInput(rate_hz, n_samples, (0.67, 40.0), "record")
    arguments = StMem.input_args(ecg_input, ["I", "V2"])
    network = StMem(**arguments, encoder=ENCODER, decoder=DECODER)
    assert arguments["patch_size"] == patch_size
    assert network.n_patches == n_patches
    ecg = torch.randn(2, 2, n_samples)
    assert network.encode(ecg, ["I", "V2"]).shape == (2, 12)
    assert torch.isfinite(network.loss(ecg, ["V2", "I"], beta=1.0).total)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_samples": 149}, "two patches of 75 samples or more, got 149"),
        ({"patch_size": 1}, "patch_size must be 2 or more, got 1"),
        ({"n_samples": 100, "mask_ratio": 1.0}, "got 100; .*; mask_ratio must be between 0 and 1"),
    ],
)
def test_what_cannot_be_built_is_refused_with_all_reasons(
    arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        StMem(**arguments)


def test_a_record_without_a_visible_lead_is_refused() -> None:
    network, ecg = tiny_st_mem(), random_ecg()
    visible = torch.ones(3, 12, dtype=torch.bool)
    visible[1] = False
    with pytest.raises(InputError, match="has none of the leads"):
        network.loss(ecg, LEADS, beta=1.0, visible=visible)
