"""Trials run by a stand-in for `lsemvae fit` that writes a log in no time."""

import re
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import optuna
import pytest
from matplotlib.colors import to_rgb
from optuna.trial import TrialState

from lsemvae.core.errors import InputError
from lsemvae.sweep import results
from lsemvae.sweep import trials as sweep_trials
from lsemvae.sweep.file import SweepFile
from lsemvae.sweep.results import draw_parallel_coordinates, trial_table
from lsemvae.sweep.space import sampler
from lsemvae.sweep.study import RETRY_OF, Claim, SweepState, told_once
from lsemvae.sweep.trials import read_epochs, run_trials
from tests.conftest import ROOT

GRID = SweepFile(
    "s", "grid", "val/x", "maximize", {"gamma": {"values": [1, 2, 3, 4]}}, (), None, {}
)
# Writes gamma * epoch for four epochs; gamma 3 fails, where FAILS says so.
STAND_IN = """
import os, sys, time
options = dict(part[2:].split("=", 1) for part in sys.argv[1:] if part.startswith("--"))
folder, gamma = options["trainer.default_root_dir"], float(options["gamma"])
if os.environ.get("FAILS") and gamma == 3:
    sys.exit("error: gamma is 3")
with open(folder + "/metrics.csv", "w") as log:
    log.write("epoch,step,val/x,other\\n")
    for epoch in range(int(os.environ.get("EPOCHS", 4))):
        log.write(f"{epoch},7,,1.0\\n{epoch},8,{gamma * (epoch + 1)},\\n")
        log.flush()
        time.sleep(float(os.environ.get("PAUSE", 0)))
"""


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_trials, "LAUNCH", STAND_IN)
    monkeypatch.setattr(sweep_trials, "SECONDS_BETWEEN_LOOKS", 0.02)
    optuna.logging.set_verbosity(optuna.logging.ERROR)


def claimed(state: SweepState) -> Claim:
    claim = state.claim()
    assert claim is not None
    return claim


def finished(state: SweepState) -> list[tuple[str, Any, float | None]]:
    trials = told_once(state.study().get_trials())
    return sorted((trial.state.name, trial.params["gamma"], trial.value) for trial in trials)


def test_a_trial_says_at_its_beginning_where_its_epochs_can_be_followed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_trials(SweepState(replace(GRID, run_cap=1), tmp_path), 1)
    begun = capsys.readouterr().out.splitlines()[0]
    assert begun.startswith("trial 0 begun, gamma ")
    assert begun.endswith(f"; epochs: {tmp_path}/trial_0/metrics.csv")


@pytest.mark.parametrize("jobs", [1, 3])
def test_grid_runs_every_point_once_and_a_second_start_nothing(tmp_path: Path, jobs: int) -> None:
    state = SweepState(GRID, tmp_path)
    for _ in range(2):
        run_trials(state, jobs)
        assert finished(state) == [("COMPLETE", gamma, 4.0 * gamma) for gamma in (1, 2, 3, 4)]
    assert sorted(file.parent.name for file in tmp_path.rglob("metrics.csv")) == [
        f"trial_{number}" for number in range(4)
    ]


def test_a_trial_that_ends_while_others_are_looked_for_is_not_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = SweepState(GRID, tmp_path)
    running = claimed(state)
    lock = SweepState._lock

    def ends_before(self: SweepState, number: int, *, wait: bool = True) -> IO[bytes]:
        if number == running.trial.number:
            state.study().tell(number, 1.0)
            running.lock.close()
        return lock(self, number, wait=wait)

    monkeypatch.setattr(SweepState, "_lock", ends_before)
    claimed(state).lock.close()
    trials = state.study().get_trials()
    assert [trial.state.name for trial in trials] == ["COMPLETE", "RUNNING"]
    assert trials[0].params != trials[1].params


def test_failed_trial_stops_no_other_and_is_run_again_by_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(results, "chosen_configuration", lambda *_: "a: 1\n")
    monkeypatch.setenv("FAILS", "1")
    state = SweepState(GRID, tmp_path)
    run_trials(state, 1)
    states = {trial.params["gamma"]: trial.state.name for trial in state.study().get_trials()}
    assert states == {1: "COMPLETE", 2: "COMPLETE", 3: "FAIL", 4: "COMPLETE"}
    table = trial_table(state.study().get_trials(), state).set_index("gamma")
    assert table.loc[3, "note"] == "exit code 1: error: gamma is 3"
    results.write_results(state)
    told = "note: 1 trial failed (trial {}: exit code 1: error: gamma is 3); the same command"
    (failed,) = (one for one in state.study().get_trials() if one.params["gamma"] == 3)
    assert told.format(failed.number) in capsys.readouterr().out
    monkeypatch.delenv("FAILS")
    run_trials(state, 1)
    assert finished(state) == [("COMPLETE", gamma, 4.0 * gamma) for gamma in (1, 2, 3, 4)]
    assert len(state.study().get_trials()) == 5
    results.write_results(state)
    assert "note:" not in capsys.readouterr().out


def test_trials_that_another_process_still_runs_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(results, "chosen_configuration", lambda *_: "a: 1\n")
    state = SweepState(GRID, tmp_path)
    run_trials(state, 1)
    results.write_results(state)
    assert "still runs" not in capsys.readouterr().out
    state.study().ask(state.space)
    results.write_results(state)
    assert "note: another process still runs 1 trial; when it ends" in capsys.readouterr().out


def test_every_line_of_the_picture_can_be_followed(tmp_path: Path) -> None:
    values = {name: {"values": [1, 2]} for name in ("gamma", "delta")}
    state = SweepState(replace(GRID, parameters=values), tmp_path)
    run_trials(state, 2)
    state = replace(state, data="demo (SYNTHETIC data)")
    figure = draw_parallel_coordinates(state.study().get_trials(), state)
    assert figure.axes[0].get_title().endswith("\ndemo (SYNTHETIC data)")
    lines = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 3]
    assert len(lines) == 4
    for axis in (0, 1):
        assert len({float(line.get_ydata()[axis]) for line in lines}) == 4
    for line in lines:  # a contrast of 3 to white
        assert (1.05 / (luminance(to_rgb(line.get_color())) + 0.05)) > 3


def luminance(colour: tuple[float, float, float]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_poor_trials_are_stopped_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EPOCHS", "12")
    monkeypatch.setenv("PAUSE", "0.1")
    halving = {"type": "hyperband", "min_iter": 2, "eta": 2}
    values = {"gamma": {"values": [1, 2, 3, 4]}}
    state = SweepState(replace(GRID, early_terminate=halving, parameters=values), tmp_path)
    run_trials(state, 1)
    states = {trial.params["gamma"]: trial for trial in state.study().get_trials()}
    assert states[4].state == TrialState.COMPLETE
    pruned = [trial for trial in states.values() if trial.state == TrialState.PRUNED]
    assert pruned
    for trial in pruned:
        assert trial.last_step is not None
        assert trial.last_step < 12
        assert trial.value == trial.params["gamma"] * trial.last_step


def test_trial_that_was_cut_off_is_run_again_and_finished_ones_are_kept(tmp_path: Path) -> None:
    """A killed process leaves its trial running and its lock free."""
    state = SweepState(GRID, tmp_path)
    done, lost = claimed(state), claimed(state)
    state.study().tell(done.trial.number, 1.0)
    for claim in (done, lost):
        claim.lock.close()
    run_trials(state, 1)
    trials = state.study().get_trials()
    assert [trial.number for trial in trials if trial not in told_once(trials)] == [
        lost.trial.number
    ]
    assert sorted(trial.params["gamma"] for trial in told_once(trials)) == [1, 2, 3, 4]
    assert all(trial.state == TrialState.COMPLETE for trial in told_once(trials))
    (again,) = [trial for trial in trials if RETRY_OF in trial.user_attrs]
    assert (again.params, again.user_attrs[RETRY_OF]) == (
        lost.trial.params,
        lost.trial.number,
    )


def test_a_trial_that_was_killed_before_its_folder_was_made_is_run_again(tmp_path: Path) -> None:
    state = SweepState(GRID, tmp_path)
    state.study(sampler("grid", state.space, 0)).ask(state.space)
    run_trials(state, 1)
    assert [name for name, *_ in finished(state)] == ["COMPLETE"] * 4


def test_a_sweep_that_was_killed_behind_any_line_of_its_journal_tries_every_point(
    tmp_path: Path,
) -> None:
    journal = tmp_path / "journal.log"
    claimed(SweepState(GRID, tmp_path)).lock.close()
    lines = journal.read_bytes().splitlines(keepends=True)
    assert len(lines) > 4  # the study, its goal, a trial, its point
    for end in range(len(lines)):
        journal.write_bytes(b"".join(lines[:end]))
        state = SweepState(GRID, tmp_path)
        while (claim := state.claim()) is not None:
            state.study().tell(claim.trial.number, 1.0)
            claim.lock.close()
        assert [gamma for _, gamma, _ in finished(state)] == [1, 2, 3, 4]


def test_a_line_that_was_half_written_loses_its_trial_and_no_other(tmp_path: Path) -> None:
    """As a full disk or a kill leaves it: Optuna would write the next line behind it."""
    state, journal = SweepState(GRID, tmp_path), tmp_path / "journal.log"
    claimed(state).lock.close()
    whole = journal.read_bytes()
    for end in (len(whole) - 20, len(whole)):  # in the line of the trial, and behind it
        journal.write_bytes(whole[:end] + b'{"op_code": 6, "worker_id"')
        run_trials(state, 1)
        assert [name for name, *_ in finished(state)] == ["COMPLETE"] * 4
        assert journal.read_bytes().endswith(b"\n")


@pytest.mark.parametrize("line", [b"[]", b"{}", b"\x00" * 40, b'{"op_code": 99, "worker_id": "a"}'])
def test_a_journal_that_was_changed_is_one_line(line: bytes, tmp_path: Path) -> None:
    state = SweepState(GRID, tmp_path)
    state.study()
    journal = tmp_path / "journal.log"
    journal.write_bytes(line + b"\n" + journal.read_bytes())
    with pytest.raises(InputError, match="is changed or damaged; put it back"):
        state.study()


def test_a_value_that_was_changed_in_the_journal_is_no_value(tmp_path: Path) -> None:
    state, journal = SweepState(GRID, tmp_path), tmp_path / "journal.log"
    study = state.study(sampler("grid", state.space, 0))
    study.tell(study.ask(state.space), 0.25)
    text = journal.read_text()
    journal.write_text(text.replace("0.25", "0.75"))
    with pytest.raises(InputError, match="is changed or damaged; put it back"):
        state.study()
    journal.write_text(re.sub(r',"crc32":\d+', "", text))  # as an earlier version wrote it
    assert [trial.value for trial in state.study().get_trials()] == [0.25]


def test_trial_that_another_process_runs_is_left_alone(tmp_path: Path) -> None:
    state = SweepState(GRID, tmp_path)
    with claimed(state).lock:
        run_trials(state, 2)
    assert [trial.state.name for trial in state.study().get_trials()] == ["RUNNING"] + (
        ["COMPLETE"] * 3
    )


@pytest.mark.parametrize("method", ["random", "bayes"])
def test_random_and_bayes_need_an_end_and_never_draw_alike(tmp_path: Path, method: Any) -> None:
    parameters = {"gamma": {"min": 0.0, "max": 1.0}}
    sweep = replace(GRID, method=method, parameters=parameters)
    with pytest.raises(InputError, match=f"a {method} sweep has no end"):
        _ = SweepState(sweep, tmp_path).cap
    for start in (3, 6):  # a second process, or a restart
        run_trials(SweepState(sweep, tmp_path, n_trials=start), 2)
    trials = SweepState(sweep, tmp_path).study().get_trials()
    assert len({trial.params["gamma"] for trial in trials}) == len(trials) == 6


def test_two_starts_with_the_same_seed_draw_the_same(tmp_path: Path) -> None:
    sweep = replace(GRID, method="random", parameters={"gamma": {"min": 0.0, "max": 1.0}})
    drawn = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        state = SweepState(sweep, tmp_path / name, n_trials=3, seed=5)
        run_trials(state, 1)
        drawn.append([trial.params["gamma"] for trial in state.study().get_trials()])
    assert drawn[0] == drawn[1]


def test_stop_ends_the_training_and_leaves_its_trial_for_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EPOCHS", "10000")
    monkeypatch.setenv("PAUSE", "0.05")
    state, stop = SweepState(GRID, tmp_path), threading.Event()
    threading.Timer(1.0, stop.set).start()
    sweep_trials._work(state, stop)
    assert [trial.state.name for trial in state.study().get_trials()] == ["RUNNING"]
    monkeypatch.setenv("EPOCHS", "4")
    monkeypatch.setenv("PAUSE", "0")
    run_trials(state, 2)
    assert [name for name, *_ in finished(state)] == ["COMPLETE"] * 4


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_training_ends_when_the_sweep_is_killed(tmp_path: Path) -> None:
    """The launcher is what is tested: its parent is killed, the program that it became ends."""
    launch = SweepLaunch.replace("'-m', 'lsemvae'", "'-c', 'import time; time.sleep(60)'")
    code = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', {launch!r}])\n"
        "print(child.pid, flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as parent:
        assert parent.stdout is not None
        child = Path("/proc") / parent.stdout.readline().strip()
        for _ in range(200):
            if (
                b"sleep" in (child / "cmdline").read_bytes()
                and b"prctl" not in (child / "cmdline").read_bytes()
            ):
                break
            threading.Event().wait(0.05)
        parent.send_signal(signal.SIGKILL)
    for _ in range(200):
        if not (child / "cmdline").exists() or not (child / "cmdline").read_bytes():
            return
        threading.Event().wait(0.05)
    pytest.fail("the training outlived the sweep")


SweepLaunch = sweep_trials.LAUNCH


def test_log_in_mid_writing_yields_its_whole_lines(tmp_path: Path) -> None:
    file = tmp_path / "metrics.csv"
    assert read_epochs(file, "val/x") == {}
    file.write_text("epoch,step,val/x\n0,1,0.5\n1,2,\n1,3,0.25\n2,4,0.1")
    assert read_epochs(file, "val/x") == {1: 0.5, 2: 0.25}
    assert read_epochs(file, "val/y") == {}


def test_metric_that_is_never_logged_or_not_finite_fails_the_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, metric in (("a", "val/none"), ("b", "val/x")):
        (tmp_path / name).mkdir()
        values = {"gamma": {"values": ["nan"]}}
        state = SweepState(replace(GRID, metric=metric, parameters=values), tmp_path / name)
        run_trials(state, 1)
        (trial,) = state.study().get_trials()
        assert trial.state == TrialState.FAIL
        assert trial.user_attrs["note"] in ("val/none was never logged", "val/x is nan")
