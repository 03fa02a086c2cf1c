"""The batch script, with an srun and a scontrol that write down what they are given."""

import os
import subprocess
from pathlib import Path

import pytest

from lsemvae.lightning_cli import build_cli
from tests.conftest import ROOT

SCRIPT = ROOT / "experiments/slurm/pretrain.sbatch"


def run(tmp_path: Path, exit_code: int, *arguments: str) -> tuple[int, list[str], str]:
    """Return the script's exit code, the arguments of srun, and those of scontrol."""
    for name, code in (("srun", exit_code), ("scontrol", 0)):
        file = tmp_path / name
        file.write_text(f'#!/bin/bash\nprintf "%s\\n" "$@" > {tmp_path}/{name}.txt\nexit {code}\n')
        file.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SLURM_JOB_ID": "17",
                   "SLURM_NNODES": "2", "SLURM_NTASKS_PER_NODE": "8"}  # fmt: skip
    done = subprocess.run(["bash", str(SCRIPT), *arguments], env=environment, check=False)
    requeue = tmp_path / "scontrol.txt"
    given = (tmp_path / "srun.txt").read_text().splitlines()
    return done.returncode, given, requeue.read_text() if requeue.exists() else ""


@pytest.mark.parametrize(("exit_code", "requeued"), [(143, "requeue\n17\n"), (0, ""), (1, "")])
def test_only_a_run_that_was_told_to_stop_is_queued_again(
    exit_code: int, requeued: str, tmp_path: Path
) -> None:
    code, _, said = run(tmp_path, exit_code)
    assert (code, said) == (exit_code, requeued)


def test_the_command_is_one_that_the_parser_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = "experiments/pretrain/ls_emvae_synthetic.yaml"
    _, given, _ = run(tmp_path, 0, config, "--trainer.max_epochs", "3")
    assert given[:3] == ["--kill-on-bad-exit=1", "lightning", "fit"]
    monkeypatch.chdir(tmp_path)
    flags = [flag for flag in given[3:] if not flag.startswith(("--ckpt_path", "--trainer.dev"))]
    flags[flags.index(config)] = str(ROOT / config)
    here = ["--trainer.accelerator=cpu", "--trainer.devices=1"]
    cli = build_cli([*flags, *here], run=False)
    assert (cli.trainer.num_nodes, cli.trainer.max_epochs) == (2, 3)
    assert {"--trainer.devices=8", "--ckpt_path=last"} <= set(given)
