import importlib
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.torture_checkpoint")


def test_a_killed_writer_leaves_a_whole_checkpoint(program, tmp_path: Path) -> None:
    found = program.torture("lsemvae", tmp_path, tmp_path, n_kills=3, megabytes=4.0)
    assert found == {"writer": "lsemvae", "kills": 3, "corrupt": 0, "megabytes": 4.0}
    assert len(list(tmp_path.glob("*/last.ckpt"))) == 3


def test_half_a_checkpoint_and_a_mixed_one_count_as_corrupt(program, tmp_path: Path) -> None:
    file = tmp_path / "last.ckpt"
    weights = {str(i): torch.zeros(10) for i in range(program.N_TENSORS)}
    torch.save({"state_dict": weights}, file)
    assert program.is_whole("lsemvae", file)
    torch.save({"state_dict": {**weights, "0": torch.ones(10)}}, file)
    assert not program.is_whole("lsemvae", file)
    file.write_bytes(file.read_bytes()[:1000])
    assert not program.is_whole("lsemvae", file)
