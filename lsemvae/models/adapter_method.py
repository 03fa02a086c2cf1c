"""Make a method of a frozen encoder of somebody else: a row of a table like any other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lsemvae.core.errors import InputError
from lsemvae.core.types import EcgInput
from lsemvae.models.adapter import Adapter, read_adapter
from lsemvae.models.base import EcgNetwork
from lsemvae.models.foreign import ForeignEncoder
from lsemvae.models.method import Method


@dataclass(frozen=True)
class AdapterMethod(Method):
    """A method that freezes an encoder of somebody else.

    Attributes:
        file: the YAML file, empty where a run keeps what it stated.
        adapter: what it states.
    """

    file: str = ""
    adapter: Adapter | None = None

    @property
    def network(self) -> type[EcgNetwork]:
        """Class of the network."""
        return ForeignEncoder

    @property
    def own(self) -> bool:
        """Whether the network is the user's own."""
        return True

    @property
    def pretrained(self) -> bool:
        """Whether the method freezes a pre-trained encoder."""
        return True

    @property
    def encoder_file(self) -> str | None:
        """The encoder that the method itself names."""
        return self.file

    @property
    def feature(self) -> str | None:
        """The feature that the encoder is read by: it has one."""
        return None

    @property
    def study(self) -> str:
        """What stands in place of the paper's study type."""
        return "Foreign"

    def takes(self, leads: Sequence[str]) -> bool:
        """Tell whether the encoder has a form for these leads."""
        stated = self._stated()
        whole = set(stated.leads) <= set(leads)
        return whole or (stated.fewer_leads == "zeros" and bool(set(stated.leads) & set(leads)))

    def check_encoder(self, network: EcgNetwork, ecg_input: EcgInput, path: str) -> None:
        """Take the encoder, which is that of the file."""

    def about(self) -> dict[str, Any]:
        """Return what tables say of the method, the licence of its weights with it."""
        return {**super().about(), "licence": self._stated().licence}

    def described(self) -> dict[str, Any] | None:
        """Return what a run keeps of the encoder."""
        stated = self._stated()
        return {"adapter": stated.plain(), "adapter_sha256": stated.sha256()}

    def _stated(self) -> Adapter:
        if self.adapter is None:
            raise InputError(f"{self.title} is no adapter")
        return self.adapter


def adapter_method(path: Path) -> AdapterMethod:
    """Return the method of the YAML file of an adapter.

    Raises:
        InputError: see `read_adapter`.
    """
    file, stated = path.resolve(), read_adapter(path)
    title = f"{stated.title} ({stated.licence})"
    return AdapterMethod(title, "", multimodal=None, file=str(file), adapter=stated)


def kept_adapter_method(described: Mapping[str, Any]) -> AdapterMethod:
    """Return the method that a finished run keeps, from `AdapterMethod.described`."""
    kept = described["adapter"]
    stated = Adapter(**{**kept, "leads": tuple(kept["leads"])})
    return AdapterMethod(stated.title, "", multimodal=None, adapter=stated)
