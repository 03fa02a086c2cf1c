"""Join a locked model into one network: amplitudes in, recalibrated probability out."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from data_modules.normalise import normalise
from lsemvae.core.types import EcgBatch, Normalisation
from lsemvae.model_file.description import Description
from lsemvae.models import EcgNetwork, FixedLeadNetwork
from lsemvae.models.checkpoint import describe_network, network_class
from lsemvae.models.methods import network_classes
from lsemvae.runtime.own_classes import source_sha256
from lsemvae.tasks.head_task import HeadSettings

NETWORK_SOURCE = "network_source_sha256"
"""Among a description's sources: the digest of a network of the user's own."""


class Outputs(NamedTuple):
    """What comes out, in this order in an exported graph too.

    Attributes:
        probability: (B,), recalibrated; (B, L) of L labels; of a number (B,) estimates in its unit.
        uncertainty: (B,), NaN where the model cannot say.
        logit: (B, K) of the members, before they are averaged and recalibrated; (B, K, L) of L
            labels; of a number the estimates of the members.
    """

    probability: Tensor
    uncertainty: Tensor
    logit: Tensor


class LockedNetwork(nn.Module):
    """Normalisation, networks, heads, average over the members and recalibration.

    Args:
        description: of the model.
        networks: one where heads share a frozen encoder, else one for each head.
        heads: one for each member.
    """

    def __init__(
        self, description: Description, networks: Sequence[nn.Module], heads: Sequence[nn.Module]
    ) -> None:
        super().__init__()
        self.description = description
        self.networks, self.heads = nn.ModuleList(networks), nn.ModuleList(heads)
        self.normalisation: Normalisation = description.normalisation  # type: ignore[assignment]

    def forward(self, ecg: Tensor, present: Tensor) -> Outputs:
        """Return what the model says of recordings.

        Args:
            ecg: (B, L, T) in the model's unit, in the order of `description.leads`.
            present: (B, L) bool; every recording has one lead at least.
        """
        leads: Sequence[str] = self.description.leads
        unit = torch.ones(1, 1, dtype=ecg.dtype, device=ecg.device)
        none = torch.empty(0)
        batch = EcgBatch(ecg, unit, present, leads, none, None, None)  # type: ignore[arg-type]
        ready = normalise(batch, self.normalisation).ecg
        ready, present, leads = self._as_built(ready, present)
        unsure = None
        if self.description.uncertainty == "posterior":
            network = self.networks[0]
            found, unsure = network.encode_with_uncertainty(ready, leads, present)  # type: ignore[operator]
            features = [found]
        else:
            features = [
                network.encode(ready, leads, present)  # type: ignore[operator]
                for network in self.networks
            ]
        each = features * (len(self.heads) if self.description.frozen else 1)
        logits = [head(one.float()) for head, one in zip(self.heads, each, strict=True)]
        if not self.description.labels:
            logits = [one.squeeze(-1) for one in logits]
        logit = torch.stack(self._in_unit(logits), 1)
        told = self._told(logit.mean(1))
        return Outputs(told, self._unsure(logit) if unsure is None else unsure, logit)

    def _in_unit(self, outputs: list[Tensor]) -> list[Tensor]:
        """Return the members' estimates of a number in its unit; others are as they are."""
        number = self.description.number
        if number is None:
            return outputs
        return [mean + sd * one for (mean, sd), one in zip(number.scale, outputs, strict=True)]

    def _told(self, mean: Tensor) -> Tensor:
        """Recalibrate the mean of the members, each label on its own; an estimate needs none."""
        if self.description.number is not None:
            return mean
        if not self.description.labels:
            line = self.description.recalibration
            return torch.sigmoid(line.intercept + line.slope * mean)
        lines = [one.recalibration for one in self.description.labels]
        odds = [line.intercept + line.slope * mean[:, k] for k, line in enumerate(lines)]
        return torch.sigmoid(torch.stack(odds, 1))

    def _as_built(self, ecg: Tensor, present: Tensor) -> tuple[Tensor, Tensor, Sequence[str]]:
        """Add absent leads where the networks take those of the training only."""
        given, wanted = self.description.leads, self.description.trained_leads
        first = self.networks[0]
        if given == wanted or not _takes_only(first, wanted, given):
            return ecg, present, given
        rows = [given.index(lead) if lead in given else len(given) for lead in wanted]
        ecg = torch.cat([ecg, torch.zeros_like(ecg[:, :1])], 1)[:, rows]
        present = torch.cat([present, torch.zeros_like(present[:, :1])], 1)[:, rows]
        return ecg, present, wanted

    def _unsure(self, logit: Tensor) -> Tensor:
        """Return the spread of the members, NaN where the model cannot say."""
        if self.description.uncertainty == "members":
            spread = logit.std(1)
            return spread.mean(1) if self.description.labels else spread
        return torch.full_like(logit.flatten(1)[:, 0], torch.nan)


def _takes_only(network: nn.Module, wanted: Sequence[str], given: Sequence[str]) -> bool:
    """Tell whether a network has one form for the leads of its training."""
    if isinstance(network, FixedLeadNetwork) or not isinstance(network, EcgNetwork):
        return True
    return network.feature_dim(wanted) != network.feature_dim(given)


def without_decoder(network: EcgNetwork) -> EcgNetwork:
    """Take away what only pre-training needs."""
    if hasattr(network, "decoder"):
        network.decoder = nn.Identity()
    return network


def describe(networks: Sequence[EcgNetwork]) -> list[dict[str, Any]]:
    """Return what `build_empty` needs to build the networks again."""
    return [describe_network(network) for network in networks]


def own_source(network: nn.Module) -> str | None:
    """Return the digest of the source of a network of the user's own; None for the package's."""
    kind = type(network)
    return None if kind in network_classes().values() else source_sha256(kind)


def build_empty(description: Description) -> LockedNetwork:
    """Build the networks and heads of a description without memory for their weights."""
    with torch.device("meta"):
        networks = [
            without_decoder(network_class(one["class"]).from_plain(one["init_args"]))
            for one in description.networks
        ]
        leads = description.trained_leads
        heads = []
        for i in range(description.n_members):
            network = networks[0 if description.frozen else i]
            n_outputs = len(description.labels) or 1
            own = None if description.frozen else network.own_head(n_outputs)
            heads.append(own or HeadSettings().build(network.feature_dim(leads), n_outputs))
        return LockedNetwork(description, networks, heads)
