"""Compute the classifier's logit from a recording in mV: what attribution differentiates.

Explained is the logit as a function of the recording in mV, the normalisation included, with one
exception: what the recording is divided by is held at the recording's own value. A network behind a
division by the standard deviation sees the same input for x and for any positive multiple of x, so
its gradient is orthogonal to x everywhere on the way from the flat baseline (Euler), all integrated
gradients sum to zero, and the whole difference of the logits hides in the jump at 0 / 0. With the
divisor held, the path is smooth and the attributions sum to logit(recording) - logit(flat line).

For the same reason a network that looks for beats finds them in the recording itself all along the
way: a flat line has none, and where they are has no gradient. What such a network reads from their
distances alone, the rhythm, is the same at both ends and belongs to no sample.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from lsemvae.core.types import EcgBatch, Normalisation
from lsemvae.models.base import EcgNetwork

Classify = Callable[[EcgBatch], Tensor]
"""Maps a batch, ready for the network, to logits (B,)."""


class Recordings(NamedTuple):
    """Recordings to explain.

    Attributes:
        ecg_mv: (B, L, T) in mV (in the store's unit where it is not calibrated).
        scale: (B, 1) or (B, L), what the normalisation divides each recording by.
        present: (B, L) bool.
        leads: names of the L leads.
        normalisation: which one it is.
    """

    ecg_mv: Tensor
    scale: Tensor
    present: Tensor
    leads: Sequence[str]
    normalisation: Normalisation

    def rows(self, index: Tensor | slice) -> "Recordings":
        """Return the chosen recordings."""
        return self._replace(
            ecg_mv=self.ecg_mv[index], scale=self.scale[index], present=self.present[index]
        )


class MillivoltLogit(nn.Module):
    """The classifier's logit as a function of recordings in mV.

    Args:
        classifier: maps an `EcgBatch` to logits (B,); put into eval mode, as it predicts.
        leads: names of the leads that it gets.
        normalisation: of the amplitudes.
    """

    def __init__(
        self,
        classifier: Classify,
        *,
        leads: Sequence[str],
        normalisation: Normalisation,
    ) -> None:
        super().__init__()
        self.classifier = classifier.eval() if isinstance(classifier, nn.Module) else classifier
        self.leads, self.normalisation = tuple(leads), normalisation

    def forward(
        self, ecg_mv: Tensor, scale: Tensor, present: Tensor, held_mv: Tensor | None = None
    ) -> Tensor:
        """Return logits (B,); shapes and units as in `Recordings`.

        Args:
            ecg_mv: what the logit is of.
            scale: what the normalisation divides by.
            present: which leads there are.
            held_mv: recordings in which a network finds its beats, (B, L, T); `ecg_mv` if None.
        """
        if held_mv is None:
            return self.of_ready(self._normalised(ecg_mv, scale, present), scale, present)
        with self.held_at(held_mv, scale, present) as ready:
            return self.of_ready(ready(ecg_mv), scale, present)

    @contextmanager
    def held_at(
        self, ecg_mv: Tensor, scale: Tensor, present: Tensor
    ) -> Iterator[Callable[[Tensor], Tensor]]:
        """Hold beats at those of these recordings (B, L, T), and what they are divided by.

        Yields:
            What makes other recordings of the same size ready for `of_ready`: an affine map, so
            that a straight path of recordings is one of what the network computes with.
        """
        with ExitStack() as held:
            network = self._network()
            ready = self._normalised(ecg_mv, scale, present)
            cut = held.enter_context(network.held_at(ready, present)) if network else None

            def prepared(other_mv: Tensor) -> Tensor:
                other = self._normalised(other_mv, scale, present)
                return other if cut is None else cut(other)

            yield prepared

    def of_ready(self, ready: Tensor, scale: Tensor, present: Tensor) -> Tensor:
        """Return the logits of what is ready for the network; `scale` and `present` per logit."""
        nobody = np.empty(0, object)
        no_label = ready.new_empty(0)
        batch = EcgBatch(ready, scale, present, self.leads, no_label, nobody, nobody)
        return self.classifier(batch)

    def _normalised(self, ecg_mv: Tensor, scale: Tensor, present: Tensor) -> Tensor:
        ecg = torch.where(present.unsqueeze(-1), ecg_mv, 0.0)
        if self.normalisation == "millivolt":
            return ecg
        return (ecg - ecg.mean(-1, keepdim=True)) / scale.unsqueeze(-1)

    def _network(self) -> EcgNetwork | None:
        """Return the network of the classifier, those it is made of aside; None without one."""
        return next((module for module in self.modules() if isinstance(module, EcgNetwork)), None)
