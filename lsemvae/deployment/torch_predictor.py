"""Apply a locked model with torch."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from lsemvae.deployment.model_file import read_model
from lsemvae.predicting.predictor import Scores
from lsemvae.runtime.cpu_matmul import faster_float32_products


class TorchPredictor:
    """A model file in memory, on a GPU where there is one; see `Predictor`.

    Args:
        path: written by `lsemvae lock`.
    """

    def __init__(self, path: Path) -> None:
        model = read_model(path)
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        if self._device.type == "cpu":
            faster_float32_products()
        self._network = model.network.to(self._device)
        self.description = model.network.description
        self.digest, self.trained_on = model.digest, model.trained_on

    @torch.inference_mode()
    def score(self, ecg: npt.NDArray[np.float32], present: npt.NDArray[np.bool_]) -> Scores:
        """Return probability and uncertainty of recordings, see `Predictor.score`."""
        outputs = self._network(
            torch.from_numpy(ecg).to(self._device), torch.from_numpy(present).to(self._device)
        )
        return Scores(outputs.probability.cpu().numpy(), outputs.uncertainty.cpu().numpy())
