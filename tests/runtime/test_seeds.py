"""Seeds that no generator takes, typed or in a YAML file; NumPy's refusal was a traceback."""

from pathlib import Path

import pytest

from lsemvae.cli import main
from lsemvae.core.errors import InputError
from lsemvae.core.seeds import MAX_SEED
from lsemvae.runtime.config_safety import check_values
from tests.conftest import error_of


@pytest.mark.parametrize("seed", [-1, MAX_SEED + 1])
def test_a_command_refuses_it_from_a_file(
    seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.yaml").write_text(f"seed: {seed}\n")
    out = tmp_path / "s"
    assert main(["synthesize", "--config", str(tmp_path / "c.yaml"), "--out", str(out)]) == 2
    assert f"--seed must be in 0..{MAX_SEED}, got {seed}" in error_of(capsys)
    assert not out.exists()


def test_a_command_refuses_it_as_it_is_typed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = ["--cohort", "none.h5", "--out", str(tmp_path)]
    assert main(["stress", "none.safetensors", *files, "--seed", "-1"]) == 2
    assert "--seed must be in" in error_of(capsys)


def test_a_training_refuses_it_by_its_place() -> None:
    check_values({"seed_everything": True, "data": {"init_args": {"seed": 0}}})
    with pytest.raises(InputError, match=r"--data.init_args.seed must be in 0..\d+, got -1"):
        check_values({"data": {"init_args": {"seed": -1}}})
