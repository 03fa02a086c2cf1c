"""Open an encoder of somebody else: a Python class, TorchScript, ONNX or published weights."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lsemvae.core.errors import InputError
from lsemvae.model_file.onnx_file import keeps_weights_elsewhere
from lsemvae.models.adapter import Adapter
from lsemvae.models.published_st_mem import read_published_st_mem
from lsemvae.models.torchscript_file import check_torchscript
from lsemvae.runtime.own_classes import import_class


class Runner(nn.Module):
    """Give recordings to whatever it is, in batches.

    Args:
        call: takes (B, L, T) float32 and the present leads (B, L), returns (B, F).
        module: that holds weights, None where torch knows of none.
    """

    def __init__(
        self, call: Callable[[Tensor, Tensor], Tensor], module: nn.Module | None = None
    ) -> None:
        super().__init__()
        self._call = call
        self.module = module

    def forward(self, ecg: Tensor, present: Tensor) -> Tensor:
        """Return the features (B, F) of recordings (B, L, T)."""
        return self._call(ecg, present)


def open_runner(adapter: Adapter) -> Runner:
    """Open the encoder of an adapter.

    Raises:
        InputError: the file cannot be opened, or the class not be built.
    """
    openers = {"class_path": _of_class, "torchscript": _of_torchscript, "onnx": _of_onnx,
               "st_mem": _of_st_mem}  # fmt: skip
    try:
        return openers[adapter.kind](adapter)
    except InputError:
        raise
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        if "weights_only" in reason:  # torch's advice is to unpickle what it refuses
            reason = "it holds more than weights and plain values"
        raise InputError(
            f"{adapter.source} cannot be opened as {adapter.kind} ({reason})"
        ) from error


def _of_class(adapter: Adapter) -> Runner:
    """Open a class whose `encode` takes and returns NumPy arrays."""
    kind = import_class(adapter.source)
    if not callable(getattr(kind, "encode", None)):  # before it is built: that may do anything
        raise InputError(
            f"{adapter.source} has no method encode(ecg), which takes (B, L, T) float32 and "
            "returns (B, F); see docs/adapters.md"
        )
    made: Any = kind(**adapter.init_args)
    encode = made.encode

    def call(ecg: Tensor, _present: Tensor) -> Tensor:
        found: Any = encode(ecg.cpu().numpy())
        return torch.from_numpy(np.asarray(found, np.float32)).to(ecg.device)

    return Runner(call, made if isinstance(made, nn.Module) else None)


def _of_torchscript(adapter: Adapter) -> Runner:
    check_torchscript(Path(adapter.source))
    module: nn.Module = torch.jit.load(adapter.source, map_location="cpu")  # type: ignore[no-untyped-call]
    module.eval()
    return Runner(lambda ecg, _present: _tensor(module(ecg)), module)


def _of_onnx(adapter: Adapter) -> Runner:
    try:
        import onnxruntime
    except ImportError as error:
        raise InputError(f"{adapter.source} needs onnxruntime: pip install onnxruntime") from error
    if keeps_weights_elsewhere(Path(adapter.source)):
        raise InputError(
            f"{adapter.source} keeps weights in a second file, of which no digest tells; save it "
            "as one file (onnx.save without save_as_external_data)"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        Path(adapter.source), options, providers=["CPUExecutionProvider"]
    )
    inputs = session.get_inputs()
    if len(inputs) != 1:
        names = ", ".join(one.name for one in inputs)
        raise InputError(f"{adapter.source} takes {len(inputs)} inputs ({names}); expected one")

    def call(ecg: Tensor, _present: Tensor) -> Tensor:
        found = session.run(None, {inputs[0].name: ecg.cpu().numpy()})[0]
        return torch.from_numpy(np.asarray(found, np.float32)).to(ecg.device)

    return Runner(call)


def _of_st_mem(adapter: Adapter) -> Runner:
    network = read_published_st_mem(Path(adapter.source), adapter.n_samples, adapter.leads)

    def call(ecg: Tensor, present: Tensor) -> Tensor:
        return network.encode(ecg, list(adapter.leads), present)

    return Runner(call, network)


def _tensor(found: Any) -> Tensor:
    """Return the features of a graph: its output, or the first of several."""
    first = found[0] if isinstance(found, list | tuple) else found
    return torch.as_tensor(first)
