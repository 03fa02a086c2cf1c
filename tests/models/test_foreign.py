"""One contract for adapters of all kinds: lead order, unit, rate, fewer leads, no NaN."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
import yaml
from onnx import TensorProto, helper
from torch import Tensor, nn

from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS, LIMB_LEADS
from lsemvae.core.types import EcgInput
from lsemvae.models import load_pretrained
from lsemvae.models.foreign import ForeignEncoder
from lsemvae.runtime.own_classes import ALLOW_VARIABLE

N = 500
STATED = {"sampling_rate_hz": 100, "n_samples": N, "licence": "MIT", "title": "tiny"}
MODULE = """
import numpy as np


class Means:
    def __init__(self, factor=1.0):
        self.factor = factor

    def encode(self, ecg):
        return self.factor * np.abs(ecg).mean(-1)


class Broken:
    def encode(self, ecg):
        return np.full((len(ecg), 3), np.nan)


class Nothing:
    pass
"""


class Means(nn.Module):
    """Mean absolute amplitude of each lead."""

    def forward(self, ecg: Tensor) -> Tensor:
        return ecg.abs().mean(-1)


def write_adapter(folder: Path, kind: str, **more: Any) -> Path:
    """Write the encoder of a kind, which gives the mean absolute amplitude of each lead."""
    if kind == "torchscript":
        torch.jit.script(Means()).save(str(folder / "weights"))
    elif kind == "onnx":
        nodes = [
            helper.make_node("Abs", ["ecg"], ["size"]),
            helper.make_node("ReduceMean", ["size", "axes"], ["features"], keepdims=0),
        ]
        shapes = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in
                  (("ecg", ["B", "L", "T"]), ("features", ["B", "L"]))]  # fmt: skip
        axes = [helper.make_tensor("axes", TensorProto.INT64, [1], [2])]
        graph = helper.make_graph(nodes, "means", shapes[:1], shapes[1:], axes)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
        onnx.save(model, folder / "weights")
    (folder / "my_adapter.py").write_text(MODULE)
    where = {"class_path": "my_adapter.Means"} if kind == "class_path" else {kind: "weights"}
    file = folder / "tiny.yaml"
    file.write_text(yaml.safe_dump({"adapter": where, **STATED, **more}))
    return file


pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")


@pytest.fixture(params=["class_path", "torchscript", "onnx"])
def write(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Path]:
    """Return what writes an adapter of each kind."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv(ALLOW_VARIABLE, "my_adapter")
    monkeypatch.delitem(sys.modules, "my_adapter", raising=False)
    return lambda **more: write_adapter(tmp_path, request.param, **more)


def opened(file: Path, rate: float = 100, n_samples: int = N) -> ForeignEncoder:
    network = ForeignEncoder(N, str(file))
    network.bind(EcgInput(rate, n_samples, (0.5, 40.0), "millivolt", unit="mV"))
    return network


def ecg(n_leads: int = 12, n_samples: int = N) -> Tensor:
    return torch.randn(3, n_leads, n_samples, generator=torch.Generator().manual_seed(0))


def test_features_are_those_of_the_encoder(write: Callable[..., Path]) -> None:
    found = opened(write()).encode(ecg(), LEADS)
    torch.testing.assert_close(found, ecg().abs().mean(-1))
    assert found.shape == (3, 12)


def test_leads_are_put_in_the_encoders_order(write: Callable[..., Path]) -> None:
    network = opened(write(leads=["V1", "II", "I"]))
    found = network.encode(ecg(), LEADS)
    expected = ecg().abs().mean(-1)[:, [LEADS.index(lead) for lead in ("V1", "II", "I")]]
    torch.testing.assert_close(found, expected)
    order = [3, 1, 0, 2, *range(4, 12)]
    torch.testing.assert_close(
        network.encode(ecg()[:, order], [LEADS[place] for place in order]), expected
    )


def test_the_unit_is_the_encoders(write: Callable[..., Path]) -> None:
    found = opened(write(unit="uV")).encode(ecg(), LEADS)
    torch.testing.assert_close(found, 1000 * ecg().abs().mean(-1))


@pytest.mark.parametrize("how", ["recording", "lead"])
def test_normalisation_is_over_what_is_present(how: str, write: Callable[..., Path]) -> None:
    network = opened(write(normalisation=how, fewer_leads="zeros"))
    six = network.encode(ecg(6), LIMB_LEADS)
    present = torch.tensor([True] * 6 + [False] * 6).expand(3, 12)
    masked = ecg()
    masked[:, :6], masked[:, 6:] = ecg(6), torch.nan
    torch.testing.assert_close(network.encode(masked, LEADS, present), six)
    axes = (1, 2) if how == "recording" else (2,)
    part = ecg(6)
    scaled = (part - part.mean(axes, keepdim=True)) / part.std(axes, correction=0, keepdim=True)
    torch.testing.assert_close(six[:, :6], scaled.abs().mean(-1))
    assert bool((six[:, 6:] == 0).all())


def test_six_leads_are_refused_unless_the_file_says_zeros(write: Callable[..., Path]) -> None:
    with pytest.raises(InputError, match=r"tiny takes the leads I, II, III.*got I, II, III, aVR"):
        opened(write()).encode(ecg(6), LIMB_LEADS)


def test_recordings_are_resampled_and_cut_as_stated(write: Callable[..., Path]) -> None:
    time = torch.arange(4000) / 400  # 10 s at 400 Hz
    wave = torch.sin(2 * torch.pi * 3 * time).expand(1, 12, -1) * torch.linspace(0, 1, 4000)
    start = opened(write(), 400, 4000).encode(wave, LEADS)
    centre = opened(write(crop="centre"), 400, 4000).encode(wave, LEADS)
    plain = wave[..., ::4].abs()  # 3 Hz needs no filter
    torch.testing.assert_close(start, plain[..., :N].mean(-1), rtol=0.02, atol=0.002)
    torch.testing.assert_close(centre, plain[..., 250:750].mean(-1), rtol=0.02, atol=0.002)


def test_shorter_recordings_end_in_zeros(write: Callable[..., Path]) -> None:
    found = opened(write(), 100, 250).encode(ecg(12, 250), LEADS)
    torch.testing.assert_close(found, ecg(12, 250).abs().mean(-1) / 2)


def test_the_digest_follows_weights_and_statement_and_not_the_title(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    first = load_pretrained(str(write())).sha256
    assert load_pretrained(str(write(title="another name"))).sha256 == first
    assert load_pretrained(str(write(unit="uV"))).sha256 != first
    file = write()
    source = tmp_path / ("my_adapter.py" if "my_adapter" in file.read_text() else "weights")
    if source.suffix:
        source.write_text(MODULE + "\n")
        assert load_pretrained(str(file)).sha256 != first


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (EcgInput(100, 120, (0.5, 40), "millivolt", segment="median_beat"), "whole recordings"),
        (EcgInput(100, N, (0.5, 40), "millivolt", unit="NU"), "arbitrary units"),
        (EcgInput(100, N, (0.5, 40), "lead", unit="mV"), "leave out --normalisation lead"),
    ],
)
def test_recordings_that_no_encoder_takes_are_refused(
    given: EcgInput, message: str, tmp_path: Path
) -> None:
    network = ForeignEncoder(N, str(write_adapter(tmp_path, "torchscript")))
    with pytest.raises(InputError, match=message):
        network.bind(given)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"adapter": {"pickle": "weights"}}, "adapter must name one of class_path"),
        ({"adapter": {"onnx": "none.onnx"}}, "there is no file"),
        ({"adapter": {"onnx": "text"}}, "cannot be opened as onnx"),
        ({"adapter": {"torchscript": "text"}}, "cannot be opened as torchscript"),
        ({"adapter": {"class_path": "my_adapter.Broken"}}, "values that are not finite"),
        ({"adapter": {"class_path": "my_adapter.Nothing"}}, "has no method encode"),
        ({"adapter": {"class_path": "os.system"}}, "may not be imported"),
        ({"licence": None}, "it does not state licence"),
        ({"licence": ["MIT"]}, "licence must be a text, got ['MIT']"),
        ({"title": " "}, "title must be a text"),
        (
            {"adapter": {"torchscript": "weights", "init_args": {"a": 1}}},
            "init_args are names with",
        ),
        ({"adapter": {"st_mem": "weights"}}, "it holds more than weights and plain values"),
        ({"rate": 100}, "unknown rate"),
        ({"unit": "bar"}, "unit must be mV or uV or V"),
        ({"sampling_rate_hz": "fast"}, "sampling_rate_hz must be a number"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(
    change: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv(ALLOW_VARIABLE, "my_adapter")
    monkeypatch.delitem(sys.modules, "my_adapter", raising=False)
    file = write_adapter(tmp_path, "torchscript")
    (tmp_path / "text").write_text("no weights")
    content = {"adapter": {"torchscript": "weights"}, **STATED, **change}
    content = {name: value for name, value in content.items() if value is not None}
    file.write_text(yaml.safe_dump(content))
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        load_pretrained(str(file))
    assert "\n" not in str(caught.value)


def test_a_graph_whose_weights_lie_elsewhere_is_refused(tmp_path: Path) -> None:
    file = write_adapter(tmp_path, "onnx")
    model = onnx.load(tmp_path / "weights")
    weights = helper.make_tensor("w", TensorProto.FLOAT, [1], b"\0\0\0\0", raw=True)
    model.graph.initializer.append(weights)
    onnx.save(model, tmp_path / "weights", save_as_external_data=True, location="more",
              size_threshold=0)  # fmt: skip
    with pytest.raises(InputError, match="keeps weights in a second file"):
        ForeignEncoder(N, str(file))


def test_an_encoder_in_training_mode_is_refused(tmp_path: Path) -> None:
    class Batch(nn.Module):
        def forward(self, ecg: Tensor) -> Tensor:
            return (ecg - ecg.mean(0)).abs().mean(-1)

    file = write_adapter(tmp_path, "torchscript")
    torch.jit.trace(Batch(), torch.randn(2, 12, N)).save(str(tmp_path / "weights"))
    with pytest.raises(InputError, match="other features beside another one"):
        load_pretrained(str(file))


def test_arrays_are_encoded_by_an_adapter_too(tmp_path: Path) -> None:
    from lsemvae import encode

    file = write_adapter(tmp_path, "torchscript")
    array = np.random.default_rng(0).normal(0, 0.3, (2, 12, 5000)).cumsum(-1) * 0.01
    found = encode(array, 500, 12, encoder=str(file))
    assert found.shape == (2, 12)
    assert np.isfinite(found).all()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("data_modules.store.read.FileIO", "it is _io.FileIO, which is not of that package"),
        ("my_adapter.FileIO", "has no method encode"),
    ],
)
def test_an_adapter_empties_no_file(
    path: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Modules name classes of others; the constructor of this one opens a file for writing."""
    (tmp_path / "my_adapter.py").write_text("from io import FileIO\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv(ALLOW_VARIABLE, "my_adapter")
    monkeypatch.delitem(sys.modules, "my_adapter", raising=False)
    kept = tmp_path / "kept"
    kept.write_text("data")
    where = {"class_path": path, "init_args": {"file": str(kept), "mode": "w"}}
    adapter = tmp_path / "adapter.yaml"
    adapter.write_text(yaml.safe_dump({"adapter": where, **STATED}))
    with pytest.raises(InputError, match=re.escape(said)):
        load_pretrained(str(adapter))
    assert kept.read_text() == "data"
