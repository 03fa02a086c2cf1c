"""Define the one interface of all networks: encode, and a loss for those that are pre-trained."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import is_dataclass
from typing import Any, ClassVar, Literal, NamedTuple, Self, get_args, get_origin

import torch
from torch import Tensor, nn

from lsemvae.core.errors import InputError
from lsemvae.core.leads import canonical_order, parse_leads
from lsemvae.core.types import EcgInput, KlWeight


class LossTerms(NamedTuple):
    """A training loss with the terms that it is made of.

    Attributes:
        total: the scalar to minimise.
        terms: scalars by name, for the log: the terms of the total before they are weighted, and
            what follows from the weights; detached by whoever logs them.
    """

    total: Tensor
    terms: dict[str, Tensor]


def scalar(value: KlWeight, like: Tensor) -> Tensor:
    """Return a number as a term of a loss: a scalar of another's type and device."""
    return torch.as_tensor(value, dtype=like.dtype, device=like.device)


class EcgNetwork(nn.Module, ABC):
    """A network that turns recordings into features.

    Args:
        n_samples: T, samples per lead of the recordings it takes.
        init_args: every further constructor argument, as plain values; a checkpoint stores them so
            that the network can be built again.

    Attributes:
        reading_args: constructor arguments that neither weights nor loss depend on; they choose
            what `encode` returns, and may be others than those of the training.

    Raises:
        InputError: a size below 1.
    """

    reading_args: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, n_samples: int, **init_args: Any) -> None:
        super().__init__()
        self.n_samples = n_samples
        self.init_args: dict[str, Any] = {"n_samples": n_samples, **init_args}
        for name in ("n_samples", "latent_dim"):
            if self.init_args.get(name, 1) < 1:
                raise InputError(f"{name} must be >= 1, got {self.init_args[name]}")

    @classmethod
    def from_plain(cls, init_args: Mapping[str, Any]) -> Self:
        """Build the network from plain values, those of a dataclass argument as a mapping.

        Raises:
            KeyError: an argument that the network does not have.
            TypeError: a value that it cannot take.
        """
        parameters = inspect.signature(cls).parameters
        return cls(**{
            name: _structured(parameters[name].annotation, value)
            for name, value in init_args.items()
        })  # fmt: skip

    @classmethod
    def input_args(cls, ecg_input: EcgInput, leads: Sequence[str]) -> dict[str, Any]:
        """Return the constructor arguments that follow from the recordings and the leads in use."""
        return {"n_samples": ecg_input.n_samples}

    @classmethod
    def takes(cls, leads: Sequence[str]) -> bool:
        """Tell whether the network has a form for these leads; all but beta-VAE take any."""
        return True

    def own_head(self, n_outputs: int = 1) -> nn.Module | None:
        """Return the classification head of the publication, None where it has the paper's.

        Used where the network is trained end to end; a frozen encoder always gets the paper's.
        """
        return None

    def held_at(
        self, ecg: Tensor, present: Tensor
    ) -> AbstractContextManager[Callable[[Tensor], Tensor]]:
        """Hold what has no gradient, such as the places of beats, at that of these recordings.

        A path from a flat line to a recording has beats at its end alone; with their places held it
        is smooth (`lsemvae.explain.logit`).

        Args:
            ecg: (B, L, T), normalised as those that are encoded meanwhile.
            present: (B, L) bool.

        Returns:
            A context that yields a linear map of recordings (B, L, T) to what `encode` takes
            meanwhile, their beats, say: those of any number P of points on the path, one point
            behind the other, with `present` (P B, L).
        """
        return nullcontext(_as_they_are)

    def _checked(
        self, ecg: Tensor, leads: Sequence[str], present: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Check the shapes; return the recordings with zeros in absent leads, and the mask.

        Raises:
            InputError: as `encode`.
        """
        if ecg.shape[1:] != (len(leads), self.n_samples):
            raise InputError(
                f"{type(self).__name__} takes ({len(leads)} leads, {self.n_samples} samples), "
                f"got {tuple(ecg.shape[1:])}; build it with n_samples={ecg.shape[-1]} or prepare "
                "the recordings at its rate and length"
            )
        if present is None:
            return ecg, torch.ones(ecg.shape[:2], dtype=torch.bool, device=ecg.device)
        # an exported graph has no errors: whoever feeds it checks (docs/deployment.md)
        if not torch.compiler.is_exporting() and not bool(present.any(1).all()):
            raise InputError(f"a recording of the batch has none of the leads {', '.join(leads)}")
        return torch.where(present.unsqueeze(-1), ecg, 0.0), present

    @abstractmethod
    def feature_dim(self, leads: Sequence[str]) -> int:
        """Return F, the number of features that `encode` yields for these leads."""

    @abstractmethod
    def encode(self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None) -> Tensor:
        """Return the features of recordings.

        Args:
            ecg: (B, L, T), normalised.
            leads: names of the L leads, any subset in any order.
            present: (B, L) bool; None where every lead is present.

        Returns:
            (B, F).

        Raises:
            InputError: an unknown lead, another number of samples, or a recording without any lead.
        """

    def uncertainty(
        self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None
    ) -> Tensor | None:
        """Return how unsure the network is of a recording's code, (B,); None where it cannot say.

        Only the order counts. Variational autoencoders give the mean over the latent dimensions of
        the posterior's log variance. Arguments as in `encode`.
        """
        return None

    def encode_with_uncertainty(
        self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Return what `encode` and `uncertainty` do, in one pass where a network can."""
        return self.encode(ecg, leads, present), self.uncertainty(ecg, leads, present)


class FixedLeadNetwork(EcgNetwork):
    """A network whose first layer mixes the leads: it takes the leads that it was built for.

    Args:
        n_samples: T.
        leads: leads that it is built for: 12, 6 or names.
        init_args: as in `EcgNetwork`.
    """

    def __init__(self, n_samples: int, leads: int | list[str], **init_args: Any) -> None:
        super().__init__(n_samples, leads=leads, **init_args)
        self.leads = parse_leads(leads)

    @classmethod
    def input_args(cls, ecg_input: EcgInput, leads: Sequence[str]) -> dict[str, Any]:
        """Return the number of samples and the leads."""
        return {**super().input_args(ecg_input, leads), "leads": list(leads)}

    def _channels(self, ecg: Tensor, leads: Sequence[str], present: Tensor | None) -> Tensor:
        """Return the recordings (B, L, T) in canonical lead order, zero in absent leads.

        Raises:
            InputError: as `encode`, or leads other than those it was built for.
        """
        given = parse_leads(list(leads))
        if given != self.leads:
            raise InputError(
                f"this {type(self).__name__} was built for the leads {', '.join(self.leads)} and "
                f"got {', '.join(given)}; build and train one with leads={','.join(given)}"
            )
        ecg, _ = self._checked(ecg, leads, present)
        return ecg[:, canonical_order(leads)]


class PretrainableNetwork(EcgNetwork):
    """A network with an objective of its own that needs no labels."""

    @abstractmethod
    def loss(
        self,
        ecg: Tensor,
        leads: Sequence[str],
        *,
        beta: KlWeight,
        present: Tensor | None = None,
        visible: Tensor | None = None,
    ) -> LossTerms:
        """Return the pre-training loss of a batch.

        Args:
            ecg: (B, L, T), normalised.
            leads: names of the L leads.
            beta: weight of the KL divergence at this step, or whatever else the objective anneals.
            present: (B, L) bool; leads that hold a signal and are reconstructed.
            visible: (B, L) bool; leads that the encoder may see, a subset of `present`; None for
                all of them.
        """


class GenerativeNetwork(PretrainableNetwork):
    """A network that yields recordings from what it has encoded."""

    @abstractmethod
    def reconstruct(
        self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None
    ) -> Tensor:
        """Return all twelve leads as the network sees them from the given ones, (B, 12, T)."""


def _as_they_are(ecg: Tensor) -> Tensor:
    return ecg


def _structured(annotation: Any, value: Any) -> Any:
    """Make a mapping the dataclass that an argument is annotated with, alone or with None.

    Raises:
        TypeError: the argument is one of some words, and the value is none of them.
    """
    if get_origin(annotation) is Literal and value not in get_args(annotation):
        raise TypeError(f"{value!r:.40} is none of {', '.join(map(str, get_args(annotation)))}")
    kinds = [kind for kind in (annotation, *get_args(annotation)) if is_dataclass(kind)]
    if kinds and isinstance(value, Mapping):
        return kinds[0](**value)  # type: ignore[operator]
    return value
