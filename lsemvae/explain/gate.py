"""Read what the network itself says about leads: the weights that its gate gives its experts."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from lsemvae.core.leads import lead_set_name
from lsemvae.models.ls_emvae import POE, LsEmvae


@torch.inference_mode()
def gate_weights(
    network: LsEmvae, ecg: Tensor, leads: Sequence[str], present: Tensor
) -> pd.DataFrame:
    """Return the weights of the experts of every recording.

    Args:
        network: in eval mode.
        ecg: (B, L, T), normalised.
        leads: names of the L leads.
        present: (B, L) bool.

    Returns:
        One row per recording, one column per expert (the leads, then the product where it takes
        part); NaN where the lead is absent.
    """
    posterior = network.posterior(ecg, leads, present)
    weight = posterior.weight.masked_fill(~posterior.expert_present, torch.nan)
    experts = [*leads, POE][: weight.shape[1]]
    return pd.DataFrame(weight.cpu().numpy(), columns=experts)


def summarise_gate(
    weights: pd.DataFrame, label: npt.NDArray[np.integer], leads: Sequence[str]
) -> pd.DataFrame:
    """Average the weights by class.

    Args:
        weights: from `gate_weights`, one row per recording.
        label: (B,), 0 or 1.
        leads: that were given.

    Returns:
        Columns lead_set, expert, label, mean, sd (sample SD over recordings) and n_records.
    """
    by_label = weights.groupby(label)
    parts = [
        pd.DataFrame(
            {
                "lead_set": lead_set_name(leads),
                "expert": part.columns,
                "label": value,
                "mean": part.mean().to_numpy(),
                "sd": part.std(ddof=1).to_numpy(),
                "n_records": part.notna().sum().to_numpy(),
            }
        )
        for value, part in by_label
    ]
    return pd.concat(parts, ignore_index=True)
