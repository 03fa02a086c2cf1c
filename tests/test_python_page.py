"""The three examples of docs/python.md run as they stand, on few recordings and epochs."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_modules.reading.read import read_recording
from data_modules.store.read import EcgStore
from lsemvae.cli import main
from tests.conftest import ROOT, cv

BLOCK = re.compile(r"```python\n# (\w+)\.py\n(.*?)```", re.DOTALL)
SHORTER = {
    "epochs=50": "epochs=1",
    "folds=5": "folds=2",
    'out="page")': 'out="page", n_resamples=100)',
    'out="cohort.h5")': 'out="cohort.h5", signal=BEATS)',
}
BEATS = ("from data_modules.signals.settings import SignalSettings\n"
         "BEATS = SignalSettings(sampling_rate_hz=100, segment='median_beat')\n")  # fmt: skip


def example(name: str) -> str:
    found = dict(BLOCK.findall((ROOT / "docs/python.md").read_text()))[name]
    for long, short in SHORTER.items():
        found = found.replace(long, short)
    return BEATS + found


@pytest.fixture
def folder(tmp_path: Path, recordings: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder of somebody who has the synthetic cohort's files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cohort").symlink_to(recordings / "cohort")
    return tmp_path


def test_researcher(
    folder: Path, recordings: Path, cohort: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = EcgStore(cohort).table.head(18)
    read = [read_recording(recordings / "cohort/records", name, amplitude="calibrated")
            for name in table["record"]]  # fmt: skip
    np.save(folder / "ecg.npy", np.stack([one.ecg for one in read]))
    np.save(folder / "label.npy", np.arange(18) % 2)
    np.save(folder / "patient.npy", np.arange(18) // 2)
    exec(compile(example("researcher"), "researcher.py", "exec"), {})
    shape, auroc = capsys.readouterr().out.splitlines()[-2:]
    assert shape.startswith("(18, ")
    assert 0 <= float(auroc) <= 1


def test_clinician(
    folder: Path, recordings: Path, cohort: Path, encoder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert cv(cohort, encoder, folder / "runs", "--epochs", "20", "--lr", "0.01") == 0
    model = folder / "models/detection.safetensors"
    run = folder / "runs/detection/ls_emvae/12L"
    files = ["--cohort", str(cohort), "--encoder", str(encoder), "--out", str(model)]
    assert main(["lock", str(run), *files, "--withhold", "0", "--hashes", "false"]) == 0
    (folder / "new_recordings").mkdir()
    for file in sorted((recordings / "cohort/records").rglob("*.*"))[:8]:
        (folder / "new_recordings" / file.name).write_bytes(file.read_bytes())
    exec(compile(example("clinician"), "clinician.py", "exec"), {})
    assert "result" in capsys.readouterr().out
    assert len(pd.read_csv(folder / "predictions.csv")) == 4


def test_benchmark_builder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(example("benchmark_builder"), "benchmark_builder.py", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "page/index.html"
    assert (folder / "page/index.html").is_file()
    assert {line.split()[0] for line in lines} >= {"multimodal_cnn", "resnet1d"}


def test_fit_returns_the_last_checkpoint(
    pretraining: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lsemvae import fit

    monkeypatch.chdir(tmp_path)
    network = "model.init_args.network.init_args"
    checkpoint = fit(
        ROOT / "experiments/demo/pretrain.yaml",
        {f"{network}.n_samples": 120, f"{network}.latent_dim": 4,
         "data.init_args.store": str(pretraining), "trainer.max_epochs": 1,
         "trainer.enable_progress_bar": "false", "trainer.default_root_dir": str(tmp_path),
         "trainer.logger.init_args.save_dir": str(tmp_path)},
    )  # fmt: skip
    assert checkpoint is not None
    assert checkpoint.name == "last.ckpt"
    assert checkpoint.is_file()


def test_prepare_names_what_it_takes() -> None:
    from lsemvae import prepare
    from lsemvae.core.errors import InputError

    with pytest.raises(InputError, match=r"prepare takes mimic, cohort.*got 'ptb'"):
        prepare("ptb")
