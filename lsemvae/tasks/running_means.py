"""Compute means over the records of an epoch, of all processes, and across a resumed run's cut.

Lightning's own reduction rounds the mean number of records per process down: with 10 records on one
process and 9 on another its means were 19/18 of the true ones. It also begins anew where a run is
resumed within an epoch.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

Reduce = Callable[[Tensor], Tensor]
N_RECORDS = ""  # stands among the names for the weight itself


class RunningMeans:
    """Sums of values weighted by the number of records, kept on the device they come from."""

    def __init__(self) -> None:
        self._epoch = 0
        self._sum: dict[str, Tensor] = {}

    def add(self, values: Mapping[str, Tensor | float], n_records: int, *, epoch: int = 0) -> None:
        """Add a batch; the first one of another epoch begins anew.

        Args:
            values: means over the batch, scalars.
            n_records: B.
            epoch: that the batch is in.
        """
        if epoch != self._epoch:
            self._epoch, self._sum = epoch, {}
        tensors = [value for value in values.values() if isinstance(value, Tensor)]
        device = tensors[0].device if tensors else torch.device("cpu")
        dtype = torch.float32 if device.type == "mps" else torch.float64  # MPS has no float64
        for name, value in {**values, N_RECORDS: 1.0}.items():
            added = torch.as_tensor(value, dtype=dtype, device=device).detach() * n_records
            self._sum[name] = self._sum[name].to(added) + added if name in self._sum else added

    def reset(self) -> None:
        """Begin anew."""
        self._sum = {}

    def compute(self, reduce: Reduce) -> dict[str, Tensor]:
        """Return the means by name.

        Args:
            reduce: sums a tensor over processes, each of which has added the same names.
        """
        if not self._sum:
            return {}
        total = dict(zip(self._sum, reduce(torch.stack(list(self._sum.values()))), strict=True))
        n_records = total.pop(N_RECORDS)
        return {name: (value / n_records).float() for name, value in total.items()}

    def state(self, reduce: Reduce) -> dict[str, Any]:
        """Return plain values for a checkpoint, summed over processes."""
        sums = reduce(torch.stack(list(self._sum.values()))).tolist() if self._sum else []
        return {"epoch": self._epoch, "sum": dict(zip(self._sum, sums, strict=True))}

    def load(self, state: Mapping[str, Any], *, first: bool) -> None:
        """Go on from the state of a checkpoint, which the first process alone counts."""
        self._epoch = state["epoch"]
        self._sum = {
            name: torch.tensor(value if first else 0.0, dtype=torch.float64)
            for name, value in state["sum"].items()
        }
