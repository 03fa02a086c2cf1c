"""A network of the user's own runs through fit, cv, benchmark, report and explain, as its page."""

import json
import re
import shlex
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pandas as pd
import pytest

from lsemvae.cli import main
from lsemvae.models import load_pretrained
from lsemvae.models.methods import find_method
from lsemvae.runtime import own_classes
from lsemvae.runtime.own_classes import ALLOW_VARIABLE
from tests.conftest import N_SAMPLES, ROOT, error_of

PAGE = ROOT / "docs/own_network.md"
BLOCK = re.compile(r"```(python|yaml|bash)\n(.*?)```", re.DOTALL)
FEW = ["--epochs", "1", "--folds", "2"]
SHORTER = {
    "fit": ["--model.init_args.network.init_args.n_samples", str(N_SAMPLES),
            "--data.init_args.n_folds", "2", "--trainer.max_epochs", "1",
            "--trainer.enable_progress_bar", "false"],
    "cv": FEW,
    "benchmark": [*FEW, "--tasks", '["detection"]'],
    "report": ["--n_resamples", "100"],
    "explain": ["--waves", "false", "--pictures", "1", "--records", "6", "--n_steps", "8"],
}  # fmt: skip
PRETRAINED = """
import torch
from lsemvae.models import LossTerms, PretrainableNetwork


class Means(PretrainableNetwork):
    def __init__(self, n_samples: int):
        super().__init__(n_samples)
        self.mix = torch.nn.Linear(1, 3)

    def feature_dim(self, leads):
        return 3

    def encode(self, ecg, leads, present=None):
        return self.mix(ecg.std((1, 2))[:, None])

    def loss(self, ecg, leads, *, beta, present=None, visible=None):
        total = self.encode(ecg, leads).square().mean()
        return LossTerms(total, {"size": total})
"""


@pytest.fixture
def folder(tmp_path: Path, cohort: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of a user's with the page's files and a cohort, which is the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv(ALLOW_VARIABLE, "my_net,my_encoder")
    monkeypatch.delitem(sys.modules, "my_net", raising=False)
    monkeypatch.delitem(sys.modules, "my_encoder", raising=False)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/rhc_cohort.h5").symlink_to(cohort)
    for kind, text in BLOCK.findall(PAGE.read_text()):
        if kind != "bash":
            (tmp_path / text.partition("\n")[0].removeprefix("# ")).write_text(text)
    return tmp_path


def cross_validate(*more: str) -> int:
    return main(["cv", "--cohort", "data/rhc_cohort.h5", "--out", "runs/cv", *FEW, *more])


def test_the_page_runs_as_it_stands(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = PAGE.read_text()
    assert len((folder / "my_net.py").read_text().splitlines()) <= 28
    lines = [line for kind, block in BLOCK.findall(text) if kind == "bash"
             for line in block.splitlines() if line.startswith("lsemvae")]  # fmt: skip
    commands = [shlex.split(line)[1:] for line in lines]
    assert [words[0] for words in commands] == ["cv", "report", "explain", "fit", "benchmark"]
    for words in commands:
        assert main([*words, *SHORTER[words[0]]]) == 0, words
    metrics = json.loads(Path("runs/cv/detection/my_net.TinyNet/12L/metrics.json").read_text())
    assert metrics["title"] == "TinyNet"
    assert metrics["network"]["class_path"] == "my_net.TinyNet"
    assert len(metrics["network"]["source_sha256"]) == 64
    assert "TinyNet" in Path("reports/index.html").read_text()
    assert len(pd.read_csv("reports/explain/attribution.csv")) > 0
    table = pd.read_csv("runs/benchmark/table2_detection.csv", keep_default_na=False)
    assert table["method"].tolist() == ["TinyNet", "wide_net", "larger class alone"]
    assert table["study"].tolist()[:2] == ["Own", "Own"]
    _changed_code_is_not_mixed_with_finished_folds(folder, capsys)


def _changed_code_is_not_mixed_with_finished_folds(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (folder / "my_net.py").open("a") as file:
        file.write("\n\nWIDTH = 3\n")
    capsys.readouterr()
    assert cross_validate("--method", "my_net.TinyNet") == 2
    assert "network.source_sha256" in error_of(capsys)


def test_a_pretrained_network_of_ones_own_is_frozen_by_its_checkpoint(
    folder: Path, pretraining: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "my_encoder.py").write_text(PRETRAINED)
    (folder / "means.yaml").write_text(
        "model:\n  class_path: lsemvae.tasks.Pretrainer\n  init_args:\n    network:\n"
        f"      class_path: my_encoder.Means\n      init_args: {{n_samples: {N_SAMPLES}}}\n"
        "data:\n  class_path: data_modules.MimicEcg\n  init_args:\n"
        f"    store: {pretraining}\n    batch_size: 16\n"
        "trainer:\n  max_epochs: 1\n  logger:\n"
        "    class_path: lightning.pytorch.loggers.CSVLogger\n"
        '    init_args: {save_dir: runs/means, name: "", version: ""}\n'
        "  callbacks:\n    - class_path: lightning.pytorch.callbacks.ModelCheckpoint\n"
        "      init_args: {dirpath: runs/means, save_last: true, save_top_k: 0}\n"
    )
    assert main(["fit", "--config", "means.yaml", "--trainer.enable_progress_bar", "false"]) == 0
    encoder = ["--encoder", "runs/means/last.ckpt"]
    assert type(load_pretrained(encoder[1]).network).__name__ == "Means"
    assert cross_validate("--method", "means.yaml", *encoder) == 0
    metrics = json.loads(Path("runs/cv/detection/means/12L/metrics.json").read_text())
    assert metrics["pretrained"] is True
    capsys.readouterr()
    assert cross_validate("--method", "my_net.TinyNet", *encoder) == 2
    assert "takes no --encoder" in error_of(capsys)


def test_a_checkpoint_of_a_class_that_is_not_allowed_is_not_imported(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(ALLOW_VARIABLE)
    assert cross_validate("--method", "my_net.TinyNet") == 2
    assert f"{ALLOW_VARIABLE}=my_net" in error_of(capsys)
    assert "my_net" not in sys.modules


def test_an_installed_package_registers_its_network(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(ALLOW_VARIABLE)
    point = EntryPoint("tiny", "my_net:TinyNet", own_classes.ENTRY_POINTS)
    monkeypatch.setattr(own_classes, "entry_points", lambda group: [point])
    own_classes.registered_classes.cache_clear()
    try:
        found = find_method("tiny")
        assert (found.title, found.network.__name__) == ("tiny", "TinyNet")
    finally:
        own_classes.registered_classes.cache_clear()


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("my_net.Absent", "the module my_net has no class 'Absent'"),
        ("my_encoder.TinyNet", "cannot be imported (ModuleNotFoundError"),
        ("my_net.nn", "is no class"),
        ("absent.yaml", "there is no experiment file absent.yaml"),
        ("ls_emvae.yaml", "rename the file"),
        ("broken.yaml", "states no network"),
        ("wrong.yaml", "has no loss of its own"),
        ("wordy.yaml", "my_net.TinyNet cannot be built with"),
        ("bad_net.Wrong", "must return finite features (2, 5)"),
    ],
)
def test_what_is_no_method_is_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    method: str, expected: str,
) -> None:  # fmt: skip
    monkeypatch.setenv(ALLOW_VARIABLE, "my_net,my_encoder,bad_net")
    wide = (folder / "wide_net.yaml").read_text()
    (folder / "broken.yaml").write_text("model: {class_path: lsemvae.tasks.Classifier}\n")
    (folder / "wrong.yaml").write_text(wide.replace("tasks.Classifier", "tasks.Pretrainer"))
    (folder / "wordy.yaml").write_text(wide.replace("width: 16", "depth: 16"))
    source = (folder / "my_net.py").read_text()
    (folder / "bad_net.py").write_text(
        source.replace("TinyNet", "Wrong").replace("return self.width", "return 5")
    )
    assert cross_validate("--method", method) == 2
    assert expected in error_of(capsys)
    assert not list(folder.rglob("predictions.csv"))
