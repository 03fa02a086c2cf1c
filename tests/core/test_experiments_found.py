"""Experiment files are found wherever the package stands."""

from pathlib import Path

import pytest

from lsemvae.cli import main
from lsemvae.core import experiments
from lsemvae.core.errors import InputError
from lsemvae.core.experiments import experiment


def test_file_is_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert experiment("demo/pretrain.yaml").is_file()


def test_files_of_an_installed_package_come_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("wheel", "checkout"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.yaml").touch()
    monkeypatch.setattr(experiments, "PLACES", (tmp_path / "wheel", tmp_path / "checkout"))
    assert experiment("x.yaml").parent.name == "wheel"


def test_missing_file_is_named() -> None:
    with pytest.raises(InputError, match=r"experiments/pretrain/none.yaml is not part"):
        experiment("pretrain/none.yaml")


@pytest.mark.parametrize("option", [["--config", "{}"], ["--config={}"]])
def test_config_elsewhere_names_the_file_of_the_package(
    option: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    name = "experiments/pretrain/ls_emvae.yaml"
    assert main(["fit", *(word.format(name) for word in option)]) == 2
    assert str(experiment("pretrain/ls_emvae.yaml")) in capsys.readouterr().err


def test_config_that_nobody_has_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cv", "--config", "none.yaml"]) == 2
    assert "--config: there is no file none.yaml (looked for in" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("lr: 1e-3\n".encode("utf-16"), "x.yaml is not written in UTF-8; save it as UTF-8"),
        (b"lr: 1e-3\nfolds:\n\tepochs: 3\n", "x.yaml, line 3 is no YAML: found character"),
        (b"folds:\n\tepochs: 3\n", "indent with blanks"),
        (b"lr: [1e-3\nfolds: 5\n", "x.yaml, line 2 is no YAML"),
        (b'cohort: "data\\demo.h5"\n', "write a path with / or without quotes"),
        (b"- lr: 1e-3\n", "x.yaml holds a list; expected names with values"),
    ],
)
@pytest.mark.parametrize("command", ["cv", "fit"])
def test_config_that_is_no_yaml_is_named_with_its_line(
    command: str, content: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.yaml").write_bytes(content)
    assert main([command, "--config", str(tmp_path / "x.yaml")]) == 2
    assert said in capsys.readouterr().err


def test_config_may_have_line_ends_of_windows_and_a_mark_in_front(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.yaml").write_bytes(b"\xef\xbb\xbfcohort: none.h5\r\nencoder: none.ckpt\r\n")
    assert main(["cv", "--config", str(tmp_path / "x.yaml")]) == 2
    assert "none.ckpt" in capsys.readouterr().err
