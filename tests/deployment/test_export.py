import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
import torch

from benchmarks.without_torch import untrained
from lsemvae.cli import main
from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS
from lsemvae.deployment.export import export_onnx
from lsemvae.deployment.locked_network import LockedNetwork, describe, without_decoder
from lsemvae.deployment.model_file import LockedModel, write_model
from lsemvae.deployment.torch_predictor import TorchPredictor
from lsemvae.model_file.seal import OPEN_SEAL, seal
from lsemvae.model_file.trained_on import NOBODY
from lsemvae.models import load_pretrained
from lsemvae.models.mopoe_vae import MopoeVae
from lsemvae.predicting.onnx_predictor import DESCRIPTION, SEAL, OnnxPredictor
from lsemvae.tasks.head_task import HeadSettings
from tests.conftest import error_of
from tests.deployment.conftest import served_rows


def test_a_graph_gives_the_probabilities_of_the_network_for_any_leads(
    model: Path, graph: Path
) -> None:
    draw = np.random.default_rng(3)
    ecg = draw.normal(scale=0.4, size=(40, 12, 120)).astype(np.float32)
    present = draw.random((40, 12)) < 0.5
    present[:, 4] = True
    network, onnx = TorchPredictor(model), OnnxPredictor(graph)
    expected, found = (one.score(ecg, present) for one in (network, onnx))
    np.testing.assert_allclose(found.probability, expected.probability, atol=1e-5)
    np.testing.assert_allclose(found.uncertainty, expected.uncertainty, atol=1e-4)
    assert onnx.description == network.description
    assert all(map(np.array_equal, onnx.trained_on, network.trained_on))


def test_a_graph_is_applied_without_torch(
    model: Path, graph: Path, recordings: Path, tmp_path: Path
) -> None:
    out, records = tmp_path / "p.csv", recordings / "cohort/records"
    arguments = [str(graph), str(records), "--out", str(out), "--allow_trained_on"]
    code = (
        "import sys; from lsemvae.cli import main; code = main(['predict', *sys.argv[1:]]);"
        "bad = {'torch', 'lightning', 'wandb', 'pandas', 'h5py', 'matplotlib'} & set(sys.modules);"
        "sys.exit(str(bad) if bad else code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    again = tmp_path / "torch.csv"
    more = ["--out", str(again), "--allow_trained_on"]
    assert main(["predict", str(model), str(records), *more]) == 0
    np.testing.assert_allclose(
        pd.read_csv(out)["probability"], pd.read_csv(again)["probability"], atol=1e-5
    )


def test_leads_that_the_model_does_not_have_are_refused(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(tmp_path / "m.onnx")]
    assert main(["export", str(model), "--out", str(tmp_path / "m.bin")]) == 2
    assert "must end in .onnx" in error_of(capsys)
    assert main(["export", str(model), *out, "--leads", "7"]) == 2
    assert "leads must be 12, 6" in error_of(capsys)


def test_a_damaged_graph_is_noticed(
    graph: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = bytearray(graph.read_bytes())
    content[len(content) // 2] ^= 1
    damaged = tmp_path / "m.onnx"
    damaged.write_bytes(content)
    assert main(["predict", str(damaged), str(graph), "--out", str(tmp_path / "p.csv")]) == 2
    assert "is damaged" in error_of(capsys)


def _sealed_again(graph: Path, out: Path, old: str = "", new: str = "", **saving: Any) -> Path:
    """Change what a graph says about itself, and seal it as the program would."""
    content = onnx.load(graph)
    for text in content.metadata_props:
        if text.key == SEAL:
            text.value = OPEN_SEAL
        elif text.key == DESCRIPTION:
            assert old in text.value
            text.value = text.value.replace(old, new)
    onnx.save(content, out, **saving)
    seal(out)
    return out


def test_weights_in_a_second_file_are_refused(
    graph: Path, recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    two = {"save_as_external_data": True, "location": "weights", "size_threshold": 64}
    split = _sealed_again(graph, tmp_path / "m.onnx", **two)
    out = ["--out", str(tmp_path / "p.csv")]
    assert main(["predict", str(split), str(recordings / "cohort/records"), *out]) == 2
    assert "keeps weights in a second file, which no seal guards" in error_of(capsys)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (', "V6"]', "]", r"ecg is \['.*', 12, 120\], its description says \['batch', 11, 120\]"),
        ('"n_members": 3', '"n_members": 7', r"logit is \['.*', 3\], .* \['batch', 7\]"),
    ],
)
def test_a_graph_that_is_not_as_it_says_is_refused(
    graph: Path, tmp_path: Path, old: str, new: str, line: str
) -> None:
    text = '"fewest_leads": 12', '"fewest_leads": 11'
    few = _sealed_again(graph, tmp_path / "few.onnx", *text)
    with pytest.raises(InputError, match=line):
        OnnxPredictor(_sealed_again(few, tmp_path / "m.onnx", old, new))


@pytest.mark.slow
def test_a_model_on_the_shipped_encoder_needs_no_torch_for_real_recordings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpora = os.environ.get("ECG_CORPORA")
    if not corpora:
        pytest.skip("set ECG_CORPORA")
    torch.manual_seed(0)
    network = without_decoder(load_pretrained("public").network.eval())
    description = replace(
        untrained(describe([network])), method="ls_emvae_recommended", kind="ensemble", frozen=True,
        n_members=2, uncertainty="posterior",
    )  # fmt: skip
    heads = [HeadSettings().build(network.feature_dim(LEADS)) for _ in range(2)]
    model, graph = tmp_path / "m.safetensors", tmp_path / "m.onnx"
    write_model(model, LockedNetwork(description, [network], heads).eval(), NOBODY)
    assert main(["export", str(model), "--out", str(graph)]) == 0
    records = sorted(map(str, Path(corpora, "cinc2021").glob("HR*.hea")))
    found = {}
    for file in (model, graph):
        out = tmp_path / f"{file.suffix}.csv"
        assert main(["predict", str(file), *records, "--out", str(out)]) == 0
        found[file.suffix] = pd.read_csv(out)
    assert set(found[".onnx"]["outcome"]) == {"result"}
    for column in ("probability", "uncertainty"):
        expected = found[".safetensors"][column]
        assert expected.std() > 1e-3
        np.testing.assert_allclose(found[".onnx"][column], expected, atol=1e-4)
    sent = {file.name: file.read_bytes() for file in Path(corpora, "cinc2021").glob("HR06000.*")}
    (row,) = served_rows(monkeypatch, graph, sent)
    assert float(row["probability"]) == pytest.approx(found[".onnx"]["probability"][0], abs=1e-6)


@pytest.mark.slow
def test_a_mixture_over_all_subsets_of_leads_has_a_graph(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = without_decoder(MopoeVae(n_samples=120, latent_dim=2).eval())
    few = (network.members.sum(1) == 1) | network.members.all(1)  # 13 of 4,095: it takes seconds
    network.members, network.probability = network.members[few], network.probability[few]
    beats = {**untrained(()).signal, "segment": "median_beat"}  # of 120 samples
    description = replace(untrained(describe([network])), method="mopoe_vae", signal=beats)
    head = HeadSettings().build(network.feature_dim(LEADS))
    locked = LockedNetwork(description, [network], [head]).eval()
    out = tmp_path / "mopoe.onnx"
    # compared on random leads, and on more recordings than the graph was traced with
    assert export_onnx(LockedModel(locked, NOBODY, ""), out, leads=LEADS).difference < 1e-6
