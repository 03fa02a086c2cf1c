"""Apply an exported model with onnxruntime."""

import base64
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from data_modules.signals.settings import SignalSettings
from lsemvae.core.errors import InputError
from lsemvae.model_file.description import Description, read_description
from lsemvae.model_file.onnx_file import keeps_weights_elsewhere
from lsemvae.model_file.seal import check_seal
from lsemvae.model_file.trained_on import TrainedOn
from lsemvae.predicting.predictor import Scores
from lsemvae.runtime.threads import threads_of_environment

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
        _refuse_weights_elsewhere(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads_of_environment()
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
        _check_shapes(self._session, self.description, path)
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


def _refuse_weights_elsewhere(path: Path) -> None:
    """Refuse a graph whose weights lie in a second file: the seal is that of the first.

    Raises:
        InputError: names the file.
    """
    if keeps_weights_elsewhere(path):
        raise InputError(
            f"{path} keeps weights in a second file, which no seal guards; export the model "
            "again with `lsemvae export`, which writes one file"
        )


def _check_shapes(session: Any, model: Description, path: Path) -> None:
    """Refuse a graph that takes or gives something else than its description says.

    Raises:
        InputError: names what differs.
    """
    found = {one.name: list(one.shape) for one in (*session.get_inputs(), *session.get_outputs())}
    n_leads, n_samples = len(model.leads), SignalSettings(**model.signal).n_samples
    each = [len(model.labels)] if model.labels else []
    wanted = {
        "ecg": [n_leads, n_samples], "present": [n_leads], "probability": each, "uncertainty": [],
        "logit": [model.n_members, *each],
    }  # fmt: skip
    wrong = [
        f"{name} is {found[name]}, its description says {['batch', *shape]}" if name in found
        else f"{name} is not there"
        for name, shape in wanted.items()
        if name not in found or found[name][1:] != shape
    ]  # fmt: skip
    if wrong:
        raise InputError(
            f"the graph of {path} does not fit what it says about itself ({'; '.join(wrong)}); "
            "export the model again"
        )
