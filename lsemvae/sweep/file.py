"""Read a W&B sweep file, and refuse what cannot be run here or would not be honest."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lsemvae.core.errors import InputError
from lsemvae.core.experiments import packaged
from lsemvae.core.instead import found_instead
from lsemvae.core.yaml_text import read_yaml

KEYS = (
    "name", "description", "project", "entity", "program", "command", "method", "metric",
    "parameters", "early_terminate", "run_cap",
)  # fmt: skip
METHODS = ("grid", "random", "bayes")
PROGRAMS = ("lsemvae", "lightning")
ARGS = "${args}"
NO_TRAINING = ("-h", "--help", "--print_config")  # with these, nothing would be tried
# The validation part of the pre-training recordings, or a probe's labelled recordings held out.
STAGES = ("val/", "latent/", "probe/")
# Weighted by what a sweep of lambda, beta and gamma changes: a smaller weight is a smaller loss.
INCOMPARABLE = ("val/loss", "val/reconstruction")
HYPERBAND_KEYS = ("type", "min_iter", "max_iter", "s", "eta")


@dataclass(frozen=True)
class SweepFile:
    """A sweep: what is tried, how, and by which figure it is judged.

    Attributes:
        name: of the sweep; its folder is named so.
        method: grid, random or bayes.
        metric: as the training logs it.
        goal: of the metric.
        parameters: W&B's description of each, by option of `lsemvae fit`.
        arguments: of `lsemvae fit`, in front of those of a trial.
        run_cap: number of trials, None for no limit.
        early_terminate: W&B's hyperband settings, or nothing.
    """

    name: str
    method: Literal["grid", "random", "bayes"]
    metric: str
    goal: Literal["minimize", "maximize"]
    parameters: dict[str, dict[str, Any]]
    arguments: tuple[str, ...]
    run_cap: int | None
    early_terminate: dict[str, Any]


def read_sweep(file: str | Path) -> SweepFile:
    """Read a sweep file.

    Raises:
        InputError: everything that is wrong with it.
    """
    path = Path(file)
    if not path.is_file():
        instead = found_instead(path, ".yaml")
        raise InputError(f"there is no sweep file {path}{instead}; {packaged(str(file))}")
    content = read_yaml(path).content
    if not isinstance(content, dict):
        raise InputError(f"{path} is no W&B sweep file: it must be a mapping")
    problems = [*_problems(content), *_command_problems(content)]
    if problems:
        raise InputError(f"{path}: " + "; ".join(problems))
    return SweepFile(
        name=str(content.get("name") or path.stem),
        method=content["method"],
        metric=content["metric"]["name"],
        goal=content["metric"].get("goal", "minimize"),
        parameters=content["parameters"],
        arguments=_fit_arguments(content),
        run_cap=content.get("run_cap"),
        early_terminate=content.get("early_terminate") or {},
    )


def _problems(content: Mapping[str, Any]) -> list[str]:
    found = [f"unknown key {key!r}" for key in content if key not in KEYS]
    name = content.get("name")
    if name is not None and (
        not isinstance(name, str) or not name.replace("-", "_").isidentifier()
    ):
        found.append(f"name must be one word of letters, digits, _ and -, got {name!r}")
    if content.get("method") not in METHODS:
        found.append(f"method must be one of {', '.join(METHODS)}, got {content.get('method')!r}")
    parameters = content.get("parameters")
    if not isinstance(parameters, dict) or not parameters:
        found.append("parameters must map options of `lsemvae fit` to W&B distributions")
        parameters = {}
    cap = content.get("run_cap")
    if cap is not None and (type(cap) is not int or cap < 1):
        found.append(f"run_cap must be a number of trials >= 1, got {cap!r}")
    found += _metric_problems(content.get("metric"), parameters)
    return found + _hyperband_problems(content.get("early_terminate") or {})


def _metric_problems(metric: Any, parameters: Mapping[str, Any]) -> list[str]:
    """Refuse figures that are not of the validation part, or that the sweep itself rescales."""
    if not isinstance(metric, dict) or not isinstance(metric.get("name"), str):
        return ["metric must have a name, such as latent/r2_from_limb/chest"]
    name, found = metric["name"], []
    if metric.get("goal", "minimize") not in ("minimize", "maximize"):
        found.append(f"metric.goal must be minimize or maximize, got {metric['goal']!r}")
    if not name.startswith(STAGES):
        found.append(
            f"metric {name!r} is not of the validation part of pre-training; choose one that "
            f"begins with {' or '.join(STAGES)}: what is chosen on training or test recordings "
            "looks better than it is"
        )
    weights = [key for key in parameters if key == "beta" or ".objective." in key]
    if name in INCOMPARABLE and weights:
        found.append(
            f"metric {name!r} cannot be compared between values of {', '.join(weights)}, which "
            "weigh its terms; choose a figure without weights, such as latent/r2_from_limb/chest"
        )
    return found


def _hyperband_problems(settings: Any) -> list[str]:
    if not isinstance(settings, dict):
        return ["early_terminate must be a mapping"]
    if not settings:
        return []
    found = [
        f"early_terminate.{key} is not supported here"
        for key in settings
        if key not in HYPERBAND_KEYS
    ]
    if settings.get("type") != "hyperband":
        found.append(f"early_terminate.type must be hyperband, got {settings.get('type')!r}")
    numbers = {key: settings[key] for key in HYPERBAND_KEYS[1:] if key in settings}
    for key, value in numbers.items():
        if not isinstance(value, int) or value < (2 if key == "eta" else 1):
            found.append(f"early_terminate.{key} must be a whole number, got {value!r}")
    if ("min_iter" in numbers) == ("max_iter" in numbers):
        found.append("early_terminate needs min_iter, or max_iter and s")
    return found


def _command_problems(content: Mapping[str, Any]) -> list[str]:
    command = content.get("command")
    if not isinstance(command, list) or not all(isinstance(part, str) for part in command):
        return ["command must be a list of texts: ${env}, ${program}, fit, options, ${args}"]
    program, *arguments = _words(content) or ("",)
    found = []
    if program not in PROGRAMS or arguments[:1] != ["fit"]:
        found.append(
            f"command must run `lsemvae fit`, got {shlex.join([program, *arguments[:1]])!r}"
        )
    if arguments[-1:] != [ARGS]:
        found.append(f"command must end with {ARGS}")
    found += [
        f"{part} in command is not supported here"
        for part in arguments[:-1]
        if "${" in part or part.partition("=")[0] in NO_TRAINING
    ]
    return found


def _words(content: Mapping[str, Any]) -> list[str]:
    """Return the command without the interpreter, the program's name filled in."""
    program = str(content.get("program", ""))
    known = [part for part in content["command"] if part not in ("${env}", "${interpreter}")]
    return [program if part == "${program}" else part for part in known]


def _fit_arguments(content: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(_words(content)[2:-1])
