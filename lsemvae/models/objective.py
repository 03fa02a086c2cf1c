"""Hold the weights of pre-training objectives (paper, equations 1 and 2)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from lsemvae.core.errors import InputError
from lsemvae.core.leads import CHEST_LEADS, LEADS, LIMB_LEADS, canonical_lead
from lsemvae.core.types import KlWeight
from lsemvae.losses import Reduction

LEAD_GROUPS = {"limb": LIMB_LEADS, "chest": CHEST_LEADS}


@dataclass(frozen=True)
class ReconstructionObjective:
    """How squared errors enter the objective (equation 2, first term).

    Attributes:
        reconstruction: reduce squared errors over time by `sum` or by `mean`. The literal mean
            squared error makes the observation variance T / 2 and the posterior collapses.
        lead_weights: lambda by lead name, or for the groups `limb` and `chest`, where a lead's own
            weight goes before its group's; leads not named weigh 1 as in the paper.
    """

    reconstruction: Reduction = "sum"
    lead_weights: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Reject unknown leads and negative weights."""
        for lead, weight in self.lead_weights.items():
            if lead not in LEAD_GROUPS:
                canonical_lead(lead)
            if weight < 0:
                raise InputError(f"lead_weights[{lead}] must be >= 0, got {weight}")

    def weight_per_lead(self) -> Tensor:
        """Return lambda in canonical lead order, (12,)."""
        weight = dict.fromkeys(LEADS, 1.0)
        for group, leads in LEAD_GROUPS.items():
            weight |= dict.fromkeys(leads, float(self.lead_weights.get(group, 1.0)))
        for lead, value in self.lead_weights.items():
            if lead not in LEAD_GROUPS:
                weight[canonical_lead(lead)] = float(value)
        return torch.tensor([weight[lead] for lead in LEADS])

    def observation_variance(self, beta: KlWeight, n_samples: int) -> KlWeight:
        """Return the variance of the Gaussian decoder that the weights amount to.

        a SE + beta KL with a squared error SE summed over time is beta times the negative ELBO of a
        decoder with the variance beta / (2 a); a is 1 for `sum` and 1 / T for `mean`.
        """
        return beta * (1 if self.reconstruction == "sum" else n_samples) / 2


@dataclass(frozen=True)
class ElboObjective(ReconstructionObjective):
    """Weights of LS-EMVAE's objective (equations 1 and 2).

    Attributes:
        gamma: weight of the alignment loss; 0 switches it off (the ablation of Fig. 2).
    """

    gamma: float = 1.0

    def __post_init__(self) -> None:
        """Reject what the other weights reject, and a negative gamma."""
        super().__post_init__()
        if self.gamma < 0:
            raise InputError(f"gamma must be >= 0, got {self.gamma}")


DEFAULT_RECONSTRUCTION = ReconstructionObjective()
DEFAULT_OBJECTIVE = ElboObjective()
