from typing import get_args

import pytest
import torch
from plain_reference import PlainDecoder, copy_decoder

from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS
from lsemvae.nn.decoders import (
    DECODERS,
    ConditionedDecoder,
    DecoderKind,
    MultichannelDecoder,
    PerLeadDecoder,
    PublishedDecoder,
    StackedDecoder,
    build_decoder,
)

LATENT = 4


def plain_copy(decoder: StackedDecoder, n_channels: int, index: int = 0) -> PlainDecoder:
    """Build a plain decoder with the weights of one stacked decoder, in double precision."""
    plain = PlainDecoder(LATENT, decoder.n_samples, n_channels).double()
    copy_decoder(decoder, plain, index)
    return plain


def draw(kind: DecoderKind, n_samples: int) -> tuple[torch.nn.Module, torch.Tensor]:
    torch.manual_seed(0)
    decoder = build_decoder(kind, LATENT, n_samples).double()
    return decoder, torch.randn(3, LATENT, dtype=torch.double, requires_grad=True)


@pytest.mark.parametrize(
    ("kind", "count"), [("published", 10_290_353), ("multichannel", 10_291_068)]
)
def test_full_size_decoders_have_the_published_number_of_parameters(
    kind: DecoderKind, count: int
) -> None:
    with torch.device("meta"):
        decoder = build_decoder(kind, 256, 5000)
    assert sum(p.numel() for p in decoder.parameters()) == count


@pytest.mark.parametrize("n_samples", [8, 9, 13, 64, 101])
@pytest.mark.parametrize("kind", list(DECODERS))
def test_every_decoder_yields_twelve_leads_and_trains_every_parameter(
    kind: DecoderKind, n_samples: int
) -> None:
    decoder, z = draw(kind, n_samples)
    waves = decoder(z)
    assert waves.shape == (3, len(LEADS), n_samples)
    waves.square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in decoder.parameters())


@pytest.mark.parametrize("n_samples", [8, 13, 64, 101])
def test_multichannel_decoder_equals_plain_modules(n_samples: int) -> None:
    decoder, z = draw("multichannel", n_samples)
    assert isinstance(decoder, MultichannelDecoder)
    plain = plain_copy(decoder, len(LEADS))
    torch.testing.assert_close(decoder(z), plain(z))
    upstream = torch.randn(3, len(LEADS), n_samples, dtype=torch.double)
    (fast,) = torch.autograd.grad(decoder(z), z, upstream)
    (slow,) = torch.autograd.grad(plain(z), z, upstream)
    torch.testing.assert_close(fast, slow)


@pytest.mark.parametrize("n_samples", [13, 64])
def test_published_decoder_equals_plain_modules_and_gives_equal_leads(n_samples: int) -> None:
    decoder, z = draw("published", n_samples)
    assert isinstance(decoder, PublishedDecoder)
    waves = decoder(z)
    torch.testing.assert_close(waves[:, :1], plain_copy(decoder, 1)(z))
    assert torch.equal(waves, waves[:, :1].expand(-1, len(LEADS), -1))
    assert waves[0, 0].std() > 0


@pytest.mark.parametrize("n_samples", [13, 64])
def test_conditioned_decoder_equals_decoding_code_plus_embedding(n_samples: int) -> None:
    decoder, z = draw("conditioned", n_samples)
    assert isinstance(decoder, ConditionedDecoder)
    plain = plain_copy(decoder, 1)
    each = [plain(z + decoder.lead_embedding[index]) for index in range(len(LEADS))]
    torch.testing.assert_close(decoder(z), torch.cat(each, dim=1))


@pytest.mark.parametrize("n_samples", [13, 64])
def test_per_lead_decoder_equals_twelve_plain_decoders(n_samples: int) -> None:
    decoder, z = draw("per_lead", n_samples)
    assert isinstance(decoder, PerLeadDecoder)
    each = [plain_copy(decoder, 1, index)(z) for index in range(len(LEADS))]
    torch.testing.assert_close(decoder(z), torch.cat(each, dim=1))


@pytest.mark.parametrize("kind", ["multichannel", "conditioned", "per_lead"])
def test_leads_differ_in_every_decoder_but_the_published_one(kind: DecoderKind) -> None:
    decoder, z = draw(kind, 64)
    waves = decoder(z)
    for index in range(1, len(LEADS)):
        assert not torch.allclose(waves[:, 0], waves[:, index])


def test_initial_weights_are_spread_as_torch_does() -> None:
    torch.manual_seed(0)
    decoder = MultichannelDecoder(256, 80)
    theirs = torch.nn.ConvTranspose1d(64, 32, kernel_size=4, stride=2)
    linear = torch.nn.Linear(256, 640)
    for ours, reference in [
        (decoder.conv_weights[0], theirs.weight),
        (decoder.conv_biases[0], theirs.bias),
        (decoder.linear_weight, linear.weight),
        (decoder.linear_bias, linear.bias),
    ]:
        largest = float(reference.detach().abs().max())
        assert float(ours.detach().abs().max()) == pytest.approx(largest, rel=0.15)


@pytest.mark.parametrize("kind", list(DECODERS))
def test_bfloat16_autocast_gives_nearly_the_same(kind: DecoderKind) -> None:
    torch.manual_seed(0)
    decoder = build_decoder(kind, LATENT, 64)
    z = torch.randn(3, LATENT)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = decoder(z)
    torch.testing.assert_close(rounded.float(), decoder(z), atol=0.05, rtol=0.05)
    rounded.float().square().sum().backward()


def test_table_and_type_name_the_same_decoders() -> None:
    assert set(DECODERS) == set(get_args(DecoderKind))
    with pytest.raises(InputError, match="multichannel"):
        build_decoder("transformer", 4, 64)  # type: ignore[arg-type]
