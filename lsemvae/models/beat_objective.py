"""Hold the weights of the objective that LS-EMVAE is pre-trained with on single heartbeats."""

from dataclasses import dataclass

from lsemvae.core.errors import InputError
from lsemvae.models.objective import ElboObjective


@dataclass(frozen=True)
class BeatObjective(ElboObjective):
    """The paper's objective, and what lead groups of different beats say of one another.

    Attributes:
        part: share of the ELBO that is of the code of a part of the leads; the rest is of all.
        contrast: weight of finding a recording, among those of the batch, by the fused code of some
            leads of one beat from that of the other leads of another beat (InfoNCE); 0 is without.
        lead_contrast: the same by the code of a single lead.
        temperature: of both; cosines are divided by it.
    """

    part: float = 0.5
    contrast: float = 20.0
    lead_contrast: float = 20.0
    temperature: float = 0.1

    def __post_init__(self) -> None:
        """Reject what the paper's weights reject, and weights that have no meaning."""
        super().__post_init__()
        if not 0.0 <= self.part <= 1.0:
            raise InputError(f"part must be in [0, 1], got {self.part}")
        for name in ("contrast", "lead_contrast"):
            if getattr(self, name) < 0.0:
                raise InputError(f"{name} must be >= 0, got {getattr(self, name)}")
        if self.temperature <= 0.0:
            raise InputError(f"temperature must be above 0, got {self.temperature}")
