"""List the commands: where each stands in the help, and which function it calls.

A command's one line of help is the first line of that function's docstring, read from its source:
so `lsemvae --help` imports no command.
"""

import ast
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple


class Command(NamedTuple):
    """A row of the table.

    Args:
        group: heading of the help that it stands under.
        target: `module:function`, imported when it is called.
        page: of docs/, that says more.
    """

    group: str
    target: str
    page: str = ""


RECORDINGS, TRAINING, EVALUATION = "Recordings", "Training", "Evaluation"
MODEL, PROGRAM = "A model for use", "This program"
GROUP_NOTES = {TRAINING: "LightningCLI; one YAML is one experiment"}

COMMANDS: dict[str, Command] = {
    "link": Command(RECORDINGS, "data_modules.linking.link:link", "study.md"),
    "prepare mimic": Command(RECORDINGS, "data_modules.conversion.prepare:prepare_mimic"),
    "prepare cohort": Command(
        RECORDINGS, "data_modules.conversion.prepare:prepare_cohort", "cohort_table.md"
    ),
    "prepare archive": Command(
        RECORDINGS, "data_modules.conversion.archive:prepare_archive", "study.md"
    ),
    "prepare mimic-rhc": Command(
        RECORDINGS, "data_modules.mimic_iv.prepare:prepare_mimic_rhc", "mimic_rhc.md"
    ),
    "prepare ptbxl": Command(
        RECORDINGS, "data_modules.public_sets.ptbxl:prepare_ptbxl", "public_sets.md"
    ),
    "prepare code15": Command(
        RECORDINGS, "data_modules.public_sets.code15:prepare_code15", "public_sets.md"
    ),
    "prepare echonext": Command(
        RECORDINGS, "data_modules.public_sets.echonext:prepare_echonext", "public_sets.md"
    ),
    "prepare cinc2021": Command(
        RECORDINGS, "data_modules.public_sets.physionet:prepare_cinc2021", "public_sets.md"
    ),
    "prepare chapman": Command(
        RECORDINGS, "data_modules.public_sets.physionet:prepare_chapman", "public_sets.md"
    ),
    "check cohort": Command(RECORDINGS, "lsemvae.commands.check:check_cohort", "cohort_table.md"),
    "inspect": Command(RECORDINGS, "lsemvae.commands.inspect:inspect", "data.md"),
    "view": Command(RECORDINGS, "lsemvae.commands.view:view"),
    "synthesize": Command(RECORDINGS, "lsemvae.commands.synthesize:synthesize"),
    "fit": Command(TRAINING, "lsemvae.commands.lightning:fit"),
    "validate": Command(TRAINING, "lsemvae.commands.lightning:validate"),
    "test": Command(TRAINING, "lsemvae.commands.lightning:test"),
    "cv": Command(EVALUATION, "lsemvae.commands.cv:cross_validate"),
    "benchmark": Command(EVALUATION, "lsemvae.commands.benchmark:benchmark", "benchmark.md"),
    "worth": Command(EVALUATION, "lsemvae.commands.worth:worth", "worth.md"),
    "sweep": Command(EVALUATION, "lsemvae.commands.sweep:sweep", "sweeps.md"),
    "report": Command(EVALUATION, "lsemvae.commands.report:report", "report.md"),
    "leaderboard start": Command(
        EVALUATION, "lsemvae.commands.leaderboard:start", "leaderboard.md"
    ),
    "leaderboard pack": Command(EVALUATION, "lsemvae.commands.leaderboard:pack", "leaderboard.md"),
    "leaderboard add": Command(EVALUATION, "lsemvae.commands.leaderboard:add", "leaderboard.md"),
    "leaderboard build": Command(
        EVALUATION, "lsemvae.commands.leaderboard:build", "leaderboard.md"
    ),
    "explain": Command(EVALUATION, "lsemvae.commands.explain:explain", "explain.md"),
    "table1": Command(EVALUATION, "lsemvae.commands.table1:table1"),
    "plan": Command(EVALUATION, "lsemvae.commands.plan:plan"),
    "check tables": Command(EVALUATION, "lsemvae.commands.check:check_published"),
    "encoders": Command(EVALUATION, "lsemvae.commands.encoders:encoders", "pretraining.md"),
    "demo": Command(EVALUATION, "lsemvae.commands.demo:demo"),
    "lock": Command(MODEL, "lsemvae.commands.lock:lock", "deployment.md"),
    "predict": Command(MODEL, "lsemvae.commands.predict:predict", "deployment.md"),
    "external": Command(MODEL, "lsemvae.commands.external:external", "deployment.md"),
    "stress": Command(MODEL, "lsemvae.commands.stress:stress", "deployment.md"),
    "export": Command(MODEL, "lsemvae.commands.export:export", "deployment.md"),
    "serve": Command(MODEL, "lsemvae.commands.serve:serve", "serve.md"),
    "completion": Command(PROGRAM, "lsemvae.commands.completion:completion"),
}

LIGHTNING = tuple(name for name, command in COMMANDS.items() if command.group == TRAINING)
# `predict` with one of these in place of a model file is LightningCLI's
LIGHTNING_OPTIONS = ("--config", "-c", "--data", "--trainer", "--ckpt_path")
LIGHTNING_PREDICT = "lsemvae.commands.lightning:predict"
LONG = (*LIGHTNING, "cv", "benchmark", "worth", "sweep", "demo")  # what computes for long
QUICK = ("inspect", "encoders", "completion", "check cohort")  # what answers within some 2 s


@cache
def summary(name: str) -> str:
    """Return the first line of the docstring of a command's function, without importing it."""
    module, function = COMMANDS[name].target.split(":")
    spec = find_spec(module)
    tree = ast.parse(Path(str(spec and spec.origin)).read_text(encoding="utf-8"))
    found = (
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function
    )
    return (ast.get_docstring(next(found)) or "").partition("\n")[0]


def load(name: str) -> Callable[..., Any]:
    """Import the function of a command."""
    return load_target(COMMANDS[name].target)


def load_target(target: str) -> Callable[..., Any]:
    """Import a function named as `module:function`."""
    module, function = target.split(":")
    loaded: Callable[..., Any] = getattr(import_module(module), function)
    return loaded


def lightning_target(name: str, arguments: Sequence[str]) -> str | None:
    """Return the function that hands a command to LightningCLI, None where it is one of ours.

    `predict MODEL FILES` is ours, `predict --config ...` is Lightning's.
    """
    if name in LIGHTNING:
        return COMMANDS[name].target
    words = {word.partition("=")[0].partition(".")[0] for word in arguments}
    options_first = bool(arguments) and arguments[0].startswith("-")
    theirs = name == "predict" and options_first and words & set(LIGHTNING_OPTIONS)
    return LIGHTNING_PREDICT if theirs else None


def groups() -> dict[str, list[str]]:
    """Return the names of the commands under each heading, in their order."""
    found: dict[str, list[str]] = {}
    for name, command in COMMANDS.items():
        found.setdefault(command.group, []).append(name)
    return found


def members(first: str) -> list[str]:
    """Return the second words of the commands that begin with a word: of `prepare`, say."""
    return [name.split(" ")[1] for name in COMMANDS if name.startswith(f"{first} ")]


def help_text() -> str:
    """Return what `lsemvae --help` prints."""
    width = max(map(len, COMMANDS))
    lines = ["usage: lsemvae COMMAND [options]     (`lightning` is the same program)"]
    for group, names in groups().items():
        note = f" ({GROUP_NOTES[group]})" if group in GROUP_NOTES else ""
        lines += ["", f"{group}{note}", *(f"  {name:{width}}  {summary(name)}" for name in names)]
    lines += ["", "lsemvae COMMAND --help lists the options of a command; --version, the version."]
    return "\n".join(lines) + "\n"


def markdown_table() -> str:
    """Return the README's table of commands."""
    lines = ["| command | what it does |", "|---|---|"]
    for name, command in COMMANDS.items():
        more = f" ([more](docs/{command.page}))" if command.page else ""
        lines.append(f"| `lsemvae {name}` | {summary(name)}{more} |")
    return "\n".join(lines)
