import math
from dataclasses import replace
from typing import Any

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.pruners import HyperbandPruner, NopPruner, SuccessiveHalvingPruner
from optuna.samplers import GridSampler, RandomSampler, TPESampler

from lsemvae.core.errors import InputError
from lsemvae.sweep.file import SweepFile
from lsemvae.sweep.space import first_point, grid_size, pruner, sampler, search_space

SWEEP = SweepFile("s", "random", "val/kl", "minimize", {}, (), None, {})


def translated(settings: Any, method: Any = "random") -> Any:
    return search_space(replace(SWEEP, method=method, parameters={"x": settings}))["x"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"value": 3}, CategoricalDistribution([3])),
        ({"distribution": "constant", "value": None}, CategoricalDistribution([None])),
        ({"values": [1, "a", True]}, CategoricalDistribution([1, "a", True])),
        ({"distribution": "categorical", "values": [1.5]}, CategoricalDistribution([1.5])),
        ({"min": 1, "max": 4}, IntDistribution(1, 4)),
        ({"distribution": "int_uniform", "min": 1, "max": 4}, IntDistribution(1, 4)),
        ({"min": 0.5, "max": 4}, FloatDistribution(0.5, 4.0)),
        ({"distribution": "uniform", "min": 0, "max": 4}, FloatDistribution(0.0, 4.0)),
        ({"distribution": "q_uniform", "min": 0.5, "max": 2, "q": 0.5},
         FloatDistribution(0.5, 2.0, step=0.5)),
        ({"distribution": "log_uniform_values", "min": 0.1, "max": 10},
         FloatDistribution(0.1, 10.0, log=True)),
        ({"distribution": "log_uniform", "min": 0.0, "max": 1.0},
         FloatDistribution(1.0, math.e, log=True)),
    ],
)  # fmt: skip
def test_distribution_is_translated(settings: dict[str, Any], expected: object) -> None:
    assert translated(settings) == expected


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"distribution": "normal", "mu": 0}, "parameter x: mu is not supported"),
        ({"distribution": "beta", "min": 0, "max": 1}, "distribution beta is not supported"),
        ({"distribution": "constant"}, "'value' is missing"),
        ({"values": [1, 2], "probabilities": [0.1, 0.9]}, "probabilities is not supported"),
        ({"parameters": {"y": {"value": 1}}}, "parameters is not supported"),
        ({"values": [[1, 2]]}, "values must be numbers, texts"),
        ({"values": []}, "values must be a list"),
        ({"min": "1e-3", "max": 1.0}, "min must be a number, got '1e-3'; YAML reads"),
        ({"min": 2.0, "max": 1.0}, "min must be below max"),
        ({"distribution": "int_uniform", "min": 0.5, "max": 2}, "takes whole numbers"),
        ({"distribution": "q_uniform", "min": 0.3, "max": 2, "q": 0.5}, "multiples of q"),
        (3, "expected value, values or min and max"),
    ],
)  # fmt: skip
def test_unknown_distribution_is_refused_by_name(settings: Any, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        translated(settings)


def test_all_bad_parameters_are_named_at_once() -> None:
    bad = {"x": {"distribution": "beta"}, "y": {"values": []}, "z": {"value": 1}}
    with pytest.raises(InputError, match=r"parameter x: .*; parameter y: "):
        search_space(replace(SWEEP, parameters=bad))


def test_grid_takes_what_can_be_counted() -> None:
    parameters = {
        "a": {"values": [1, 2, 3]},
        "b": {"min": 0, "max": 1},
        "c": {"distribution": "q_uniform", "min": 0.0, "max": 1.0, "q": 0.25},
        "d": {"value": 7},
    }
    space = search_space(replace(SWEEP, method="grid", parameters=parameters))
    assert grid_size(space) == 3 * 2 * 5
    assert first_point(space) == {"a": 1, "b": 0, "c": 0.0, "d": 7}
    with pytest.raises(InputError, match="a grid needs values"):
        translated({"min": 0.0, "max": 1.0}, method="grid")


def test_methods_have_their_engines() -> None:
    space = {"x": CategoricalDistribution([1, 2])}
    engines = [type(sampler(method, space, 0)) for method in ("grid", "random", "bayes")]
    assert engines == [GridSampler, RandomSampler, TPESampler]


def test_hyperband_is_translated() -> None:
    assert isinstance(pruner({}), NopPruner)
    halving = pruner({"type": "hyperband", "min_iter": 2})
    assert isinstance(halving, SuccessiveHalvingPruner)
    assert (halving._min_resource, halving._reduction_factor) == (2, 3)
    bands = pruner({"type": "hyperband", "max_iter": 27, "s": 2, "eta": 3})
    assert isinstance(bands, HyperbandPruner)
    assert (bands._min_resource, bands._max_resource, bands._reduction_factor) == (3, 27, 3)
