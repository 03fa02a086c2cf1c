"""Draw random parts of the leads of a recording."""

import torch
from torch import Tensor


def split_leads(present: Tensor) -> tuple[Tensor, Tensor]:
    """Divide the present leads of each recording in two parts at random.

    The first part has m of the n leads, m uniform on 1..n - 1. A recording with a single lead has
    it in both parts.

    Args:
        present: (B, L) bool, at least one in every row.

    Returns:
        Two masks (B, L) whose union is `present`.
    """
    n_present = present.sum(1, keepdim=True)
    n_first = (torch.rand_like(n_present, dtype=torch.float) * (n_present - 1)).floor() + 1
    score = torch.rand(present.shape, device=present.device).masked_fill(~present, 2.0)
    first = present & (score.argsort(1).argsort(1) < n_first)
    return first, torch.where(n_present > 1, present & ~first, first)
