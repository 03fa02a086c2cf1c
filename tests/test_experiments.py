"""Every shipped YAML is instantiated as it stands and dry-run on tiny data."""

import re
from pathlib import Path

import pytest
import torch
import yaml

from lsemvae.cli import main
from lsemvae.lightning_cli import EcgCLI, build_cli
from lsemvae.sweep.command import option_flags, parse
from lsemvae.sweep.file import read_sweep
from lsemvae.sweep.space import first_point, search_space
from tests.conftest import N_SAMPLES, ROOT, tiny_network
from tests.network_sizes import flat, tiny_sizes

FOLDER = ROOT / "experiments"
SWEEPS = sorted(FOLDER.glob("sweeps/*.yaml"))
CONFIGS = sorted(set(FOLDER.glob("*/*.yaml")) - set(SWEEPS))
PRETRAINING = [file for file in CONFIGS if "Pretrainer" in file.read_text()]
CLASSIFICATION = [file for file in CONFIGS if "Classifier" in file.read_text()]
DETECTION = [file for file in CLASSIFICATION if file.parent.name == "detection"]
OTHER_LABEL = [FOLDER / "phenotype/ls_emvae_6l.yaml", FOLDER / "phenotype/resnet1d_12l.yaml"]


SIZE = "--model.init_args.network.init_args"


def tiny(config: Path) -> list[str]:
    """Return the flags that make the network of a file tiny."""
    network = yaml.safe_load(config.read_text())["model"]["init_args"]["network"]
    sizes = flat(tiny_sizes()[network["class_path"].rsplit(".", 1)[1]])
    values = {"n_samples": N_SAMPLES, **sizes}
    return [part for key, value in values.items() for part in (f"{SIZE}.{key}", str(value))]


def commands(config: Path) -> tuple[str, ...]:
    """Return what a trained head does: where there are two lead sets, one each."""
    if not config.with_name(config.name.replace("_12l", "_6l")).exists():
        return ("test", "predict")
    return ("test",) if config.stem.endswith("_6l") else ("predict",)


def name(file: Path) -> str:
    return file.relative_to(FOLDER).as_posix()


def test_every_file_is_of_a_known_kind_and_listed_in_the_readme() -> None:
    assert sorted(PRETRAINING + CLASSIFICATION) == CONFIGS
    readme = (FOLDER / "README.md").read_text()
    listed = set(re.findall(r"`([a-z_]+/[a-z0-9_]+\.yaml)`", readme))
    for first, second in re.findall(r"`([a-z_]+/[a-z0-9_]+)\.yaml`, `(_[a-z0-9_]+)\.yaml`", readme):
        listed.add(first.rsplit("_", 1)[0] + second + ".yaml")
    assert listed == {name(file) for file in CONFIGS + SWEEPS}


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
    with_workers = config == PRETRAINING[0] or "num_workers" not in config.read_text()
    data += [] if with_workers else ["--data.init_args.num_workers", "0"]
    assert main(
        ["fit", "--config", str(config), *network, *data, "--trainer.fast_dev_run", "true"]
    ) == 0  # fmt: skip


def test_phenotype_files_are_those_of_detection_with_another_label() -> None:
    """So that two of them, one of each kind, are enough to run."""
    others = set(CLASSIFICATION) - set(DETECTION)
    assert {file.name for file in others} == {file.name for file in DETECTION}
    assert set(OTHER_LABEL) < others
    for file in others:
        same = (FOLDER / "detection" / file.name).read_text().replace("detection", "phenotype")
        assert file.read_text() == same, file


@pytest.mark.slow
@pytest.mark.parametrize("config", DETECTION + OTHER_LABEL, ids=name)
def test_classification_dry_run(
    config: Path, cohort: Path, encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if "encoder:" in config.read_text():
        network = ["--model.init_args.encoder", str(encoder)]
    else:
        network = tiny(config)
    common = ["--config", str(config), *network, "--data.init_args.store", str(cohort)]
    if config in OTHER_LABEL:
        assert main(["fit", *common, "--trainer.fast_dev_run", "true"]) == 0
        return
    assert main(["fit", *common, "--trainer.max_epochs", "1"]) == 0
    (head,) = tmp_path.rglob("last.ckpt")
    fast = ["--trainer.fast_dev_run", "true", "--ckpt_path", str(head)]
    for command in commands(config):
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
    if logger == "wandb":  # whose service keeps the working folder of its first run in a process
        size += [
            "--trainer.logger.init_args.save_dir",
            str(tmp_path / "runs/pretrain/ls_emvae_wandb"),
        ]
    assert main(
        ["fit", "--config", str(config), *size, "--trainer.max_epochs", "1",
         "--trainer.enable_progress_bar", "false"]
    ) == 0  # fmt: skip
    assert list((tmp_path / f"runs/pretrain/ls_emvae_{logger}").glob(written))
    assert list(tmp_path.rglob("last.ckpt"))


@pytest.mark.parametrize("sweep", SWEEPS, ids=name)
def test_options_of_a_sweep_reach_what_they_name(
    sweep: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    plan = read_sweep(sweep)
    space = search_space(plan)
    point = {name: getattr(one, "high", None) or one.choices[-1] for name, one in space.items()}
    config, _ = parse([*plan.arguments, *option_flags(point)])
    for option, value in point.items():
        found = config
        for part in option.split("."):
            found = found[part]
        assert found == value, option
    (annealing,) = [one for one in config.trainer.callbacks if "Annealing" in one.class_path]
    assert annealing.init_args.end == point["beta"]
    assert plan.name == sweep.stem
    assert f"--trainer.logger.save_dir=runs/sweeps/{plan.name}" in plan.arguments


@pytest.mark.parametrize("sweep", SWEEPS, ids=name)
def test_wandb_agent_runs_a_sweep_with_the_options_of_the_local_engine(sweep: Path) -> None:
    """W&B's own functions fill the command in; for the rest its agent needs a server."""
    from wandb.sdk.launch.sweeps.utils import create_sweep_command, create_sweep_command_args

    content, plan = yaml.safe_load(sweep.read_text()), read_sweep(sweep)
    point = first_point(search_space(plan))
    values = {key: {"value": one} for key, one in point.items()}
    filled = create_sweep_command_args({"args": values})
    filled |= {"env": ["/usr/bin/env"], "program": [content["program"]]}
    words = [
        word for part in create_sweep_command(list(content["command"]))
        for word in (filled[part[2:-1]] if part.startswith("${") else [part])
    ]  # fmt: skip
    assert words == ["/usr/bin/env", "lsemvae", "fit", *plan.arguments, *option_flags(point)]


@pytest.mark.parametrize("sweep", SWEEPS, ids=name)
def test_sweep_passes_the_validator_of_wandb(sweep: Path) -> None:
    reason = "W&B's validator is not installed: pip install --no-deps sweeps"
    validator = pytest.importorskip("sweeps.config", reason=reason)
    content = yaml.safe_load(sweep.read_text())
    assert validator.schema_violations_from_proposed_config(content) == []
    broken = content | {"method": "guess"}
    assert validator.schema_violations_from_proposed_config(broken) != []
