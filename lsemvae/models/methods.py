"""Methods of the paper's Table 2 by the name that `lsemvae cv --method` takes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lsemvae.errors import InputError
from lsemvae.models.base import EcgNetwork
from lsemvae.models.ls_emvae import LsEmvae
from lsemvae.models.multimodal_cnn import MultimodalCnn

Build = Callable[[int, Sequence[str]], EcgNetwork]


@dataclass(frozen=True)
class Method:
    """One row of Table 2.

    Attributes:
        build: makes the network from samples per lead and lead names; None where a pre-trained
            encoder is frozen instead.
    """

    build: Build | None

    @property
    def pretrained(self) -> bool:
        """Whether the method needs a pre-trained encoder."""
        return self.build is None


METHODS = {
    "ls_emvae": Method(None),
    "ls_emvae_scratch": Method(lambda n_samples, _leads: LsEmvae(n_samples)),
    "multimodal_cnn": Method(lambda n_samples, leads: MultimodalCnn(n_samples, leads=list(leads))),
}


def find_method(name: str) -> Method:
    """Return the method of that name.

    Raises:
        InputError: no such method.
    """
    if name not in METHODS:
        raise InputError(f"unknown method {name!r}; expected one of {', '.join(METHODS)}")
    return METHODS[name]
