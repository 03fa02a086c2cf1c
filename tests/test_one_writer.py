"""A process that is not the first writes nothing."""

from pathlib import Path

import pytest
from lightning.fabric.utilities.rank_zero import rank_zero_only
from lightning.pytorch.strategies import SingleDeviceStrategy

from lsemvae.cli import main
from tests.test_resume import arguments


@pytest.mark.parametrize("is_first", [True, False])
def test_only_the_first_process_writes(
    is_first: bool, pretraining: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One process is told that it is another; two of them would write the same names."""
    monkeypatch.setattr(SingleDeviceStrategy, "is_global_zero", is_first)
    monkeypatch.setattr(rank_zero_only, "rank", 0 if is_first else 1, raising=False)
    monkeypatch.chdir(tmp_path)
    assert main(arguments(pretraining, tmp_path / "run", "--trainer.max_epochs", "2")) == 0
    written = {file.name for file in tmp_path.rglob("*") if file.is_file()}
    names = {
        "config.yaml", "last.ckpt", "last.ckpt.sha256", "metrics.csv", "provenance.json",
        "reconstructions.npz", "trained_on.npz",
    }  # fmt: skip
    assert written == (names if is_first else set())
