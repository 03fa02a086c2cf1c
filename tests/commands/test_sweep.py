"""`lsemvae sweep` from a file to the chosen configuration, on tiny recordings."""

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import IO

import pandas as pd
import pytest
import yaml

from lsemvae.callbacks import BetaAnnealing
from lsemvae.cli import main
from lsemvae.lightning_cli import build_cli
from lsemvae.sweep.command import without_logger
from lsemvae.sweep.trials import LAUNCH
from tests.conftest import ROOT, error_of, tiny_network
from tests.forked import Forked

GAMMA = "model.init_args.network.init_args.objective.gamma"
CHEST = "model.init_args.network.init_args.objective.lead_weights.chest"
DEMO = ROOT / "experiments/demo/pretrain.yaml"
METRIC = "latent/r2_from_limb/chest"


def forked(command: list[str], *, stdout: IO[str], stderr: int) -> Forked:
    """Stand for Popen of `python -c LAUNCH ARGUMENTS`."""
    assert (command[2], stderr) == (LAUNCH, subprocess.STDOUT)
    return Forked(main, [command[3:]], stdout=stdout)


FORKED = SimpleNamespace(Popen=forked, STDOUT=subprocess.STDOUT)


def write_sweep(folder: Path, pretraining: Path, config: Path = DEMO, **changes: object) -> str:
    """Write a sweep of two points over the demo's pre-training, and return its name."""
    content = {
        "name": "tiny",
        "program": "lsemvae",
        "method": "grid",
        "metric": {"name": METRIC, "goal": "maximize"},
        "parameters": {
            "beta": {"values": [0.25, 0.5]}, GAMMA: {"value": 2.0}, CHEST: {"value": 3.0}
        },
        "command": [
            "${env}", "${program}", "fit", f"--config={config}",
            *tiny_network(), f"--data.init_args.store={pretraining}",
            "--data.init_args.batch_size=8", "--trainer.max_epochs=1",
            "--trainer.logger=lsemvae.callbacks.PrivateWandbLogger",
            "--trainer.logger.save_dir=wandb_runs", "${args}",
        ],
    }  # fmt: skip
    file = folder / "sweep.yaml"
    file.write_text(yaml.safe_dump(content | changes))
    return str(file)


@pytest.mark.slow
def test_sweep_writes_table_picture_and_a_configuration_that_fit_takes(
    pretraining: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lsemvae.sweep.trials.subprocess", FORKED)
    config = tmp_path / "pretrain.yaml"
    config.write_text(DEMO.read_text())
    file = write_sweep(tmp_path, pretraining, config)
    assert main(["sweep", file]) == 0
    folder = tmp_path / "runs/sweeps/tiny"
    table = pd.read_csv(folder / "trials.csv")
    assert table["state"].tolist() == ["complete"] * 2
    assert sorted(table["beta"]) == [0.25, 0.5]
    assert (folder / "parallel_coordinates.png").read_bytes().startswith(b"\x89PNG")
    assert not (tmp_path / "wandb_runs").exists()
    for name in ("trials.md", "best.yaml"):
        assert "(SYNTHETIC data)" in (folder / name).read_text()
    for trial, metric in zip(table["trial"], table[METRIC], strict=True):
        log = pd.read_csv(folder / f"trial_{trial}/metrics.csv")
        assert log[METRIC].dropna().iloc[-1] == pytest.approx(metric)
    best = table.sort_values([METRIC, "trial"], ascending=[False, True]).iloc[0]
    cli = build_cli(["--config", str(folder / "best.yaml")], run=False)
    (annealing,) = [one for one in cli.trainer.callbacks if isinstance(one, BetaAnnealing)]
    assert annealing.end == best["beta"]
    assert cli.model.network.objective.gamma == 2.0
    assert cli.model.network.objective.weight_per_lead().tolist() == [1.0] * 6 + [3.0] * 6
    assert main(["fit", "--config", str(folder / "best.yaml"), "--trainer.fast_dev_run=true"]) == 0
    capsys.readouterr()
    assert main(["sweep", file]) == 0
    assert "trial " not in capsys.readouterr().out.replace("best: trial", "")
    config.write_text(DEMO.read_text().replace("lr: 0.001", "lr: 0.002"))
    assert main(["sweep", file]) == 2
    assert "training.model.lr 0.001 against 0.002" in error_of(capsys)
    other = write_sweep(tmp_path, pretraining, parameters={"beta": {"values": [1.0]}})
    assert main(["sweep", other]) == 2
    assert "holds trials of another sweep file" in error_of(capsys)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"parameters": {"model.init_args.gamma": {"values": [1.0]}}}, "gamma"),
        ({"parameters": {"beta": {"values": ["much"]}}}, "beta"),
        ({"parameters": {CHEST.replace("chest", "V7"): {"value": 1.0}}}, "V7"),
        ({"metric": {"name": "test/auroc"}}, "not of the validation part"),
        ({"method": "random"}, "has no end"),
        (
            {
                "command": [
                    "lsemvae",
                    "fit",
                    f"--config={ROOT}/experiments/pretrain/ls_emvae.yaml",
                    "${args}",
                ]
            },
            "mimic_iv_ecg.h5",
        ),
    ],
)
def test_bad_sweep_is_one_line_before_anything_is_written(
    pretraining: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], changes: dict[str, object], expected: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(["sweep", write_sweep(tmp_path, pretraining, **changes)]) == 2
    assert expected in error_of(capsys)
    assert [file.name for file in tmp_path.iterdir()] == ["sweep.yaml"]


def test_sweep_of_a_task_with_folds_is_refused(
    pretraining: Path, cohort: Path, encoder: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    command = [
        "lsemvae", "fit", f"--config={ROOT}/experiments/detection/ls_emvae_12l.yaml",
        f"--data.init_args.store={cohort}", f"--model.init_args.encoder={encoder}", "${args}",
    ]  # fmt: skip
    space = {"model.init_args.lr": {"values": [0.1]}}
    file = write_sweep(tmp_path, pretraining, command=command, parameters=space)
    assert main(["sweep", file]) == 2
    assert "a sweep chooses hyper-parameters of pre-training" in error_of(capsys)


def test_options_of_the_logger_are_taken_out() -> None:
    given = ["--config=a", "--trainer.logger", "x.Y", "--trainer.logger.save_dir=b", "--beta", "1"]
    assert without_logger(given) == ["--config=a", "--beta", "1"]
