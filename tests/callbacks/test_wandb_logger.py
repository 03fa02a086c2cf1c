"""Tokens are planted wherever W&B looks; none may be in any byte of the offline run folder."""

import os
import platform
from pathlib import Path

import pytest

from tests.conftest import ROOT, tiny_network
from tests.forked import call_in_processes, run_program

SECRETS = {
    "argv": "ARGVTOKEN", "console": "CONSOLETOKEN", "host": "HOSTTOKEN", "path": "PATHTOKEN",
    "user": "USERTOKEN", "record": "RECORDTOKEN", "cell": "CELLTOKEN",
}  # fmt: skip
PATIENT = 987654321

TALK = f"""
import getpass, platform, socket, sys
socket.gethostname = platform.node = lambda: "HOSTTOKEN"
def talk(logger):
    print("CONSOLETOKEN"); print("CONSOLETOKEN", file=sys.stderr)
    rows = [["RECORDTOKEN_1", {PATIENT}, 0.25, "CELLTOKEN"]]
    logger.log_table("worst", columns=["record", "subject_id", "error", "note"], data=rows, step=1)
    import wandb
    wandb.finish()
"""
PRIVATE = """
from lsemvae.lightning_cli import build_cli
cli = build_cli(sys.argv[2:], run=False)
cli.before_fit()
cli.trainer.fit(cli.model, datamodule=cli.datamodule)
talk(cli.trainer.logger)
"""
PLAIN = """
from lightning.pytorch.loggers import WandbLogger
logger = WandbLogger(save_dir="PATHTOKEN", offline=True)
logger.log_hyperparams({"store": "PATHTOKEN/store.h5"})
talk(logger)
"""


def run(code: str, folder: Path, *arguments: str) -> list[bytes]:
    """Run code as a program and return the bytes of every file of its W&B run, and its name."""
    home = folder / "USERTOKEN"
    (folder / "PATHTOKEN").mkdir()
    home.mkdir()
    hidden = ("WANDB", "LSEMVAE", "XDG", "CI", "GITHUB")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    environment |= {"HOME": str(home), "USER": "USERTOKEN", "LOGNAME": "USERTOKEN"}
    program = folder / "PATHTOKEN/program.py"
    program.write_text(TALK + code)
    call_in_processes(1, home, run_program, program, folder, environment, ["ARGVTOKEN", *arguments])
    (found,) = [file for file in folder.rglob("offline-run-*") if file.is_dir()]
    files = [file for file in found.rglob("*") if file.is_file()]
    links = [os.fsencode(file.readlink()) for file in found.rglob("*") if file.is_symlink()]
    return [file.read_bytes() + file.name.encode() for file in files] + links


@pytest.mark.slow
def test_offline_run_holds_hyper_parameters_and_no_secret(
    pretraining: Path, tmp_path: Path
) -> None:
    store = tmp_path / "store_PATHTOKEN.h5"
    store.symlink_to(pretraining)
    files = run(
        PRIVATE, tmp_path, "--config", str(ROOT / "experiments/pretrain/ls_emvae_wandb.yaml"),
        *tiny_network(), "--data.init_args.store", str(store), "--data.init_args.num_workers", "0",
        "--trainer.max_epochs", "1", "--trainer.logger.save_dir", str(tmp_path / "PATHTOKEN"),
        "--beta", "0.73125",
    )  # fmt: skip
    everything = b"".join(files)
    secrets = [*SECRETS.values(), str(PATIENT), str(tmp_path), os.environ.get("HOSTNAME", "")]
    if len(platform.node()) > 5:
        secrets.append(platform.node())
    found = [secret for secret in secrets if secret and secret.encode() in everything]
    assert found == []
    for expected in (b"model.network.latent_dim", b"0.73125", b"train/loss", b"lsemvae.models."):
        assert expected in everything


@pytest.mark.slow
def test_tokens_are_planted_where_the_plain_logger_takes_them(tmp_path: Path) -> None:
    everything = b"".join(run(PLAIN, tmp_path))
    missing = [secret for secret in SECRETS.values() if secret.encode() not in everything]
    assert missing == []
    assert str(PATIENT).encode() in everything
