"""How the command begins and ends."""

import socket
import sys
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from lsemvae.cli import main
from lsemvae.predicting.run import Options
from lsemvae.serving.run import bind, serve_on
from tests.conftest import error_of
from tests.serving.conftest import PeakModel


@pytest.fixture
def taken() -> Any:
    with bind(0) as one:
        yield one


def test_a_port_in_use_is_one_line_before_the_model_is_read(
    taken: socket.socket, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = taken.getsockname()[1]
    assert main(["serve", str(tmp_path / "none.onnx"), "--port", str(port)]) == 2
    assert f"port {port} is in use; give another one, such as --port" in error_of(capsys)


@pytest.mark.parametrize("port", ["-1", "65536"])
def test_a_port_that_does_not_exist_is_refused(
    port: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", str(tmp_path / "none.onnx"), "--port", port]) == 2
    assert f"got {port}" in error_of(capsys)


def test_a_port_that_may_not_be_taken_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    assert main(["serve", str(tmp_path / "none.onnx"), "--port", "80"]) == 2
    assert "port 80 cannot be taken (Permission denied); give one above 1023" in error_of(capsys)


def test_what_is_no_model_is_one_line_and_frees_the_port(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with bind(0) as free:
        port = free.getsockname()[1]
    assert main(["serve", str(tmp_path / "none.onnx"), "--port", str(port)]) == 2
    assert "there is no model" in error_of(capsys)
    bind(port).close()


@pytest.mark.parametrize(
    ("with_torch", "how"),
    [
        (True, "pip install -c constraints.txt -e '.[serve]' in the checkout"),
        (False, "pip install starlette uvicorn python-multipart jinja2 matplotlib"),
    ],
)
def test_a_missing_extra_is_one_line_with_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    with_torch: bool, how: str,
) -> None:  # fmt: skip
    monkeypatch.delitem(sys.modules, "lsemvae.serving.run")
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.setattr("lsemvae.commands.serve.find_spec", lambda _: with_torch or None)
    assert main(["serve", str(tmp_path / "none.onnx")]) == 2
    assert error_of(capsys) == f"error: serve needs the package uvicorn: {how}"


def test_the_page_is_on_this_machine_only_and_ends_with_a_line(
    taken: socket.socket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    served: list[str] = []

    def stopped(server: uvicorn.Server, sockets: list[socket.socket]) -> None:
        served.append(sockets[0].getsockname()[0])
        assert not server.config.access_log
        raise KeyboardInterrupt

    monkeypatch.setattr(uvicorn.Server, "run", stopped)
    port = taken.getsockname()[1]
    serve_on(taken, PeakModel(), Options())
    assert served == ["127.0.0.1"]
    printed = capsys.readouterr().out
    assert f"open http://127.0.0.1:{port}/ in a browser on this machine" in printed
    assert "stopped; all worklists are forgotten" in printed
