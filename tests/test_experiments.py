"""Every shipped YAML is instantiated as it stands and dry-run on tiny data."""

import re
from pathlib import Path

import pytest
import torch
import yaml

from lsemvae.cli import main
from lsemvae.lightning_cli import EcgCLI, build_cli
from tests.conftest import N_SAMPLES, ROOT, tiny_network

FOLDER = ROOT / "experiments"
CONFIGS = sorted(FOLDER.glob("*/*.yaml"))
PRETRAINING = [file for file in CONFIGS if "Pretrainer" in file.read_text()]
CLASSIFICATION = [file for file in CONFIGS if "Classifier" in file.read_text()]


# What makes a network tiny, by class; those that are not named here take tiny_network().
SIZE = "--model.init_args.network.init_args"
TINY = {
    "StMem": {"n_samples": N_SAMPLES, "patch_size": 30, "encoder.dim": 8, "encoder.n_blocks": 1,
              "encoder.n_heads": 2, "decoder.dim": 8, "decoder.n_blocks": 1, "decoder.n_heads": 2},
    "MultimodalCnn": {"n_samples": N_SAMPLES, "lead_features": 4},
    "ResNet1d": {"n_samples": N_SAMPLES, "width": 4},
    "XResNet1d": {"n_samples": N_SAMPLES, "width": 4},
}  # fmt: skip


def tiny(config: Path) -> list[str]:
    """Return the flags that make the network of a file tiny."""
    network = yaml.safe_load(config.read_text())["model"]["init_args"]["network"]
    size = TINY.get(network["class_path"].rsplit(".", 1)[1])
    if size is None:
        return tiny_network()
    return [part for key, value in size.items() for part in (f"{SIZE}.{key}", str(value))]


def name(file: Path) -> str:
    return file.relative_to(FOLDER).as_posix()


def test_every_file_is_of_a_known_kind_and_listed_in_the_readme() -> None:
    assert sorted(PRETRAINING + CLASSIFICATION) == CONFIGS
    readme = (FOLDER / "README.md").read_text()
    listed = set(re.findall(r"`([a-z_]+/[a-z0-9_]+\.yaml)`", readme))
    for first, second in re.findall(r"`([a-z_]+/[a-z0-9_]+)\.yaml`, `(_[a-z0-9_]+)\.yaml`", readme):
        listed.add(first.rsplit("_", 1)[0] + second + ".yaml")
    assert listed == {name(file) for file in CONFIGS}


@pytest.mark.parametrize("config", CONFIGS, ids=name)
def test_configuration_instantiates_at_full_size(
    config: Path, encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    more = ["--trainer.accelerator", "cpu"]
    if "encoder:" in config.read_text():
        more += ["--model.init_args.encoder", str(encoder)]
    monkeypatch.setattr(EcgCLI, "check_input", lambda _self: None)  # the data are not here
    with torch.device("meta"):
        cli = build_cli(["--config", str(config), *more], run=False)
    given = yaml.safe_load(config.read_text())
    assert type(cli.model).__name__ == given["model"]["class_path"].rsplit(".", 1)[1]
    assert cli.trainer.max_epochs == given["trainer"]["max_epochs"]


@pytest.mark.parametrize("config", PRETRAINING, ids=name)
def test_pretraining_dry_run(
    config: Path, pretraining: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if "SyntheticEcg" in config.read_text():
        data = ["--data.init_args.n_patients", "8"]
        network = tiny_network(n_samples=1000)
    else:
        data = ["--data.init_args.store", str(pretraining)]
        network = tiny(config)
    assert main(
        ["fit", "--config", str(config), *network, *data, "--trainer.fast_dev_run", "true"]
    ) == 0  # fmt: skip


@pytest.mark.parametrize("config", CLASSIFICATION, ids=name)
def test_classification_dry_run(
    config: Path, cohort: Path, encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if "encoder:" in config.read_text():
        network = ["--model.init_args.encoder", str(encoder)]
    else:
        network = tiny(config)
    common = ["--config", str(config), *network, "--data.init_args.store", str(cohort)]
    assert main(["fit", *common, "--trainer.max_epochs", "1"]) == 0
    (head,) = tmp_path.rglob("last.ckpt")
    for command in ("test", "predict"):
        fast = ["--trainer.fast_dev_run", "true", "--ckpt_path", str(head)]
        assert main([command, *common, *fast]) == 0


@pytest.mark.parametrize(
    ("logger", "written"),
    [("wandb", "wandb/offline-run-*"), ("tensorboard", "events.out.tfevents.*"),
     ("synthetic", "metrics.csv")],
)  # fmt: skip
def test_logger_works_without_an_account(
    logger: str, written: str, pretraining: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    config = FOLDER / f"pretrain/ls_emvae_{logger}.yaml"
    if logger == "synthetic":
        size = [*tiny_network(1000), "--data.init_args.n_patients", "8"]
    else:
        size = [*tiny_network(), "--data.init_args.store", str(pretraining),
                "--data.init_args.num_workers", "0"]  # fmt: skip
    assert main(
        ["fit", "--config", str(config), *size, "--trainer.max_epochs", "1",
         "--trainer.enable_progress_bar", "false"]
    ) == 0  # fmt: skip
    assert list((tmp_path / f"runs/pretrain/ls_emvae_{logger}").glob(written))
    assert list(tmp_path.rglob("last.ckpt"))
