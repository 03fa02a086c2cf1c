"""Apply an exported model with onnxruntime."""

import base64
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lsemvae.core.errors import InputError
from lsemvae.model_file.description import read_description
from lsemvae.model_file.seal import check_seal
from lsemvae.model_file.trained_on import TrainedOn
from lsemvae.predicting.predictor import Scores

DESCRIPTION, HASHES, SEAL = "lsemvae", "trained_on.", "seal"


class OnnxPredictor:
    """An exported graph, on as many threads as OMP_NUM_THREADS says; see `Predictor`.

    Args:
        path: written by `lsemvae export`.

    Raises:
        InputError: the file is missing, foreign or damaged, or onnxruntime is missing.
    """

    def __init__(self, path: Path) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise InputError(
                f"{path} needs the package onnxruntime; pip install onnxruntime"
            ) from error
        self.digest = check_seal(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", "0"))
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                path, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's own classes have no common parent
            reason = " ".join(str(error).split())[:200]
            raise InputError(f"{path} is no readable ONNX file ({reason})") from error
        texts = self._session.get_modelmeta().custom_metadata_map
        self.description = read_description(texts.get(DESCRIPTION, ""), str(path))
        try:
            self.trained_on = TrainedOn(*(
                np.frombuffer(base64.b64decode(texts.get(HASHES + kind, "")), "<u8")
                for kind in TrainedOn._fields
            ))  # fmt: skip
        except ValueError as error:  # binascii.Error is one
            raise InputError(f"{path} is damaged (its hashes: {error}); export it again") from error

    def score(self, ecg: npt.NDArray[np.float32], present: npt.NDArray[np.bool_]) -> Scores:
        """Return probability and uncertainty of recordings, see `Predictor.score`."""
        feed = {"ecg": ecg, "present": present}
        probability, uncertainty = self._session.run(["probability", "uncertainty"], feed)
        return Scores(np.asarray(probability), np.asarray(uncertainty))
