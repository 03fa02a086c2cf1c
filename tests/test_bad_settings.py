"""Settings that no run can take, through the front door: one line, exit code 2, nothing written."""

import os
from pathlib import Path

import pytest
import torch

from lsemvae.cli import main
from tests.conftest import ROOT, error_of, tiny_network
from tests.killed import GONE, begun

NETWORK = "--model.init_args.network.init_args"


def fit(store: Path, folder: Path, *more: str, config: Path | None = None) -> int:
    """Run the demo's pre-training with a tiny network in a folder."""
    given = str(config or ROOT / "experiments/demo/pretrain.yaml")
    return main(
        ["fit", "--config", given, *tiny_network(), "--data.init_args.store", str(store),
         "--trainer.max_epochs", "1", "--trainer.enable_progress_bar", "false",
         "--trainer.default_root_dir", str(folder),
         "--trainer.logger.init_args.save_dir", str(folder), *more]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--seed_everything", str(10**20), "seed_everything"),
        ("--data.init_args.batch_size", "0", "batch_size must be >= 1"),
        ("--data.init_args.seed", "-1", "seed must be in 0..4293967296, got -1"),
        ("--data.init_args.num_workers", "5000", "on this machine, got 5000: each a"),
        ("--model.init_args.lr", ".inf", "lr must be > 0 and finite, got inf"),
        ("--model.init_args.lr", "-1", "lr must be > 0 and finite, got -1.0"),
        ("--model.init_args.lr", "nan", "--model.init_args.lr takes a number, got 'nan'"),
        ("--data.init_args.batch_size", "null", "--data.init_args.batch_size needs a value"),
        ("--data.init_args.batch_size", "[8]", "batch_size takes a whole number, got '[8]'"),
        ("--model.init_args.network", "[]", "network takes the path of a class, got '[]'"),
        ("--trainer.callbacks", "[abc]", "--trainer.callbacks takes a list of classes, such as"),
        (f"{NETWORK}.latent_dim", "0", "latent_dim must be >= 1, got 0"),
        (f"{NETWORK}.latent_dim", str(10**12), "memory"),
        ("--trainer.devices", "0", "devices"),
        ("--trainer.max_epochs", str(10**20), "--trainer.max_epochs may be 9,223,372,036,854"),
        ("--trainer.gradient_clip_val", "-1", "--trainer.gradient_clip_val may be 0 at least"),
        ("--trainer.precision", "7", "precision"),
        ("--trainer.logger", "CometLogger", "may not import"),
    ],
)
def test_impossible_setting_is_one_line(
    pretraining: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch, option: str, value: str, expected: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert fit(pretraining, tmp_path / "run", option, value) == 2
    assert expected in error_of(capsys)
    assert not (tmp_path / "run").exists()


def test_binary_file_as_configuration_is_one_line(
    pretraining: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    binary = tmp_path / "config.yaml"
    binary.write_bytes(bytes(range(256)) * 4)
    assert fit(pretraining, tmp_path / "run", config=binary) == 2
    assert error_of(capsys)


@pytest.fixture
def other_size(pretraining: Path, tmp_path: Path) -> Path:
    """Return a whole checkpoint of a network of another size."""
    run = tmp_path / "other"
    assert fit(pretraining, run, f"{NETWORK}.latent_dim", "6") == 0
    return run / "checkpoints/last.ckpt"


def test_checkpoint_of_another_size_is_one_line(
    pretraining: Path, other_size: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    more = ("--ckpt_path", str(other_size), f"{NETWORK}.latent_dim", "4")
    assert fit(pretraining, run, *more) == 2
    assert "the checkpoint is of another network or size" in error_of(capsys)
    cut = tmp_path / "cut.ckpt"
    cut.write_bytes(other_size.read_bytes()[:5000])
    assert fit(pretraining, run, "--ckpt_path", str(cut)) == 2
    assert "is not a readable checkpoint" in error_of(capsys)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"state_dict": {}}, "checkpoint"),
        ({"weights": 1}, "holds no weights"),
        ([1, 2], "holds no weights"),
    ],
)
def test_foreign_checkpoint_is_one_line(
    pretraining: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: object,
    expected: str,
) -> None:  # fmt: skip
    foreign = tmp_path / "foreign.ckpt"
    torch.save(content, foreign)
    assert fit(pretraining, tmp_path / "run", "--ckpt_path", str(foreign)) == 2
    assert expected in error_of(capsys)


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--prevalence", "!!timestamp x", "has the tag !!timestamp (line 1)"),
        ("--prevalence", "a: !!timestamp x", "has the tag !!timestamp"),
        ("--n_parameters", "[!!timestamp x]", "has the tag !!timestamp"),
        ("--out", "!!binary YQ==", "has the tag !!binary"),
        ("--n_parameters", "!!set {1}", "has the tag !!set"),
        ("--config", "--", "--config needs a value"),
        ("--n_parameters", "9" * 5000, "--n_parameters takes a list, got '[999"),
    ],
)
def test_odd_yaml_in_an_option_is_one_short_line(
    option: str, value: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [f"{option}={value}", "--auroc", ".8"]
    assert main(["plan", *given, *([] if "prev" in option else ["--prevalence", ".3"])]) == 2
    assert expected in (line := error_of(capsys))
    assert len(line) < 400


@pytest.mark.parametrize(
    "arguments", [["cv", "--lr", "nan"], ["cv", "--jobs", "abc"], ["cv", "--folds", "1"]]
)
def test_bad_number_of_a_command_is_one_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert "usage:" not in error_of(capsys)


def test_second_fit_needs_to_be_told_that_it_replaces_the_first(
    pretraining: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    assert fit(pretraining, run) == 0
    kept = {file: file.read_bytes() for file in run.rglob("*") if file.is_file()}
    assert fit(pretraining, run, "--seed_everything", "5") == 2
    error = error_of(capsys)
    assert "last.ckpt is of a run that was made here" in error
    assert "--ckpt_path=" in error
    assert "--overwrite=true" in error
    assert {file: file.read_bytes() for file in run.rglob("*") if file.is_file()} == kept
    assert fit(pretraining, run, "--seed_everything", "5", "--overwrite", "true") == 0
    last = run / "checkpoints/last.ckpt"
    assert last.read_bytes() != kept[last]
    assert fit(pretraining, run, "--ckpt_path", str(last), "--trainer.max_epochs", "2") == 0


def test_log_without_checkpoints_is_kept_too(
    pretraining: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, none = tmp_path / "run", ("--trainer.callbacks", "[]", "--trainer.enable_checkpointing",
                                   "false")  # fmt: skip
    assert fit(pretraining, run, *none) == 0
    assert fit(pretraining, run, *none) == 2
    assert "metrics.csv is of a run that was made here" in error_of(capsys)


def test_leftover_of_a_killed_run_is_removed(pretraining: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run/checkpoints"
    folder.mkdir(parents=True)
    gone, alive = begun(folder / "last.ckpt", GONE), begun(folder / "other.ckpt", os.getppid())
    for file in (gone, alive):
        file.write_bytes(b"half")
    assert fit(pretraining, tmp_path / "run") == 0
    assert not gone.exists()
    assert alive.exists()


@pytest.mark.parametrize("name", ["config.yaml", "metrics.csv", "provenance.json"])
def test_fit_writes_over_no_file_of_somebody_else(
    name: str, pretraining: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_text("mine\n")
    assert fit(pretraining, tmp_path, "--overwrite", "true") == 2
    assert f"cannot write {tmp_path / name}: it exists and this command did not" in error_of(capsys)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["mine\n"]
