"""Make tiny recordings, stores and an encoder once per session, through the public doors."""

import os
import sys
from pathlib import Path

import pytest
import torch
from matplotlib.layout_engine import ConstrainedLayoutEngine

from lsemvae.cli import main

ROOT = Path(__file__).parents[1]
N_PATIENTS = 60
N_SAMPLES = 120  # a median beat of 1.2 s at 100 Hz
LATENT_DIM = 4
LAY_OUT = ConstrainedLayoutEngine.execute
BEATS = ["--signal.segment", "median_beat", "--signal.sampling_rate_hz", "100"]


def pytest_configure() -> None:
    """Wait for no disk: only a loss of power would tell, and a run of commands waits 60 times.

    Tests of what happens where it fails, or in which order, put their own in its place. Nor are
    figures laid out, which is half of drawing; a test that measures one puts LAY_OUT back.
    """
    os.fsync = lambda descriptor: None  # type: ignore[assignment]
    ConstrainedLayoutEngine.execute = lambda engine, figure: None  # type: ignore[method-assign]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Undo what a command leaves in its process, so that no test depends on those before it."""
    os.environ.pop("PL_GLOBAL_SEED", None)
    torch.set_float32_matmul_precision("highest")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown() -> None:
    """End a W&B run while its folder is still there, or the next logger would go on with it."""
    if "wandb" in sys.modules and sys.modules["wandb"].run is not None:
        sys.modules["wandb"].finish()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files with slow tests first, so that no process ends alone with one of them."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with `cohort/` and `mimic/` of synthetic WFDB records."""
    folder = tmp_path_factory.mktemp("recordings")
    arguments = ["--n_patients", str(N_PATIENTS), "--n_pretraining_patients", "12"]
    assert main(["synthesize", "--out", str(folder), *arguments]) == 0
    return folder


@pytest.fixture(scope="session")
def cohort(recordings: Path) -> Path:
    """Return the store of the synthetic cohort's median beats."""
    out = recordings / "cohort.h5"
    source = recordings / "cohort"
    assert main(
        ["prepare", "cohort", "--table", str(source / "cohort.csv"), "--source",
         str(source / "records"), "--out", str(out), *BEATS]
    ) == 0  # fmt: skip
    return out


@pytest.fixture(scope="session")
def pretraining(recordings: Path) -> Path:
    """Return the store of the synthetic pre-training set's median beats."""
    out = recordings / "mimic.h5"
    source = str(recordings / "mimic")
    assert main(["prepare", "mimic", "--source", source, "--out", str(out), *BEATS]) == 0
    return out


def tiny_network(n_samples: int = N_SAMPLES, latent_dim: int = LATENT_DIM) -> list[str]:
    """Return the flags that make the network of a pre-training YAML tiny."""
    prefix = "--model.init_args.network.init_args"
    return [f"{prefix}.n_samples", str(n_samples), f"{prefix}.latent_dim", str(latent_dim)]


@pytest.fixture(scope="session")
def pretrained(pretraining: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a short pre-training run; its encoder is checkpoints/last.ckpt."""
    run = tmp_path_factory.mktemp("pretrained")
    assert main(
        ["fit", "--config", str(ROOT / "experiments/demo/pretrain.yaml"), *tiny_network(),
         "--data.init_args.store", str(pretraining), "--data.init_args.batch_size", "8",
         "--trainer.max_epochs", "2", "--trainer.enable_progress_bar", "false",
         "--trainer.default_root_dir", str(run),
         "--trainer.logger.init_args.save_dir", str(run)]
    ) == 0  # fmt: skip
    return run


@pytest.fixture(scope="session")
def encoder(pretrained: Path) -> Path:
    """Return the checkpoint of the short pre-training run."""
    return pretrained / "checkpoints/last.ckpt"


def cv(cohort: Path, encoder: Path, out: Path, *more: str) -> int:
    """Run a short cross-validation and return the exit code."""
    arguments = ["--cohort", str(cohort), "--encoder", str(encoder), "--out", str(out)]
    return main(["cv", "--epochs", "2", "--folds", "3", *arguments, *more])


def error_of(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one error line that was printed."""
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    return lines[0]
