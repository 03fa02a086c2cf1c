"""Store the weights of an ONNX graph as 8-bit integers; it computes in float32 as before."""

import math
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

SMALLEST = 1024  # numbers; what is smaller is left as it is
LEAST_IN_ROW = 64  # numbers that share a scale; the scale takes as much room as four of them
LARGEST = 127


def store_as_eight_bit(path: Path) -> None:
    """Replace the large float32 weights of a graph by integers and a scale for each row.

    A weight W becomes W ~ scale * integer, with the scale of a row its largest magnitude / 127, so
    that no weight is off by more than half a scale. `DequantizeLinear` and `Reshape` make W of them
    when the graph is run.

    Args:
        path: the graph; it is overwritten.
    """
    model = onnx.load(path)
    kept, made, nodes = [], [], []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if weight.data_type != onnx.TensorProto.FLOAT or values.size < SMALLEST:
            kept.append(weight)
            continue
        new, computed = _as_integers(weight.name, values)
        made += new
        nodes += computed
    del model.graph.initializer[:]
    model.graph.initializer.extend([*kept, *made])
    inner = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *inner])  # what makes a weight stands before its use
    onnx.save(model, path)


def _as_integers(
    name: str, values: np.ndarray
) -> tuple[list[onnx.TensorProto], list[onnx.NodeProto]]:
    """Return the tensors that stand for a weight, and the nodes that make it of them."""
    rows = values.reshape(_n_rows(values.shape), -1)
    scale = np.maximum(np.abs(rows).max(1), np.finfo(np.float32).tiny) / np.float32(LARGEST)
    integers = np.rint(rows / scale[:, None]).astype(np.int8)
    parts = {"int8": integers, "scale": scale, "shape": np.array(values.shape, np.int64)}
    tensors = [numpy_helper.from_array(part, f"{name}.{kind}") for kind, part in parts.items()]
    nodes = [
        helper.make_node(
            "DequantizeLinear", [f"{name}.int8", f"{name}.scale"], [f"{name}.rows"], axis=0
        ),
        helper.make_node("Reshape", [f"{name}.rows", f"{name}.shape"], [name]),
    ]
    return tensors, nodes


def _n_rows(shape: tuple[int, ...]) -> int:
    """Return the largest product of leading sizes that leaves enough numbers to each row."""
    n_rows = 1
    for n, size in enumerate(shape, 1):
        if math.prod(shape[n:]) < LEAST_IN_ROW:
            break
        n_rows *= size
    return n_rows
