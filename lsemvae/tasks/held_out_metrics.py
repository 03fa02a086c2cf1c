"""Measure the held-out records of an epoch by the same function as tables and reports."""

from torch import Tensor, cat
from torchmetrics import Metric

from lsemvae.evaluation.statistics.metrics import Metrics, metrics_as_far_as_defined


class HeldOutMetrics(Metric):
    """AUROC, accuracy and MCC over all records of an epoch, of all processes.

    Note:
        torchmetrics keeps and gathers the predictions; the numbers are not its own, whose MCC
        is not zero where all records are called alike and whose threshold excludes one half.
    """

    full_state_update = False
    probability: list[Tensor]
    label: list[Tensor]

    def __init__(self) -> None:
        super().__init__()
        self.add_state("probability", default=[], dist_reduce_fx="cat")
        self.add_state("label", default=[], dist_reduce_fx="cat")

    def update(self, probability: Tensor, label: Tensor) -> None:
        """Keep the predictions of a batch.

        Args:
            probability: (B,), of the positive class.
            label: (B,), 0 or 1.
        """
        self.probability.append(probability.detach())
        self.label.append(label)

    def compute(self) -> Metrics:
        """Return the metrics, NaN where there is nothing to compute one from."""
        probability, label = (_joined(part) for part in (self.probability, self.label))
        return metrics_as_far_as_defined(label.cpu().numpy(), probability.cpu().numpy())


def _joined(part: list[Tensor] | Tensor) -> Tensor:
    """Return one tensor; after gathering from processes it is one already."""
    return part if isinstance(part, Tensor) else cat(part)
