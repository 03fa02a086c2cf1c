"""Weights of 8 bits: a quarter of the room, and none off by more than half a scale."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from lsemvae.deployment.eight_bit import store_as_eight_bit


def product_graph(path: Path, weight: np.ndarray, bias: np.ndarray) -> None:
    """Write x -> x W + b with W (leads, F, O) applied by lead, as the lead encoders have it."""
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["xw"]),
        helper.make_node("Add", ["xw", "b"], ["y"]),
    ]
    shapes = [("x", ["L", "B", "F"]), ("y", ["L", "B", "O"])]
    given, made = (helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in shapes)
    constants = [numpy_helper.from_array(one, name) for one, name in ((weight, "w"), (bias, "b"))]
    graph = helper.make_graph(nodes, "g", [given], [made], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10),
              path)  # fmt: skip


def run(path: Path, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(["y"], {"x": x})[0])


def test_large_weights_take_a_quarter_and_small_ones_stay(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    weight = draw.normal(size=(3, 80, 96)).astype(np.float32)
    weight[1] *= 100  # rows of unlike size: a common scale would ruin the small ones
    weight[2, 5] = 0
    bias = draw.normal(size=96).astype(np.float32)
    path, x = tmp_path / "g.onnx", draw.normal(size=(3, 4, 80)).astype(np.float32)
    product_graph(path, weight, bias)
    before, size = run(path, x), path.stat().st_size
    store_as_eight_bit(path)
    assert path.stat().st_size < 0.3 * size
    found = {one.name: numpy_helper.to_array(one) for one in onnx.load(path).graph.initializer}
    np.testing.assert_array_equal(found["b"], bias)
    scale = np.abs(weight).max(2, keepdims=True) / 127
    restored = (found["w.int8"] * found["w.scale"][:, None]).reshape(weight.shape)
    assert (np.abs(restored - weight) <= 0.5001 * scale).all()
    np.testing.assert_allclose(run(path, x), x @ restored + bias, rtol=1e-4, atol=1e-3)
    assert np.abs(run(path, x) - before).max() < 0.02 * np.abs(before).max()
