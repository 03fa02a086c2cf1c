"""Translate W&B's search spaces, methods and early stopping to Optuna."""

import math
from collections.abc import Mapping
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.pruners import BasePruner, HyperbandPruner, NopPruner, SuccessiveHalvingPruner
from optuna.samplers import BaseSampler, GridSampler, RandomSampler, TPESampler

from lsemvae.core.errors import InputError
from lsemvae.sweep.file import SweepFile

DISTRIBUTIONS = (
    "constant", "categorical", "int_uniform", "uniform", "q_uniform", "log_uniform",
    "log_uniform_values",
)  # fmt: skip
KEYS = ("distribution", "value", "values", "min", "max", "q")
DEFAULT_ETA = 3  # W&B's


def short_name(option: str) -> str:
    """Return the end of an option's name that tells it apart: `lead_weights.chest`, `gamma`."""
    parts = option.split(".")
    return ".".join(parts[-2:]) if parts[-2:-1] == ["lead_weights"] else parts[-1]


def search_space(sweep: SweepFile) -> dict[str, BaseDistribution]:
    """Return the distribution of every parameter.

    Raises:
        InputError: every parameter that cannot be translated, by name.
    """
    space: dict[str, BaseDistribution] = {}
    problems = []
    for name, settings in sweep.parameters.items():
        try:
            space[name] = _distribution(settings)
            if sweep.method == "grid":
                grid_values(space[name])
        except KeyError as error:
            problems.append(f"parameter {name}: {error} is missing")
        except (InputError, ValueError) as error:
            problems.append(f"parameter {name}: {error}")
    if problems:
        raise InputError("; ".join(problems))
    return space


def _distribution(settings: Any) -> BaseDistribution:
    if not isinstance(settings, dict):
        raise InputError(f"expected value, values or min and max, got {settings!r}")
    unknown = [key for key in settings if key not in KEYS]
    if unknown:
        raise InputError(f"{', '.join(unknown)} is not supported here")
    kind = settings.get("distribution", _implied(settings))
    if kind not in DISTRIBUTIONS:
        raise InputError(
            f"distribution {kind} is not supported here; known are {', '.join(DISTRIBUTIONS)}"
        )
    if kind == "constant":
        return _choices([settings["value"]])
    if kind == "categorical":
        return _choices(settings["values"])
    low, high = _number(settings, "min"), _number(settings, "max")
    if low >= high:
        raise InputError(f"min must be below max, got {low:g} and {high:g}")
    return _range(kind, low, high, settings)


def _range(kind: str, low: float, high: float, settings: Mapping[str, Any]) -> BaseDistribution:
    if kind == "int_uniform":
        if not isinstance(settings["min"], int) or not isinstance(settings["max"], int):
            raise InputError("int_uniform takes whole numbers")
        return IntDistribution(int(low), int(high))
    if kind == "q_uniform":
        step = _number(settings, "q") if "q" in settings else 1.0
        if any(abs(end / step - round(end / step)) > 1e-9 for end in (low, high)):
            raise InputError(f"min and max of q_uniform must be multiples of q = {step:g}")
        return FloatDistribution(low, high, step=step)
    if kind == "log_uniform":  # W&B: the exponents of e
        low, high = math.exp(low), math.exp(high)
    return FloatDistribution(low, high, log=kind != "uniform")


def _implied(settings: Mapping[str, Any]) -> str:
    """Return the distribution that W&B takes where none is named."""
    if "value" in settings:
        return "constant"
    if "values" in settings:
        return "categorical"
    ends = [settings.get("min"), settings.get("max")]
    return "int_uniform" if all(isinstance(end, int) for end in ends) else "uniform"


def _choices(values: Any) -> CategoricalDistribution:
    if not isinstance(values, list) or not values:
        raise InputError(f"values must be a list, got {values!r}")
    if not all(isinstance(value, bool | int | float | str | None) for value in values):
        raise InputError("values must be numbers, texts, true, false or null")
    return CategoricalDistribution(values)


def _number(settings: Mapping[str, Any], key: str) -> float:
    value = settings.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        hint = "; YAML reads 1e-3 as a text, write 0.001" if isinstance(value, str) else ""
        raise InputError(f"{key} must be a number, got {value!r}{hint}")
    return float(value)


def grid_values(distribution: BaseDistribution) -> list[Any]:
    """Return the points of a distribution for a grid.

    Raises:
        InputError: a continuous distribution.
    """
    if isinstance(distribution, CategoricalDistribution):
        return list(distribution.choices)
    if isinstance(distribution, IntDistribution):
        return list(range(distribution.low, distribution.high + 1, distribution.step))
    if isinstance(distribution, FloatDistribution) and distribution.step is not None:
        n_steps = round((distribution.high - distribution.low) / distribution.step)
        return [distribution.low + number * distribution.step for number in range(n_steps + 1)]
    raise InputError("a grid needs values, int_uniform or q_uniform")


def grid_size(space: Mapping[str, BaseDistribution]) -> int:
    """Return the number of points of a grid."""
    return math.prod(len(grid_values(distribution)) for distribution in space.values())


def first_point(space: Mapping[str, BaseDistribution]) -> dict[str, Any]:
    """Return one point of the space: the first choice, or the lower end."""
    return {
        name: one.choices[0] if isinstance(one, CategoricalDistribution) else vars(one)["low"]
        for name, one in space.items()
    }


def sampler(method: str, space: Mapping[str, BaseDistribution], seed: int) -> BaseSampler:
    """Return Optuna's engine for a method of W&B; bayes is a tree-structured Parzen estimator."""
    if method == "grid":  # its seed orders the points, and they are known by their place
        return GridSampler({name: grid_values(one) for name, one in space.items()}, seed=0)
    return RandomSampler(seed=seed) if method == "random" else TPESampler(seed=seed)


def pruner(early_terminate: Mapping[str, Any]) -> BasePruner:
    """Return Optuna's early stopping for W&B's hyperband, in epochs.

    With `min_iter` trials are compared at min_iter, eta min_iter, ... epochs (asynchronous
    successive halving); with `max_iter` and `s` in s brackets up to max_iter (Hyperband).
    """
    if not early_terminate:
        return NopPruner()
    eta = early_terminate.get("eta", DEFAULT_ETA)
    if "min_iter" in early_terminate:
        return SuccessiveHalvingPruner(
            min_resource=early_terminate["min_iter"], reduction_factor=eta
        )
    last = early_terminate["max_iter"]
    first = max(1, last // eta ** early_terminate.get("s", 1))
    return HyperbandPruner(min_resource=first, max_resource=last, reduction_factor=eta)
