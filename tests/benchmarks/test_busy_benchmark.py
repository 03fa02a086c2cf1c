import importlib
import json
import os
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc/stat is Linux's")
WORK = [sys.executable, "-c", "sum(range(3_000_000))"]


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT))
    program = importlib.import_module("benchmarks.busy")
    monkeypatch.setattr(program, "SETTLE_S", 0.0)
    return program


def test_busy_processes_work_and_end(busy) -> None:
    with busy.busy_processes(2) as spinning:
        time.sleep(0.3)
        assert busy._cpu_seconds(spinning) > 0.0
    assert not any(Path(f"/proc/{number}").exists() for number in spinning)


def test_a_command_chooses_its_threads_itself_unless_forced(
    busy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    assert {"OMP_NUM_THREADS", "OMP_WAIT_POLICY"}.isdisjoint(busy.own_environment({}))
    assert busy.own_environment({"OMP_NUM_THREADS": "2"})["OMP_NUM_THREADS"] == "2"


def test_seconds_are_the_commands_own(busy, tmp_path: Path) -> None:
    found = busy.run_beside(WORK, tmp_path, busy.Setting("beside one", 1))
    assert 0.0 < found.cpu_s < found.wall_s * (os.cpu_count() or 1) + 0.1


def test_a_command_that_fails_is_no_figure(busy, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no-such-command"):
        busy.run_beside(busy.program("no-such-command"), tmp_path, busy.IDLE)


def test_table_compares_with_the_idle_machine(
    busy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seconds by hand: 2 alone, 5 beside one busy process (limit 2), 6 beside four (limit 4)."""
    seconds = {"alone": 2.0, "beside one busy process": 5.0, "beside four": 6.0}
    monkeypatch.setattr(busy, "prepare", lambda folder: None)
    monkeypatch.setattr(busy, "commands", lambda *_: {"fit": ["true"]})
    monkeypatch.setattr(
        busy, "run_beside",
        lambda command, folder, setting: busy.Run(seconds.get(setting.name, 2.2), 1.5, 0.0),
    )  # fmt: skip
    page = tmp_path / "page.md"
    page.write_text("before <!-- made by python -m benchmarks.busy --> <!-- end --> after")
    busy.main(["--folder", str(tmp_path), "--patience", "0", "--rounds", "2",
               "--out", str(tmp_path / "busy.json"), "--page", str(page)])  # fmt: skip
    rows = json.loads((tmp_path / "busy.json").read_text())["rows"]
    found = {row["setting"]: (row["ratio"], row["met"]) for row in rows}
    assert found["beside one busy process"] == (2.5, False)
    assert found["beside four"] == (3.0, True)
    assert found["alone, all cores forced"] == (pytest.approx(1.1), None)
    assert "| fit | beside four | 6.0 | 1.5 | 0.0 | 3.00 | 4 | yes |" in page.read_text()
