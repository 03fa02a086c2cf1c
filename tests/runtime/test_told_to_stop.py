"""A signal that tells a command to stop: a line, 143, and everything put away."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lsemvae.core.whole_folder import whole_folder
from lsemvae.crossval.jobs import Job, _run
from lsemvae.runtime.exit_code import exit_code

SIGNALS = [signal.SIGTERM, signal.SIGHUP]


@pytest.fixture(autouse=True)
def unheard() -> Iterator[None]:
    """Let nobody listen, as where a command begins; `nohup` may have started the tests."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_command_that_is_told_to_stop_puts_away_what_is_half_done(
    number: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def write() -> None:
        with whole_folder(tmp_path / "board") as begun:
            (begun / "half").write_text("x")
            os.kill(os.getpid(), number)

    with pytest.raises(SystemExit) as stopped:
        exit_code(write)
    assert stopped.value.code == 143
    assert "told to stop; what is finished is kept" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(number) == signal.SIG_DFL


def test_the_line_is_said_of_a_job_too_and_not_into_its_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = Job("cv", tmp_path / "log.txt", stop_itself, {})
    with pytest.raises(SystemExit):
        exit_code(lambda: print(_run(job)))
    assert "told to stop" in capsys.readouterr().err
    assert job.log.read_text() == ""


def test_the_line_is_said_once_where_a_command_calls_another(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as stopped:
        exit_code(lambda: print(exit_code(stop_itself)))
    assert stopped.value.code == 143
    assert capsys.readouterr().err.count("told to stop") == 1


def stop_itself() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_signal_that_nohup_ignores_is_left_alone() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assert exit_code(lambda: os.kill(os.getpid(), signal.SIGHUP)) == 0
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN


@pytest.mark.parametrize(("number", "code"), [(signal.SIGHUP, 143), (signal.SIGINT, 130)])
def test_a_signal_is_not_lost_while_an_object_is_cleared_away(
    number: int, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is raised there never reaches the command; Python prints a traceback and goes on."""

    class Cleared:
        def __del__(self) -> None:
            os.kill(os.getpid(), number)
            sum(range(1000))  # where the handler is called

    def work() -> None:
        cleared = [Cleared()]
        cleared.clear()
        time.sleep(20)

    try:
        ended: object = exit_code(work)
    except SystemExit as stopped:
        ended = stopped.code
    assert ended == code
    said = capsys.readouterr().err
    assert "what is finished is kept" in said
    assert "Traceback" not in said
