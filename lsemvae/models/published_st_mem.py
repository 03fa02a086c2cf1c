"""Load the published weights of ST-MEM into ours: key names and shapes, each checked.

The publication's repository (github.com/bakqui/ST-MEM) names the parts of its encoder differently;
the numbers are the same. Its decoder is not read: the encoder alone is frozen.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.models.checkpoint_content import check_archive
from lsemvae.models.st_mem import StMem
from lsemvae.nn.transformer import TransformerSize

HEAD_DIM = 64
"""Features of an attention head of the published sizes (384 / 6 and 768 / 12)."""
MOST_NAMED = 4
ENCODER = "encoder."
PLAIN = {
    "patch_embedding.0": "to_patch_embedding.1",
    "patch_embedding.1": "to_patch_embedding.2",
    "patch_embedding.2": "to_patch_embedding.3",
    "norm": "norm",
}
IN_BLOCK = {
    "attention_norm": "attn.norm",
    "attention.queries_keys_values": "attn.fn.to_qkv",
    "attention.output": "attn.fn.to_out.0",
    "mlp_norm": "ff.norm",
    "mlp.0": "ff.fn.net.0",
    "mlp.2": "ff.fn.net.3",
}


def read_published_st_mem(path: Path, n_samples: int, leads: Sequence[str]) -> StMem:
    """Read a published checkpoint as an encoder without decoder, in eval mode.

    Args:
        path: a file of `torch.save`, weights only: the state dict, alone or under `model`.
        n_samples: T of the recordings that it will get, at most those of the publication (2250).
        leads: in the order of its lead embeddings.

    Raises:
        InputError: it is no such file, or a key or shape is not the publication's.
    """
    check_archive(path)
    content = torch.load(path, map_location="cpu", weights_only=True)
    state = content.get("model", content) if isinstance(content, Mapping) else None
    if not isinstance(state, Mapping):
        raise InputError(f"{path} holds no state dict; expected the published ST-MEM weights")
    return published_st_mem(state, n_samples, leads, name=str(path))


def published_st_mem(
    state: Mapping[str, Any], n_samples: int, leads: Sequence[str], *, name: str = "the state dict"
) -> StMem:
    """Return our encoder with the weights of a published state dict; arguments as above."""
    whole = any(key.startswith(ENCODER) for key in state)  # with the decoder of pre-training
    kept = {key: value for key, value in state.items() if key.startswith(ENCODER) or not whole}
    encoder = {key.removeprefix(ENCODER): value for key, value in kept.items()
               if not key.startswith("head.")}  # fmt: skip
    missing = [key for key in ("pos_embedding", "sep_embedding", "to_patch_embedding.2.weight")
               if key not in encoder]  # fmt: skip
    if missing:
        raise InputError(f"{name} is no ST-MEM encoder: it has no {', '.join(missing)}")
    width, patch_size = encoder["to_patch_embedding.2.weight"].shape
    n_blocks = sum(key.endswith("attn.fn.to_qkv.weight") for key in encoder)
    if width % HEAD_DIM or not n_blocks:
        raise InputError(f"{name} is of no published size: width {width}, {n_blocks} blocks")
    with torch.device("meta"):
        network = StMem(
            n_samples, int(patch_size), leads=list(leads), decoder=None,
            encoder=TransformerSize(dim=int(width), n_blocks=n_blocks, n_heads=width // HEAD_DIM),
        )  # fmt: skip
    weights = _converted(encoder, network, _sources(n_blocks, leads, network.leads), name)
    network.load_state_dict(weights, assign=True)
    return network.requires_grad_(False).eval()


def _converted(
    state: Mapping[str, Tensor], network: StMem, sources: Mapping[str, list[str]], name: str
) -> dict[str, Tensor]:
    """Return the weights under our names.

    Raises:
        InputError: names the keys that are missing, unknown or of another shape.
    """
    own = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    taken = {key for keys in sources.values() for key in keys}
    missing = sorted(taken - set(state))
    unknown = sorted(set(state) - taken)
    if missing or unknown:
        raise InputError(
            f"{name} is no published ST-MEM for {counted(len(network.leads), 'lead')} (missing: "
            f"{_some(missing)}; unknown: {_some(unknown)})"
        )
    weights = {ours: _joined(ours, [state[key] for key in keys], own[ours])
               for ours, keys in sources.items()}  # fmt: skip
    wrong = [f"{key} {tuple(value.shape)} for {own[key]}" for key, value in weights.items()
             if tuple(value.shape) != own[key]]  # fmt: skip
    if wrong:
        raise InputError(f"{name}: shapes are not those of ST-MEM ({_some(wrong)})")
    return weights


def _sources(n_blocks: int, published: Sequence[str], own: Sequence[str]) -> dict[str, list[str]]:
    """Return for each of our parameters the published ones that it is made of.

    Args:
        n_blocks: of the transformer.
        published: leads in the order of the published embeddings.
        own: leads in the order of ours.
    """
    pairs = {**PLAIN}
    for block in range(n_blocks):
        pairs |= {f"transformer.blocks.{block}.{ours}": f"block{block}.{theirs}"
                  for ours, theirs in IN_BLOCK.items()}  # fmt: skip
    found = {f"{ours}.{part}": [f"{theirs}.{part}"] for ours, theirs in pairs.items()
             for part in ("weight", "bias")}  # fmt: skip
    return found | {
        "positions": ["pos_embedding"],
        "separator": ["sep_embedding"],
        "lead_embedding": [f"lead_embeddings.{list(published).index(lead)}" for lead in own],
    }


def _joined(ours: str, values: list[Tensor], shape: tuple[int, ...]) -> Tensor:
    """Return a parameter in our form: leads as rows; positions without a batch, cut to a length."""
    if ours == "lead_embedding":
        return torch.stack(values).float()
    value = values[0].float()
    if ours != "positions":
        return value
    rows = value.reshape(-1, value.shape[-1])
    return torch.cat([rows[: shape[0] - 1], rows[-1:]]) if len(rows) > shape[0] else rows


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more if names else "none"
