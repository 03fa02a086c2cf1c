"""Run a W&B sweep file on this machine, without an account."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.extras import install_extra
from lsemvae.core.joblib_backend import check_jobs
from lsemvae.core.made_with import refuse_other_settings
from lsemvae.core.one_writer import writing_alone
from lsemvae.core.printable import say
from lsemvae.core.sealed_json import read_json, write_json

if TYPE_CHECKING:
    from lsemvae.sweep.file import SweepFile

SETTINGS = "sweep.json"


def sweep(
    file: str,
    *,
    jobs: int = 1,
    trials: int | None = None,
    seed: int = 0,
    out: str | None = None,
) -> None:
    """Try the points of a W&B sweep file and write down the best one.

    What is finished is not run again: a second call goes on where the first stopped, and calls on
    several machines that share OUT work on the same sweep. OUT holds a folder per trial,
    trials.csv, trials.md, parallel_coordinates.png and best.yaml for `lsemvae fit --config`.

    Args:
        file: W&B sweep file, such as those in experiments/sweeps.
        jobs: trials at the same time.
        trials: number of trials, in place of the file's run_cap.
        seed: of the search; the trainings keep the seed of their configuration.
        out: folder of results; runs/sweeps/NAME by default.
    """
    if jobs < 1 or (trials is not None and trials < 1):
        raise InputError(f"jobs and trials must be >= 1, got {jobs} and {trials}")
    check_jobs(jobs)
    try:
        import optuna
    except ImportError as error:
        raise InputError(f"lsemvae sweep needs Optuna: {install_extra('sweep')}") from error
    from lsemvae.sweep.command import check_command
    from lsemvae.sweep.file import read_sweep
    from lsemvae.sweep.results import write_results
    from lsemvae.sweep.space import first_point
    from lsemvae.sweep.study import SweepState
    from lsemvae.sweep.trials import run_trials

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    plan = read_sweep(file)
    folder = Path(out or f"runs/sweeps/{plan.name}")
    state = SweepState(plan, folder, n_trials=trials, seed=seed)
    say(f"sweep {plan.name}: {plan.method}, {counted(state.cap, 'trial')}; {folder}", flush=True)
    checked = check_command(plan.arguments, first_point(state.space))
    state = replace(state, data=checked.data)
    with writing_alone(folder, wait=True):
        _keep_settings(plan, checked.training, folder)
    run_trials(state, jobs)
    with writing_alone(folder, wait=True):
        best = write_results(state)
    say(f"best: trial {best.number}, {plan.metric} {best.value:.4g}; {folder / 'best.yaml'}")


def _keep_settings(plan: "SweepFile", training: dict[str, Any], folder: Path) -> None:
    """Write down what the folder's trials try, and refuse to mix two sweeps.

    Args:
        plan: the sweep file.
        training: what the files that it names make of a trial, see `check_command`.
        folder: of the sweep.

    Raises:
        InputError: the folder belongs to another sweep, or the file, a configuration that it names
            or the recordings have been changed since.
    """
    settings = {name: value for name, value in asdict(plan).items() if name != "run_cap"}
    settings["training"] = training
    known = folder / SETTINGS
    if known.is_file():
        refuse_other_settings(
            f"{folder} holds trials of another sweep file, or what it names was changed since",
            read_json(known, f"remove {folder} to try again"), settings,
            "choose another --out, or remove that folder",
        )  # fmt: skip
    write_json(known, settings)
