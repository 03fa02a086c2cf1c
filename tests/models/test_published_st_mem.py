"""The published ST-MEM weights in ours: every key and shape, and the same features."""

import math
import re
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS
from lsemvae.models.published_st_mem import published_st_mem, read_published_st_mem

WIDTH, DEPTH, HEADS, PATCH, N_PATCHES = 128, 2, 2, 15, 6
N_SAMPLES = PATCH * N_PATCHES


def published_shapes(
    width: int = WIDTH, depth: int = DEPTH, patch: int = PATCH, n_patches: int = N_PATCHES
) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of the published encoder for twelve leads."""
    row = (width,)
    shapes = {
        "to_patch_embedding.1.weight": (patch,), "to_patch_embedding.1.bias": (patch,),
        "to_patch_embedding.2.weight": (width, patch), "to_patch_embedding.2.bias": row,
        "to_patch_embedding.3.weight": row, "to_patch_embedding.3.bias": row,
        "pos_embedding": (1, n_patches + 2, width), "sep_embedding": row,
        "norm.weight": row, "norm.bias": row,
        **{f"lead_embeddings.{lead}": row for lead in range(12)},
    }  # fmt: skip
    for block in range(depth):
        shapes |= {
            f"block{block}.{name}": shape for name, shape in {
                "attn.norm.weight": row, "attn.norm.bias": row,
                "attn.fn.to_qkv.weight": (3 * width, width), "attn.fn.to_qkv.bias": (3 * width,),
                "attn.fn.to_out.0.weight": (width, width), "attn.fn.to_out.0.bias": row,
                "ff.norm.weight": row, "ff.norm.bias": row,
                "ff.fn.net.0.weight": (4 * width, width), "ff.fn.net.0.bias": (4 * width,),
                "ff.fn.net.3.weight": (width, 4 * width), "ff.fn.net.3.bias": row,
            }.items()
        }  # fmt: skip
    return shapes


def published_state() -> dict[str, Tensor]:
    """Return a state dict with the published names, of a small width."""
    generator = torch.Generator().manual_seed(0)
    return {name: 0.3 * torch.randn(shape, generator=generator)
            for name, shape in published_shapes().items()}  # fmt: skip


@pytest.mark.parametrize(("width", "n_weights"), [(384, 21_341_718), (768, 85_150_614)])
def test_every_weight_of_both_published_sizes_is_taken(width: int, n_weights: int) -> None:
    shapes = published_shapes(width, depth=12, patch=75, n_patches=30)
    state = {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
    network = published_st_mem(state, 2250, LEADS)
    assert sum(one.numel() for one in state.values()) == n_weights
    assert sum(one.numel() for one in network.parameters()) == n_weights
    assert network.feature_dim(LEADS) == width


def features_by_the_definition(state: dict[str, Tensor], ecg: Tensor) -> Tensor:
    """Return the published encoder's features, written out with nothing of ours."""

    def norm(x: Tensor, name: str) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], state[f"{name}.weight"], state[f"{name}.bias"])

    def linear(x: Tensor, name: str) -> Tensor:
        return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]

    position = state["pos_embedding"][0]
    rows = []
    for recording in ecg:
        tokens = []
        for lead, signal in enumerate(recording):
            ends = [state["sep_embedding"] + position[place] for place in (0, -1)]
            middle = [
                norm(linear(norm(signal[n * PATCH : (n + 1) * PATCH], "to_patch_embedding.1"),
                            "to_patch_embedding.2"), "to_patch_embedding.3") + position[n + 1]
                for n in range(N_PATCHES)
            ]  # fmt: skip
            tokens += [one + state[f"lead_embeddings.{lead}"] for one in
                       (ends[0], *middle, ends[1])]  # fmt: skip
        x = torch.stack(tokens)
        for block in range(DEPTH):
            inside = norm(x, f"block{block}.attn.norm")
            q, k, v = linear(inside, f"block{block}.attn.fn.to_qkv").split(WIDTH, -1)
            size = WIDTH // HEADS
            heads = []
            for h in range(HEADS):
                part = slice(h * size, (h + 1) * size)
                weights = torch.softmax(q[:, part] @ k[:, part].T / math.sqrt(size), -1)
                heads.append(weights @ v[:, part])
            x = x + linear(torch.cat(heads, -1), f"block{block}.attn.fn.to_out.0")
            inside = norm(x, f"block{block}.ff.norm")
            inner = F.gelu(linear(inside, f"block{block}.ff.fn.net.0"))
            x = x + linear(inner, f"block{block}.ff.fn.net.3")
        kept = x.view(len(recording), N_PATCHES + 2, WIDTH)[:, 1:-1]
        rows.append(norm(kept.mean((0, 1)), "norm"))
    return torch.stack(rows)


def test_features_are_those_of_the_published_definition() -> None:
    state = published_state()
    ecg = torch.randn(2, 12, N_SAMPLES, generator=torch.Generator().manual_seed(1))
    network = published_st_mem(state, N_SAMPLES, LEADS)
    with torch.no_grad():
        found = network.encode(ecg, LEADS)
    torch.testing.assert_close(found, features_by_the_definition(state, ecg), rtol=1e-4, atol=1e-4)


def test_embeddings_of_another_order_of_leads_are_read_by_name() -> None:
    state, order = published_state(), LEADS[::-1]
    network = published_st_mem(state, N_SAMPLES, order)
    ecg = torch.randn(1, 12, N_SAMPLES, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        found = network.encode(ecg, order)
    torch.testing.assert_close(found, features_by_the_definition(state, ecg), rtol=1e-4, atol=1e-4)


def test_a_checkpoint_with_decoder_or_head_is_read_too(tmp_path: Path) -> None:
    state = published_state()
    whole = {f"encoder.{name}": value for name, value in state.items()}
    whole |= {"mask_embedding": torch.zeros(4), "decoder_head.weight": torch.zeros(4, 4)}
    torch.save({"model": whole, "epoch": 800}, tmp_path / "whole.pth")
    torch.save({"model": {**state, "head.weight": torch.zeros(2, WIDTH)}}, tmp_path / "head.pth")
    first = read_published_st_mem(tmp_path / "whole.pth", N_SAMPLES, LEADS)
    second = read_published_st_mem(tmp_path / "head.pth", N_SAMPLES, LEADS)
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name
    assert not any(parameter.requires_grad for parameter in first.parameters())


def test_six_leads_are_read_by_name_from_twelve_embeddings() -> None:
    network = published_st_mem(published_state(), N_SAMPLES, LEADS)
    ecg = torch.randn(1, 6, N_SAMPLES, generator=torch.Generator().manual_seed(2))
    present = torch.tensor([[True] * 6 + [False] * 6])
    padded = torch.cat([ecg, torch.randn(1, 6, N_SAMPLES)], 1)
    with torch.no_grad():
        torch.testing.assert_close(
            network.encode(ecg, LEADS[:6]), network.encode(padded, LEADS, present)
        )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("block1.ff.norm.bias"), "missing: block1.ff.norm.bias"),
        (lambda state: state.update(extra=torch.zeros(2)), "unknown: extra"),
        (
            lambda state: state.update({"norm.weight": torch.zeros(3)}),
            "norm.weight (3,) for (128,)",
        ),
        (lambda state: state.pop("pos_embedding"), "it has no pos_embedding"),
        (lambda state: state.pop("lead_embeddings.11"), "missing: lead_embeddings.11"),
    ],
)
def test_a_state_of_another_form_is_refused_by_its_keys(change: object, message: str) -> None:
    state = published_state()
    change(state)  # type: ignore[operator]
    with pytest.raises(InputError, match=re.escape(message)):
        published_st_mem(state, N_SAMPLES, LEADS)
