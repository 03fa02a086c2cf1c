"""Ctrl-C before anything is trained: 130 and a sentence, whatever the command, no traceback."""

from pathlib import Path
from typing import NoReturn

import pytest

from data_modules.mimic_ecg import MimicEcg
from data_modules.store.read import EcgStore
from lsemvae.cli import main
from tests.conftest import ROOT, tiny_network

OPENING = {
    "check cohort": "--store STORE",
    "table1": "--cohort STORE --out OUT/t",
    "inspect": "STORE",
    "view": "STORE:0 --out OUT/v.png",
    "cv": "--cohort STORE --method resnet1d --size small --leads I --out OUT",
    "worth": "--encoder ENCODER --cohort STORE --out OUT",
    "benchmark": "--cohort STORE --methods resnet1d --tasks detection --leads 6 --out OUT",
    "fit": "",
}


def interrupt(*_: object, **__: object) -> NoReturn:
    raise KeyboardInterrupt


def fit(store: Path, folder: Path) -> list[str]:
    return ["--config", str(ROOT / "experiments/demo/pretrain.yaml"), *tiny_network(),
            "--data.init_args.store", str(store), "--trainer.default_root_dir", str(folder),
            "--trainer.logger.init_args.save_dir", str(folder)]  # fmt: skip


@pytest.mark.parametrize("command", OPENING)
def test_ctrl_c_while_a_command_begins(
    command: str, cohort: Path, encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    words = OPENING[command]
    for name, path in {"STORE": cohort, "ENCODER": encoder, "OUT": tmp_path}.items():
        words = words.replace(name, str(path))
    monkeypatch.setattr(EcgStore, "__init__", interrupt)
    options = words.split() or fit(cohort, tmp_path)
    assert main([*command.split(), *options]) == 130
    assert "interrupted; what is finished is kept" in capsys.readouterr().err


def test_ctrl_c_between_the_command_line_and_the_first_step(
    pretraining: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """There Lightning turns it into exit code 1."""
    monkeypatch.setattr(MimicEcg, "train_dataloader", interrupt)
    assert main(["fit", *fit(pretraining, tmp_path)]) == 130
    assert "interrupted; what is finished is kept" in capsys.readouterr().err
