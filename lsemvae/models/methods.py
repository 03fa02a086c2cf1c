"""Name the methods that `lsemvae cv --method` and `lsemvae benchmark` take.

The rows of the paper's Table 2, the ablations of Fig. 2 with further ones, and the networks that
others ran under a published name. A row is a title and an experiment file: the file alone says
which network it is and with which arguments. Networks of the user's own stand beside them.
"""

from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from lsemvae.core.errors import InputError
from lsemvae.models.adapter import is_adapter
from lsemvae.models.adapter_method import adapter_method
from lsemvae.models.base import EcgNetwork
from lsemvae.models.method import Method
from lsemvae.models.own_methods import file_method, is_file, own_method
from lsemvae.runtime.own_classes import registered_classes


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

REFERENCE = "ls_emvae"  # what the tables of a benchmark compare the others with
METHOD_GROUPS: dict[str, tuple[str, ...]] = {
    "table2": tuple(TABLE_2),
    "ablations": (REFERENCE, *ABLATIONS),
    "authors_code": tuple(AUTHORS_CODE),
    "recommended": (REFERENCE, *RECOMMENDED),
}


def find_method(name: str) -> Method:
    """Return the method of a name, of a class path, or of an experiment file of the user's own.

    Raises:
        InputError: no such method, a class that may not be imported, or a file without a network.
    """
    if name in METHODS:
        return METHODS[name]
    if is_file(name):
        if method_name(name) in METHODS:
            raise InputError(
                f"{name} has the name of the method {method_name(name)!r}, whose results would "
                "stand in the same folder; rename the file"
            )
        return adapter_method(Path(name)) if is_adapter(Path(name)) else file_method(name)
    if name in registered_classes():
        return own_method(registered_classes()[name], name)
    if "." in name:
        return own_method(name)
    known = [*METHODS, *registered_classes()]
    if "," in name:
        raise InputError(
            f"no method is named {name!r}; for several: lsemvae benchmark --methods '[{name}]'"
        )
    alike = get_close_matches(name, known, n=1)
    meant = f"did you mean {alike[0]}? Expected" if alike else "expected"
    raise InputError(
        f"unknown method {name!r}; {meant} one of {', '.join(known)}, "
        "a class path such as my_net.TinyNet, or a YAML file"
    )


@cache
def encoder_method(name: str) -> str:
    """Return the first method that is pre-trained as this one is: what is read may be another."""
    if name not in METHODS:
        return name
    mine = METHODS[name].pretraining()
    return next(other for other, method in METHODS.items() if method.pretraining() == mine)


def method_name(name: str) -> str:
    """Return the name of a method's folder of results: a file's without its extension."""
    return Path(name).stem if name not in METHODS and is_file(name) else name


@cache
def network_classes() -> dict[str, type[EcgNetwork]]:
    """Return the network of every method by the name of its class, as checkpoints name it."""
    found = {method.network.__name__: method.network for method in METHODS.values()}
    return dict(sorted(found.items()))
