"""Methods by the name that `lsemvae cv --method` and `lsemvae benchmark` take.

The rows of the paper's Table 2, the ablations of Fig. 2 with further ones, and the networks that
others ran under a published name.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch

from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS
from lsemvae.core.made_with import differences
from lsemvae.core.types import EcgInput
from lsemvae.models.authors_code import AuthorsCode
from lsemvae.models.base import EcgNetwork
from lsemvae.models.beta_vae import BetaVae
from lsemvae.models.ls_emvae import LsEmvae
from lsemvae.models.mopoe_vae import MopoeVae
from lsemvae.models.multimodal_cnn import MultimodalCnn
from lsemvae.models.mvae import Mvae
from lsemvae.models.resnet1d import ResNet1d
from lsemvae.models.st_mem import StMem
from lsemvae.models.xresnet1d import XResNet1d

Size = Literal["paper", "small"]


@dataclass(frozen=True)
class Method:
    """One row of a table of results.

    Attributes:
        title: as tables show it.
        network: class of the network.
        init_args: of the network, where they differ from its defaults, which are the paper's.
        small: what further differs at the size `small`, for a laptop.
        config: the experiment that pre-trains it, below `experiments/`; None where the network is
            trained end to end.
        pretrain_args: of `Pretrainer`, where they differ from its defaults.
        multimodal: whether each lead is a modality of its own (the paper's "study type").
    """

    title: str
    network: type[EcgNetwork]
    init_args: Mapping[str, Any] = field(default_factory=dict)
    small: Mapping[str, Any] = field(default_factory=dict)
    config: str | None = None
    pretrain_args: Mapping[str, Any] = field(default_factory=dict)
    multimodal: bool = True

    def check_encoder(self, network: EcgNetwork, ecg_input: EcgInput, path: str) -> None:
        """Refuse an encoder of another method: other in anything but its size and its input.

        Args:
            network: read from the checkpoint.
            ecg_input: what it was trained on.
            path: of the checkpoint, for the message.

        Raises:
            InputError: names what the encoder is and what it should be.
        """
        found, wanted = type(network).__name__, self.network.__name__
        if found != wanted:
            raise InputError(f"{path} holds a {found}, {self.title} needs a {wanted}")
        with torch.device("meta"), warnings.catch_warnings(action="ignore"):
            expected = self.build(ecg_input, LEADS).init_args
        free = {*self.network.input_args(ecg_input, LEADS), *self.small}
        fixed = {name: value for name, value in expected.items() if name not in free}
        other = differences(network.init_args, fixed)
        if other:
            raise InputError(
                f"{path} is not the encoder of {self.title} ({'; '.join(other)}); pre-train one "
                f"with experiments/{self.config}"
            )

    def about(self) -> dict[str, Any]:
        """Return what tables say of the method, as a run keeps it in metrics.json."""
        return {
            "title": self.title,
            "study_type": "Multimodal" if self.multimodal else "Unimodal",
            "pretrained": self.pretrained,
        }

    @property
    def pretrained(self) -> bool:
        """Whether the method freezes a pre-trained encoder."""
        return self.config is not None

    def takes(self, leads: Sequence[str]) -> bool:
        """Tell whether the method has a form for these leads."""
        return self.network.takes(leads)

    def network_args(self, ecg_input: EcgInput, leads: Sequence[str], size: Size) -> dict[str, Any]:
        """Return the constructor's arguments, as plain values, for recordings, leads and a size."""
        smaller = self.small if size == "small" else {}
        return {**self.network.input_args(ecg_input, leads), **self.init_args, **smaller}

    def build(self, ecg_input: EcgInput, leads: Sequence[str], size: Size = "paper") -> EcgNetwork:
        """Build the network."""
        return self.network.from_plain(self.network_args(ecg_input, leads, size))


def _vae(title: str, network: type[EcgNetwork], config: str, **others: Any) -> Method:
    """Return a variational autoencoder; its small size has a quarter of the latent units."""
    return Method(title, network, small={"latent_dim": 64}, config=config, **others)


def _ablation(title: str, name: str, **others: Any) -> Method:
    """Return LS-EMVAE with something changed, pre-trained by a file of experiments/ablations."""
    return _vae(f"LS-EMVAE, {title}", LsEmvae, f"ablations/{name}.yaml", **others)


TABLE_2: dict[str, Method] = {
    "resnet1d": Method("ResNet1d", ResNet1d, small={"width": 16}, multimodal=False),
    "xresnet1d101": Method("xResNet1d101", XResNet1d, small={"width": 16}, multimodal=False),
    "xresnet1d34": Method(
        "xResNet1d34",
        XResNet1d,
        init_args={"variant": "xresnet1d34"},
        small={"width": 16},
        multimodal=False,
    ),
    "beta_vae": _vae("beta-VAE", BetaVae, "pretrain/beta_vae.yaml", multimodal=False),
    "st_mem": Method(
        "ST-MEM",
        StMem,
        small={"encoder": {"dim": 96, "n_blocks": 4, "n_heads": 4},
               "decoder": {"dim": 64, "n_blocks": 2, "n_heads": 4}},
        config="pretrain/st_mem.yaml",
        multimodal=False,
    ),
    "multimodal_cnn": Method("Multimodal-CNN", MultimodalCnn, small={"lead_features": 64}),
    "mvae": _vae("MVAE", Mvae, "pretrain/mvae.yaml"),
    "mopoe_vae": _vae("MoPoE-VAE", MopoeVae, "pretrain/mopoe_vae.yaml"),
    "ls_emvae": _vae("LS-EMVAE", LsEmvae, "pretrain/ls_emvae.yaml"),
}  # fmt: skip

ABLATIONS: dict[str, Method] = {
    "ls_emvae_no_alignment": _ablation(
        "no alignment", "no_alignment", init_args={"objective": {"gamma": 0.0}}
    ),
    "ls_emvae_no_poe": _ablation("no PoE", "no_poe", init_args={"fusion": {"kind": "moe"}}),
    "ls_emvae_no_moe": _ablation("no MoE", "no_moe", init_args={"fusion": {"kind": "poe"}}),
    "ls_emvae_uniform_gate": _ablation(
        "uniform gate", "uniform_gate", init_args={"fusion": {"gate": "uniform"}}
    ),
    "ls_emvae_no_gate_floor": _ablation(
        "no gate floor", "no_gate_floor", init_args={"fusion": {"gate_floor": 0.0}}
    ),
    "ls_emvae_published_decoder": _ablation(
        "published decoder", "published_decoder", init_args={"decoder": "published"}
    ),
    "ls_emvae_conditioned_decoder": _ablation(
        "conditioned decoder", "conditioned_decoder", init_args={"decoder": "conditioned"}
    ),
    "ls_emvae_per_lead_decoder": _ablation(
        "decoder per lead", "per_lead_decoder", init_args={"decoder": "per_lead"}
    ),
    "ls_emvae_lead_means": _ablation(
        "lead means as features", "lead_means", init_args={"feature": "lead_means"}
    ),
    "ls_emvae_lead_dropout": _ablation(
        "lead dropout", "lead_dropout", pretrain_args={"lead_dropout": 0.5}
    ),
    "ls_emvae_scratch": Method("LS-EMVAE, no pre-training", LsEmvae, small={"latent_dim": 64}),
}

AUTHORS_CODE: dict[str, Method] = {
    f"{name}_authors_code": _vae(
        f"{TABLE_2[name].title}, authors' code",
        AuthorsCode,
        f"authors_code/{name}.yaml",
        init_args={"method": name},
    )
    for name in ("mvae", "mopoe_vae", "ls_emvae")
}

METHODS = {**TABLE_2, **ABLATIONS, **AUTHORS_CODE}


def find_method(name: str) -> Method:
    """Return the method of that name.

    Raises:
        InputError: no such method.
    """
    if name not in METHODS:
        raise InputError(f"unknown method {name!r}; expected one of {', '.join(METHODS)}")
    return METHODS[name]
