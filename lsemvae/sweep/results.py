"""Write what a sweep leaves: a table, a picture and the configuration of the chosen point."""

import json
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState

from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.figure_files import save_figure
from lsemvae.core.files import write_text
from lsemvae.core.printable import say
from lsemvae.sweep.command import chosen_configuration
from lsemvae.sweep.space import short_name
from lsemvae.sweep.study import EXIT_CODE, NOTE, RETRY_OF, SweepState, told_once

TABLE, MARKDOWN, PICTURE, BEST = "trials.csv", "trials.md", "parallel_coordinates.png", "best.yaml"
N_TICKS = 5
DARK_SHARE = 0.55  # of the colours: brighter ones are hard to see on white
SPREAD = 0.06  # of the lines through one choice, so that none covers another


def write_results(state: SweepState) -> FrozenTrial:
    """Write trials.csv, trials.md, parallel_coordinates.png and best.yaml; return the best trial.

    Only trials that ran to their last epoch can be chosen, each by the figure of that epoch. Those
    that failed, or that another process still runs, are told.

    Raises:
        InputError: no trial was completed.
    """
    trials = told_once(state.study().get_trials(deepcopy=False))
    _tell_unfinished(trials)
    table = trial_table(trials, state)
    write_text(state.folder / TABLE, table.to_csv(index=False))
    write_text(state.folder / MARKDOWN, _markdown(table, state))
    completed = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    if not completed:
        notes = sorted({str(trial.user_attrs.get(NOTE, "")) for trial in trials})
        raise InputError(f"no trial was completed: {'; '.join(notes)}; see {state.folder}")
    sign = -1.0 if state.sweep.goal == "maximize" else 1.0
    best = min(completed, key=lambda trial: (sign * (trial.value or 0.0), trial.number))
    save_figure(draw_parallel_coordinates(trials, state), state.folder / PICTURE, dpi=150)
    text = chosen_configuration(state.sweep.arguments, best.params, state.folder / "best")
    head = (
        f"# Trial {best.number} of sweep {state.sweep.name}: {state.sweep.metric} {best.value:.6g}"
    )
    of_data = f"# Recordings: {state.data}."
    write_text(state.folder / BEST, f"{head} on the validation part.\n{of_data}\n{text}")
    return best


def _tell_unfinished(trials: Sequence[FrozenTrial]) -> None:
    running = sum(trial.state == TrialState.RUNNING for trial in trials)
    if running:
        say(
            f"note: another process still runs {counted(running, 'trial')}; when it ends, it "
            "writes these results again, and another trial may be the best"
        )
    failed = [trial for trial in trials if trial.state == TrialState.FAIL]
    if failed:
        first = f"trial {failed[0].number}: {failed[0].user_attrs.get(NOTE, '')}"
        say(
            f"note: {counted(len(failed), 'trial')} failed ({first}); the same command runs again "
            f"those that ended with an {EXIT_CODE}"
        )


def trial_table(trials: Sequence[FrozenTrial], state: SweepState) -> pd.DataFrame:
    """Return one row per trial: number, state, epochs, the metric, every parameter, a note."""
    rows = [
        {
            "trial": trial.number,
            "state": trial.state.name.lower(),
            "epochs": trial.last_step or 0,
            state.sweep.metric: trial.value,
            **{name: trial.params.get(name) for name in state.sweep.parameters},
            "note": trial.user_attrs.get(NOTE, ""),
            "again_after": trial.user_attrs.get(RETRY_OF),
        }
        for trial in trials
    ]
    return pd.DataFrame(rows)


def _markdown(table: pd.DataFrame, state: SweepState) -> str:
    metric = state.sweep.metric
    done = table.assign(order=table["state"].map({"complete": 0, "pruned": 1}).fillna(2))
    ascending = [True, state.sweep.goal == "minimize"]
    shown = done.sort_values(["order", metric], ascending=ascending).drop(columns="order")
    head = [short_name(name) for name in shown.columns]
    lines = [
        f"# Sweep {state.sweep.name}",
        "",
        f"{state.sweep.method}, {metric} of the validation part to {state.sweep.goal}; a stopped "
        "trial has the figure of its last epoch and cannot be chosen.",
        "",
        f"Recordings: {state.data}.",
        "",
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
    ]
    lines += ["| " + " | ".join(map(_cell, row)) + " |" for row in shown.itertuples(index=False)]
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text.replace("|", "/").replace("\n", " ")


def draw_parallel_coordinates(trials: Sequence[FrozenTrial], state: SweepState) -> Figure:
    """Draw a line per trial over one axis per parameter and one for the metric.

    Completed trials are coloured by the metric, stopped ones are grey; failed ones are left out.
    Lines through one choice lie side by side, in the order of the metric.
    """
    shown = sorted((one for one in trials if one.value is not None), key=lambda one: one.value or 0)
    columns = {name: _column(name, one, shown) for name, one in state.space.items()
               if len({trial.params.get(name) for trial in shown}) > 1}  # fmt: skip
    values = np.array([float(trial.value or 0.0) for trial in shown])
    columns[state.sweep.metric] = _scaled(values)
    height = np.stack([column[0] for column in columns.values()], axis=1)
    figure = Figure(figsize=(1.8 * len(columns) + 2.0, 4.5), layout="constrained")
    axes = figure.subplots()
    colours = mpl.colormaps["viridis"]
    for trial, line in zip(shown, height, strict=True):
        is_done = trial.state == TrialState.COMPLETE
        axes.plot(
            range(len(columns)), line, color=colours(DARK_SHARE * line[-1]) if is_done else "0.75",
            linewidth=1.8 if is_done else 1.0, zorder=2 if is_done else 1, alpha=0.9,
        )  # fmt: skip
    for position, (_, ticks) in enumerate(columns.values()):
        _draw_axis(axes, position, ticks)
    axes.set_xticks(range(len(columns)), [short_name(name) for name in [*columns][:-1]]
                    + [state.sweep.metric])  # fmt: skip
    axes.set(yticks=[], xlim=(-0.25, len(columns) - 0.5), ylim=(-0.05, 1.05))
    axes.set_title(
        f"{state.sweep.name}: {counted(len(shown), 'trial')}; grey ones were stopped early\n"
        f"{state.data}"
    )
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    return figure


Column = tuple[np.ndarray[Any, np.dtype[np.float64]], dict[float, str]]


def _column(name: str, distribution: BaseDistribution, trials: Sequence[FrozenTrial]) -> Column:
    """Return the heights of all trials on a parameter's axis, about 0..1, and its ticks."""
    given = [trial.params[name] for trial in trials]
    if isinstance(distribution, CategoricalDistribution):
        numeric = all(
            isinstance(choice, int | float) and not isinstance(choice, bool)
            for choice in distribution.choices
        )
        choices = list(distribution.choices)
        if numeric:
            choices.sort(key=lambda choice: float(choice or 0.0))
        last = max(1, len(choices) - 1)
        heights = np.array([choices.index(value) / last for value in given])
        heights += SPREAD * (np.linspace(0.0, 1.0, len(given)) - 0.5)
        return heights, {number / last: json.dumps(one) for number, one in enumerate(choices)}
    return _scaled(np.array(given, dtype=np.float64), is_log=getattr(distribution, "log", False))


def _scaled(values: np.ndarray[Any, np.dtype[np.float64]], *, is_log: bool = False) -> Column:
    scale = np.log(values) if is_log else values
    low, high = float(scale.min()), float(scale.max())
    span = high - low or 1.0
    marks = np.linspace(low, high, N_TICKS)
    labels = np.exp(marks) if is_log else marks
    ticks = {float((mark - low) / span): f"{label:.3g}"
             for mark, label in zip(marks, labels, strict=True)}  # fmt: skip
    return (scale - low) / span, ticks


def _draw_axis(axes: Axes, position: int, ticks: dict[float, str]) -> None:
    axes.axvline(position, color="0.3", linewidth=0.8, zorder=3)
    for height, label in ticks.items():
        axes.text(
            position + 0.04, height, label, fontsize=8, va="center", zorder=4,
            bbox={"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 0.5},
        )  # fmt: skip
