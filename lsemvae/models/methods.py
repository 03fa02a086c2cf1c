"""Name the methods that `lsemvae cv --method` and `lsemvae benchmark` take.

The rows of the paper's Table 2, the ablations of Fig. 2 with further ones, and the networks that
others ran under a published name. A row is a title and an experiment file: the file alone says
which network it is and with which arguments.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import import_module
from typing import Any, Literal

import torch

from lsemvae.core.errors import InputError
from lsemvae.core.experiments import read_experiment
from lsemvae.core.leads import LEADS
from lsemvae.core.made_with import differences
from lsemvae.core.types import EcgInput
from lsemvae.models.base import EcgNetwork

Size = Literal["paper", "small"]


@dataclass(frozen=True)
class Method:
    """One row of a table of results.

    Attributes:
        title: as tables show it.
        experiment: the file below `experiments/` that pre-trains its encoder, or that trains it end
            to end on 12 leads.
        small: what differs at the size `small`, for a laptop.
        multimodal: whether each lead is a modality of its own (the paper's "study type").
    """

    title: str
    experiment: str
    small: Mapping[str, Any] = field(default_factory=dict)
    multimodal: bool = True

    @cached_property
    def _model(self) -> Mapping[str, Any]:
        model: Mapping[str, Any] = read_experiment(self.experiment)["model"]
        return model

    @property
    def class_path(self) -> str:
        """Class of the network, as the experiment file names it."""
        return str(self._model["init_args"]["network"]["class_path"])

    @cached_property
    def network(self) -> type[EcgNetwork]:
        """Class of the network."""
        module, name = self.class_path.rsplit(".", 1)
        network: type[EcgNetwork] = getattr(import_module(module), name)
        return network

    @property
    def init_args(self) -> Mapping[str, Any]:
        """Arguments of the network, where they differ from its defaults, which are the paper's."""
        given: Mapping[str, Any] = self._model["init_args"]["network"].get("init_args") or {}
        return given

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
                f"with experiments/{self.experiment}"
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
        return str(self._model["class_path"]).endswith(".Pretrainer")

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


def _vae(title: str, experiment: str, **others: Any) -> Method:
    """Return a variational autoencoder; its small size has a quarter of the latent units."""
    return Method(title, experiment, small={"latent_dim": 64}, **others)


def _ablations(**titles: str) -> dict[str, Method]:
    """Return LS-EMVAE with something changed, by the names of files in experiments/ablations."""
    return {
        f"ls_emvae_{name}": _vae(f"LS-EMVAE, {title}", f"ablations/{name}.yaml")
        for name, title in titles.items()
    }


NARROW = {"width": 16}
TABLE_2: dict[str, Method] = {
    "resnet1d": Method("ResNet1d", "detection/resnet1d_12l.yaml", NARROW, multimodal=False),
    "xresnet1d101": Method(
        "xResNet1d101", "detection/xresnet1d101_12l.yaml", NARROW, multimodal=False
    ),
    "xresnet1d34": Method(
        "xResNet1d34", "detection/xresnet1d34_12l.yaml", NARROW, multimodal=False
    ),
    "beta_vae": _vae("beta-VAE", "pretrain/beta_vae.yaml", multimodal=False),
    "st_mem": Method(
        "ST-MEM",
        "pretrain/st_mem.yaml",
        small={"encoder": {"dim": 96, "n_blocks": 4, "n_heads": 4},
               "decoder": {"dim": 64, "n_blocks": 2, "n_heads": 4}},
        multimodal=False,
    ),
    "multimodal_cnn": Method(
        "Multimodal-CNN", "detection/multimodal_cnn_12l.yaml", small={"lead_features": 64}
    ),
    "mvae": _vae("MVAE", "pretrain/mvae.yaml"),
    "mopoe_vae": _vae("MoPoE-VAE", "pretrain/mopoe_vae.yaml"),
    "ls_emvae": _vae("LS-EMVAE", "pretrain/ls_emvae.yaml"),
}  # fmt: skip

ABLATIONS: dict[str, Method] = _ablations(
    no_alignment="no alignment",
    no_poe="no PoE",
    no_moe="no MoE",
    uniform_gate="uniform gate",
    no_gate_floor="no gate floor",
    published_decoder="published decoder",
    conditioned_decoder="conditioned decoder",
    per_lead_decoder="decoder per lead",
    lead_means="lead means as features",
    lead_dropout="lead dropout",
) | {"ls_emvae_scratch": _vae("LS-EMVAE, no pre-training", "detection/ls_emvae_scratch_12l.yaml")}

RECOMMENDED: dict[str, Method] = {
    "ls_emvae_recommended": Method(
        "LS-EMVAE, recommended recipe", "pretrain/ls_emvae_recommended.yaml"
    ),
}

AUTHORS_CODE: dict[str, Method] = {
    f"{name}_authors_code": _vae(
        f"{TABLE_2[name].title}, authors' code", f"authors_code/{name}.yaml"
    )
    for name in ("mvae", "mopoe_vae", "ls_emvae")
}

METHODS = {**TABLE_2, **ABLATIONS, **RECOMMENDED, **AUTHORS_CODE}


def find_method(name: str) -> Method:
    """Return the method of that name.

    Raises:
        InputError: no such method.
    """
    if name not in METHODS:
        raise InputError(f"unknown method {name!r}; expected one of {', '.join(METHODS)}")
    return METHODS[name]


@cache
def network_classes() -> dict[str, type[EcgNetwork]]:
    """Return the network of every method by the name of its class, as checkpoints name it."""
    found = {method.network.__name__: method.network for method in METHODS.values()}
    return dict(sorted(found.items()))
