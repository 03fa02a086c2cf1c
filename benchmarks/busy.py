"""Time commands alone, beside one busy process and beside four, as a user gets them.

Run `python -m benchmarks.busy`: `lightning fit` of the demo's experiment, `lsemvae cv` on a frozen
encoder and `lsemvae predict`, each in a process of its own that chooses its threads by itself. Two
more rows on the idle machine force as many threads as there are cores, and one. Data and model are
made once, in FOLDER.
"""

import argparse
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.machine import describe_machine, write_results
from benchmarks.quiet import busy_seconds, wait_for_quiet
from lsemvae.commands.demo import demo_cohort, demo_pretraining
from lsemvae.core.experiments import experiment
from lsemvae.runtime.threads import COUNT_VARIABLES, WAIT_VARIABLE

SPIN = "while True: pass"
SETTLE_S = 0.5  # until the busy processes are seen in /proc/stat
LIMITS = {1: 2.0, 4: 4.0}
"""Times of the idle machine's that a command may take, by the number of busy processes."""

DEMO_LIMIT_S = 480.0
ENCODER, MODEL = "fit/checkpoints/last.ckpt", "model.safetensors"


class Setting(NamedTuple):
    """What a command runs beside, and what the user has set."""

    name: str
    n_busy: int = 0
    environment: Mapping[str, str] = {}


class Run(NamedTuple):
    """One run of a command: seconds by the clock and of the processors, its own and others'."""

    wall_s: float
    cpu_s: float
    others_s: float


IDLE = Setting("alone")
SETTINGS = (
    IDLE,
    Setting("alone, all cores forced", environment={COUNT_VARIABLES[0]: str(os.cpu_count() or 1)}),
    Setting("alone, one thread forced", environment={COUNT_VARIABLES[0]: "1"}),
    Setting("beside one busy process", 1),
    Setting("beside four", 4),
)


@contextlib.contextmanager
def busy_processes(number: int) -> Iterator[list[int]]:
    """Keep some cores busy with plain Python and yield the processes' numbers."""
    spinning = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(number)]
    try:
        if spinning:
            time.sleep(SETTLE_S)
        yield [one.pid for one in spinning]
    finally:
        for one in spinning:
            one.kill()
            one.wait()


def own_environment(more: Mapping[str, str]) -> dict[str, str]:
    """Return this environment without what settles threads, so that the product does."""
    settled = (*COUNT_VARIABLES, WAIT_VARIABLE)
    kept = {name: value for name, value in os.environ.items() if name not in settled}
    return {**kept, "PYTHONPATH": str(Path(__file__).parents[1]), **more}


def run_beside(command: Sequence[str], folder: Path, setting: Setting) -> Run:
    """Run a command in a folder, in its setting.

    Raises:
        RuntimeError: it failed.
    """
    said = folder / "said.txt"
    with busy_processes(setting.n_busy) as spinning, said.open("w") as log:
        machine, spun, start = busy_seconds()[0], _cpu_seconds(spinning), time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=own_environment(setting.environment), stdout=log, stderr=log
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        machine, spun = busy_seconds()[0] - machine, _cpu_seconds(spinning) - spun
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {said.read_text()[-2000:]}")
    cpu = usage.ru_utime + usage.ru_stime
    return Run(wall, cpu, max(0.0, machine - spun - cpu))


def _cpu_seconds(processes: Sequence[int]) -> float:
    """Return the CPU seconds that running processes have taken so far."""
    ticks = 0
    for number in processes:
        after_name = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
        ticks += int(after_name[11]) + int(after_name[12])  # user, system
    return ticks / os.sysconf("SC_CLK_TCK")


def program(*arguments: str) -> list[str]:
    """Return the command line of a command of this project."""
    return [sys.executable, "-m", "lsemvae", *arguments]


def commands(epochs: int, n_files: int, folder: Path) -> dict[str, list[str]]:
    """Return the commands that are timed, each into a folder that is emptied before."""
    records = sorted((folder / "data/demo/cohort/records").rglob("*.hea"))[:n_files]
    fit = [
        "--config",
        str(experiment("demo/pretrain.yaml")),
        "--trainer.max_epochs",
        str(epochs),
        "--trainer.default_root_dir",
        "out",
        "--trainer.logger.init_args.save_dir",
        "out",
    ]
    cv = ["--cohort", "data/demo/cohort.h5", "--encoder", ENCODER, "--out", "out"]
    return {
        f"`lightning fit`, demo, {epochs} epochs": program("fit", *fit),
        "`lsemvae cv`, frozen encoder": program("cv", *cv),
        f"`lsemvae predict`, {n_files} files": program(
            "predict", MODEL, *map(str, records), "--out", "out/predictions.csv"
        ),
    }  # fmt: skip


def prepare(folder: Path) -> None:
    """Make the demo's recordings, a small encoder and a model, where they are missing."""
    if (folder / MODEL).is_file():
        return
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.chdir(folder):
        cohort = demo_cohort()
        demo_pretraining()
    fit, cv, _ = commands(2, 0, folder).values()
    into = ["--trainer.default_root_dir", "fit", "--trainer.logger.init_args.save_dir", "fit"]
    if not (folder / ENCODER).is_file():
        run_beside([*fit, *into, "--overwrite", "true"], folder, IDLE)
    for command in (
        [*cv, "--out", "cv"],
        program("lock", "cv/detection/ls_emvae/12L", "--cohort", cohort, "--encoder", ENCODER,
                "--out", MODEL, "--hashes", "false"),
    ):  # fmt: skip
        run_beside(command, folder, IDLE)


def measure(
    chosen: Mapping[str, Sequence[str]], folder: Path, *, rounds: int, patience_s: float
) -> list[dict[str, Any]]:
    """Time all commands in all settings, the settings in turn."""
    runs: dict[tuple[str, str], list[Run]] = {}
    for _ in range(rounds):
        for setting in SETTINGS:
            for name, command in chosen.items():
                shutil.rmtree(folder / "out", ignore_errors=True)
                (folder / "out").mkdir()
                wait_for_quiet(patience_s)
                done = run_beside(command, folder, setting)
                runs.setdefault((name, setting.name), []).append(done)
    return [
        row(name, setting, runs[name, setting.name], runs[name, IDLE.name])
        for name in chosen
        for setting in SETTINGS
    ]


def row(name: str, setting: Setting, runs: Sequence[Run], idle: Sequence[Run]) -> dict[str, Any]:
    """Return the medians of a command in a setting, and how they compare with the idle machine."""
    middle = Run(*(statistics.median(values) for values in zip(*runs, strict=True)))
    ratio = middle.wall_s / statistics.median(one.wall_s for one in idle)
    limit = LIMITS.get(setting.n_busy)
    return {
        "command": name, "setting": setting.name, "n_busy": setting.n_busy, **middle._asdict(),
        "runs": len(runs), "ratio": ratio, "limit": limit,
        "met": None if limit is None else ratio <= limit,
    }  # fmt: skip


def measure_demo(folder: Path) -> dict[str, Any]:
    """Time the whole demo from nothing beside one busy process."""
    fresh = folder / "whole_demo"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    done = run_beside(program("demo"), fresh, Setting("beside one busy process", 1))
    return {
        "command": "`make demo`", "setting": "beside one busy process", "n_busy": 1,
        **done._asdict(), "runs": 1, "ratio": None, "limit": DEMO_LIMIT_S,
        "met": done.wall_s <= DEMO_LIMIT_S,
    }  # fmt: skip


def markdown(rows: Sequence[dict[str, Any]], about: Mapping[str, Any]) -> str:
    """Return the table of docs/performance.md."""
    lines = [
        f"{about['processor']}, {about['cores']} cores, torch {about['versions']['torch']}; load "
        f"of other programs before: {about['load_before']}; medians of {rows[0]['runs']} "
        "run(s); others' CPU in seconds.",
        "",
        "| command | run | seconds | CPU seconds | others' CPU | times alone | limit | met |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for each in rows:
        ratio = "" if each["ratio"] is None else f"{each['ratio']:.2f}"
        limit = "" if each["limit"] is None else f"{each['limit']:.0f}"
        if each["ratio"] is None:
            limit += " s"
        met = {None: "", True: "yes", False: "no"}[each["met"]]
        lines.append(
            f"| {each['command']} | {each['setting']} | {each['wall_s']:.1f} | {each['cpu_s']:.1f} "
            f"| {each['others_s']:.1f} | {ratio} | {limit} | {met} |"
        )
    return "\n".join([*lines, ""])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print a table, write the rows as JSON and the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--folder", type=Path, default=Path("data/busy"), help="of data and model")
    parser.add_argument("--epochs", type=int, default=2, help="of the pre-training")
    parser.add_argument("--files", type=int, default=100, help="that are predicted")
    parser.add_argument("--rounds", type=int, default=1, help="over all commands and settings")
    parser.add_argument("--patience", type=float, default=10.0, help="seconds to wait for quiet")
    parser.add_argument("--demo", action="store_true", help="time only the whole demo")
    parser.add_argument("--only-prepare", action="store_true", help="make data and model, no more")
    parser.add_argument("--out", type=Path, default=Path("reports/busy.json"), help="JSON file")
    parser.add_argument("--page", type=Path, help="Markdown file whose marked part is replaced")
    options = parser.parse_args(arguments)
    about, folder = describe_machine(), options.folder.resolve()
    if options.demo:
        rows = [measure_demo(folder)]
    else:
        prepare(folder)
        if options.only_prepare:
            return
        rows = measure(
            commands(options.epochs, options.files, folder), folder,
            rounds=options.rounds, patience_s=options.patience,
        )  # fmt: skip
    write_results(
        options.out, {"machine": about, "rows": rows}, markdown(rows, about), page=options.page,
        program="benchmarks.busy --demo" if options.demo else "benchmarks.busy",
    )  # fmt: skip


if __name__ == "__main__":
    main()
