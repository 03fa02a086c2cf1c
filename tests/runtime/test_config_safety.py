"""Hostile configurations through the front door; each ends in one line and does nothing."""

import os
import socket
import time
from pathlib import Path

import pytest
import yaml

from lsemvae.cli import main
from lsemvae.core.errors import InputError
from lsemvae.core.yaml_text import MAX_CHARACTERS, MAX_DEPTH, check_yaml, read_yaml
from tests.conftest import ROOT, error_of

BASE = ROOT / "experiments/demo/pretrain.yaml"
CALLBACK = "lightning.pytorch.callbacks.LambdaCallback"


def fit(folder: Path, text: str) -> int:
    """Run `lsemvae fit` on the demo's configuration with a hostile one on top."""
    hostile = folder / "hostile.yaml"
    hostile.write_text(text)
    return main(["fit", "--config", str(BASE), "--config", str(hostile)])


NAMES = [
    "os.system", "posix.system", "subprocess.Popen", "builtins.exec", "torch.os.system",
    "torch.hub.load", "torch.load", "torch.utils.collect_env.run", "pathlib.Path",
    "lsemvae.command_table.import_module", "torch.utils.cpp_extension.load_inline", "numpy.save",
    "lightning.pytorch.cli.os.system", "jsonargparse.set_parsing_settings",
    "torch.storage._load_from_bytes", "torch.fx.graph_module._exec_with_source",
    "lightning.pytorch.core.saving._load_from_checkpoint", "torch.export.load",
]  # fmt: skip
CALLABLE = (
    "trainer: {{callbacks: [{{class_path: {callback}, init_args: {{on_fit_start: {name}}}}}]}}"
)
PLACES = [
    "trainer: {{callbacks: [{{class_path: {name}, init_args: {{command: touch hacked}}}}]}}",
    "trainer: {{logger: {{class_path: {name}}}}}", "model: {{class_path: {name}}}", "data: {name}",
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text"),
    [(name, CALLABLE) for name in NAMES] + [("os.system", place) for place in PLACES],
)
def test_imports_from_elsewhere_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    name: str, text: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert fit(tmp_path, text.format(name=name, callback=CALLBACK)) == 2
    assert "may not import" in error_of(capsys)
    assert [file.name for file in tmp_path.iterdir()] == ["hostile.yaml"]


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return the list of addresses that anything tries to reach; none is reached."""
    asked: list[object] = []

    def refuse(_: socket.socket, address: object) -> None:
        asked.append(address)
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *host, **_: refuse(None, host))  # type: ignore[arg-type]
    return asked


@pytest.mark.parametrize(
    "text",
    [
        "ckpt_path: http://127.0.0.1:9/x.ckpt\ntrainer: {plugins: [AsyncCheckpointIO]}",
        "ckpt_path: https://127.0.0.1:9/x.ckpt",
        "ckpt_path: simplecache::s3://bucket/x.ckpt",
        "trainer: {default_root_dir: 'reference::addresses.json'}",
        "trainer: {logger: {class_path: CSVLogger, init_args: {save_dir: 'runs::memory'}}}",
        "model: http://127.0.0.1:9/model.yaml",
        "trainer: {default_root_dir: 'ftp://127.0.0.1:9/'}",
        "trainer: {logger: {class_path: CSVLogger, init_args: {save_dir: 'memory://runs'}}}",
    ],
)
def test_addresses_in_a_configuration_are_refused_unfetched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], offline: list[object], text: str
) -> None:
    assert fit(tmp_path, text) == 2
    assert "is not a local file but an address" in error_of(capsys)
    assert offline == []


@pytest.mark.parametrize("option", ["--config", "--ckpt_path", "--model", "--data.init_args.store"])
def test_addresses_on_the_command_line_are_refused_unfetched(
    capsys: pytest.CaptureFixture[str], offline: list[object], option: str
) -> None:
    assert main(["fit", "--config", str(BASE), option, "http://127.0.0.1:9/x"]) == 2
    assert "is not a local file" in error_of(capsys)
    assert offline == []


@pytest.mark.parametrize(
    "part",
    [
        "plugins: [AsyncCheckpointIO]",
        "plugins: [lightning.pytorch.plugins.io.TorchCheckpointIO]",
        "strategy: {class_path: FSDPStrategy}",
        "strategy: {class_path: DeepSpeedStrategy}",
        "callbacks: [ModelPruning]",
        "logger: WandbLogger",
        "profiler: {class_path: PyTorchProfiler}",
    ],
)
def test_parts_of_lightning_that_are_not_on_the_list_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], part: str
) -> None:
    assert fit(tmp_path, f"trainer: {{{part}}}") == 2
    assert "may not import lightning.pytorch." in error_of(capsys)


def test_functions_are_refused_even_from_our_own_rooms(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "lsemvae.models.checkpoint_file.write_checkpoint"
    hook = (
        f"trainer: {{strategy: {{class_path: DDPStrategy, init_args: {{ddp_comm_hook: {name}}}}}}}"
    )
    assert fit(tmp_path, hook) == 2
    assert f"may not name the function {name}" in error_of(capsys)


def test_refused_import_on_the_command_line_names_the_way_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["fit", "--config", str(BASE), "--data", "my_package.MyData"]) == 2
    error = error_of(capsys)
    assert "may not import my_package.MyData" in error
    assert "LSEMVAE_ALLOW_IMPORTS=my_package" in error


def test_own_package_is_taken_when_the_environment_names_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "package_of_a_user.py").write_text(
        "from lightning import Callback\nclass Mine(Callback):\n    '''Nothing.'''\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)  # where the demo's store is not
    words = ["fit", "--config", str(BASE), "--trainer.callbacks+=package_of_a_user.Mine"]
    assert main(words) == 2
    assert "may not import package_of_a_user.Mine" in error_of(capsys)
    monkeypatch.setenv("LSEMVAE_ALLOW_IMPORTS", "package_of_a_user")
    assert main(words) == 2
    assert "data/demo/mimic.h5" in error_of(capsys)  # it came as far as the missing store


def test_allowed_packages_must_be_names(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LSEMVAE_ALLOW_IMPORTS", "fine,*")
    assert main(["fit", "--config", str(BASE)]) == 2
    assert "takes package names joined by commas, got *" in error_of(capsys)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("seed_everything: 1\nseed_everything: 2\n", "'seed_everything' stands twice"),
        (
            "model:\n  init_args:\n    lr: 1\n    lr: 2\n",
            "'lr' stands twice in one mapping (line 4",
        ),
        ("trainer: {max_epochs: 1, max_epochs: 2}", "'max_epochs' stands twice"),
        ('trainer: {max_epochs: 1, "max_epochs": 2}', "'max_epochs' stands twice"),
        ("trainer: {&key max_epochs: 1, *key : 2}", "'max_epochs' stands twice"),
        ("a: &a [x, *a]", "contains itself"),
        ("a: " + "[" * 2000 + "]" * 2000, "nests deeper"),
        ("a: " + "x" * MAX_CHARACTERS, "characters"),
    ],
)
def test_ambiguous_and_boundless_texts_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, expected: str
) -> None:
    assert fit(tmp_path, text) == 2
    said = error_of(capsys)
    assert expected in said
    assert ".yaml" in said


@pytest.mark.parametrize("kind", ["[{}]", "{{{}}}"])
def test_alias_bomb_is_refused_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    for level in range(1, 30):
        items = [f"*a{level - 1}"] * 10
        if "{{" in kind:
            items = [f"k{number}: {item}" for number, item in enumerate(items)]
        lines.append(f"a{level}: &a{level} " + kind.format(", ".join(items)))
    start = time.monotonic()
    assert fit(tmp_path, "\n".join(lines)) == 2
    assert "aliases unfold to more than" in error_of(capsys)
    assert time.monotonic() - start < 5  # parsers of the command line are built in it


def test_duplicate_key_in_an_option_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", "--config", str(BASE), "--trainer={max_epochs: 1, max_epochs: 2}"]) == 2
    assert "'max_epochs' stands twice" in error_of(capsys)


def test_duplicate_key_in_a_configuration_that_another_names_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "model.yaml").write_text("class_path: lsemvae.tasks.Pretrainer\nclass_path: os.X\n")
    assert main(["fit", "--config", str(BASE), "--model", str(tmp_path / "model.yaml")]) == 2
    assert "'class_path' stands twice" in error_of(capsys)


def test_unknown_option_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", "--config", str(BASE), "--model.init_args.gamma", "1"]) == 2
    assert "gamma" in error_of(capsys)


def test_colons_that_name_no_file_system_pass() -> None:
    check_yaml("[a: b, 'C:/runs', 'Pulmonary:: Hypertension', 'tcp://[::1]:8786', '12:30:00']")


def test_anchors_merges_and_the_same_key_elsewhere_are_fine() -> None:
    check_yaml("a: &a {x: 1}\nb: {<<: *a, x: 2}\nc: [*a, *a, {x: 1}, {x: 1}]\n? [1, 2]\n: {x: 1}\n")
    check_yaml("not: [yaml")
    check_yaml("[" * MAX_DEPTH + "]" * MAX_DEPTH)


def test_unfolding_counts_values_through_aliases() -> None:
    document = "a: &a [" + ", ".join("x" * 9_000) + "]\nb: ["
    check_yaml(document + ", ".join(["*a"] * 10) + "]")
    with pytest.raises(InputError, match="unfold"):
        check_yaml(document + ", ".join(["*a"] * 11) + "]")


@pytest.mark.parametrize("text", ["a: 1\na: 2", "a: http://x/y", "a: &a [*a]"])
def test_a_head_that_one_parser_refuses_hides_nothing_from_the_other(text: str) -> None:
    """PyYAML's parser in C stops at a directive that the one in Python passes over."""
    with pytest.raises(InputError, match=r"stands twice|is not a local file|contains itself"):
        check_yaml(f"%HEAD x\n---\n{text}\n")


VALUES = ["!!int abc", "!!float x", "!!bool x", "!!timestamp x", "2024-99-99", "9" * 6000,
          "2024-01-01T99:00:00", '"\\U00110000"']  # fmt: skip


@pytest.mark.parametrize("value", VALUES)
def test_a_value_that_is_none_is_one_line(value: str, tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(f"exclude: {value}\n")
    with pytest.raises(InputError, match="rules"):
        read_yaml(file)


@pytest.mark.parametrize("key", ["~", "1", "yes", "2024-01-01"])
def test_a_key_that_is_no_text_is_one_line(key: str, tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(f"exclude: [{{a: {{b: 1}}}}]\n{key}: 2\n")
    with pytest.raises(InputError, match="is no text; write it in quotes"):
        read_yaml(file)


def test_a_value_that_is_none_is_one_line_in_a_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fit(tmp_path, "trainer: {max_epochs: 2024-99-99}") == 2
    assert "2024-99-99" in error_of(capsys)


def test_what_is_no_file_or_too_large_is_not_read(tmp_path: Path) -> None:
    pipe, large = tmp_path / "pipe.yaml", tmp_path / "large.yaml"
    os.mkfifo(pipe)
    with large.open("wb") as file:
        file.truncate(10**10)
    for path, said in ((pipe, "there is no file"), (large, "may have 4,000,000 bytes")):
        with pytest.raises(InputError, match=said):
            read_yaml(path)


@pytest.mark.parametrize("file", sorted((ROOT / "experiments").glob("*/*.yaml")), ids=str)
def test_shipped_files_pass(file: Path) -> None:
    check_yaml(file.read_text())
    assert yaml.safe_load(file.read_text())
