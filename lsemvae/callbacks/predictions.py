"""Write the predictions of test and predict runs to a CSV file."""

from pathlib import Path
from typing import Any

import pandas as pd
import torch
from lightning import Callback, LightningModule, Trainer

from lsemvae.core.errors import InputError
from lsemvae.core.files import write_text
from lsemvae.core.outputs import check_output_file
from lsemvae.core.printable import say

HEAD = b"record,patient_id,"


class PredictionWriter(Callback):
    """Write record, patient_id, truth and prediction of every recording, once each.

    Args:
        path: the CSV file; None writes `predictions.csv` of `predict` and `test_predictions.csv` of
            `test` into the logger's folder, so that one does not replace the other.
    """

    def __init__(self, path: str | None = None) -> None:
        self.path = path
        self._batches: list[dict[str, Any]] = []

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Forget what a run that broke off may have left.

        Raises:
            InputError: several processes, of which each would have a part of the predictions, or
                `path` holds something else.
        """
        if stage in ("test", "predict") and trainer.world_size > 1:
            raise InputError("predictions are written by one process; use --trainer.devices=1")
        if stage in ("test", "predict") and self.path is not None:
            check_output_file(Path(self.path), mark=HEAD)
        self._batches = []

    def on_test_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, *args: Any
    ) -> None:
        """Keep the predictions of a batch."""
        self._batches.append(outputs)

    def on_predict_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, *args: Any
    ) -> None:
        """Keep the predictions of a batch."""
        self._batches.append(outputs)

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the file."""
        self._write(trainer)

    def on_predict_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the file."""
        self._write(trainer)

    def _write(self, trainer: Trainer) -> None:
        columns = {name: self._joined(name) for name in self._batches[0]}
        name = "test_predictions.csv" if trainer.testing else "predictions.csv"
        file = Path(self.path or Path(trainer.log_dir or ".") / name)
        write_text(file, pd.DataFrame(columns).to_csv(index=False))
        if self.path is None:
            say(f"predictions: {file}")

    def _joined(self, name: str) -> Any:
        """Return a column; numbers in units keep the digits of float32 and no more."""
        parts = [batch[name] for batch in self._batches]
        if not isinstance(parts[0], torch.Tensor):
            return [value for part in parts for value in part]
        values = torch.cat(parts).cpu()
        return values.tolist() if name in ("label", "probability") else values.numpy()
