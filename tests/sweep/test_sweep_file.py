from pathlib import Path
from typing import Any

import pytest
import yaml

from lsemvae.core.errors import InputError
from lsemvae.sweep.file import read_sweep

GAMMA = "model.init_args.network.init_args.objective.gamma"
GOOD: dict[str, Any] = {
    "name": "good",
    "program": "lsemvae",
    "method": "grid",
    "metric": {"name": "latent/r2_from_limb/chest", "goal": "maximize"},
    "parameters": {GAMMA: {"values": [0.0, 1.0]}},
    "command": ["${env}", "${program}", "fit", "--config=a.yaml", "${args}"],
}


def read(folder: Path, **changes: Any) -> Any:
    file = folder / "sweep.yaml"
    file.write_text(yaml.safe_dump(GOOD | changes))
    return read_sweep(file)


def test_file_is_read(tmp_path: Path) -> None:
    sweep = read(tmp_path, run_cap=3, early_terminate={"type": "hyperband", "min_iter": 2})
    assert (sweep.name, sweep.method, sweep.goal, sweep.run_cap) == ("good", "grid", "maximize", 3)
    assert sweep.metric == "latent/r2_from_limb/chest"
    assert sweep.arguments == ("--config=a.yaml",)
    assert sweep.early_terminate == {"type": "hyperband", "min_iter": 2}


def test_goal_is_to_minimize_where_none_is_named_as_in_wandb(tmp_path: Path) -> None:
    assert read(tmp_path, metric={"name": "latent/alignment"}).goal == "minimize"


@pytest.mark.parametrize(
    "command",
    [["lsemvae", "fit", "${args}"], ["${env}", "lightning", "fit", "${args}"],
     ["/usr/bin/env", "lsemvae", "fit", "${args}"]],
)  # fmt: skip
def test_commands_that_are_no_fit_are_refused_and_others_read(
    tmp_path: Path, command: list[str]
) -> None:
    if command[0].startswith("/"):
        with pytest.raises(InputError, match="command must run `lsemvae fit`"):
            read(tmp_path, command=command)
    else:
        assert read(tmp_path, command=command).arguments == ()


@pytest.mark.parametrize(
    "name",
    ["test/auroc", "test_auroc", "train/loss", "auroc", "fold_0/val/auroc", "TEST/loss", ""],
)  # fmt: skip
def test_metric_of_another_part_than_validation_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="not of the validation part"):
        read(tmp_path, metric={"name": name})


@pytest.mark.parametrize("name", ["val/loss", "val/reconstruction"])
@pytest.mark.parametrize("key", ["beta", GAMMA])
def test_weighted_metric_is_refused_where_the_weights_are_swept(
    tmp_path: Path, name: str, key: str
) -> None:
    space = {key: {"values": [1.0]}}
    with pytest.raises(InputError, match="cannot be compared between values of"):
        read(tmp_path, metric={"name": name}, parameters=space)
    other = {"model.init_args.lr": {"values": [1.0]}}
    assert read(tmp_path, metric={"name": name}, parameters=other).metric == name


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"method": "custom"}, "method must be one of grid, random, bayes, got 'custom'"),
        ({"scheduler": {}}, "unknown key 'scheduler'"),
        ({"name": "../out"}, "name must be one word"),
        ({"parameters": {}}, "parameters must map"),
        ({"run_cap": 0}, "run_cap must be a number of trials"),
        ({"metric": None}, "metric must have a name"),
        ({"metric": {"name": "val/kl", "goal": "max"}}, "metric.goal must be"),
        ({"command": ["lsemvae", "test", "${args}"]}, "command must run `lsemvae fit`"),
        ({"command": ["lsemvae", "fit"]}, r"command must end with \$\{args\}"),
        ({"command": ["lsemvae", "fit", "${envvar:HOME}", "${args}"]}, "is not supported here"),
        ({"command": ["lsemvae", "fit", "--help", "${args}"]}, "--help in command is not support"),
        ({"run_cap": True}, "run_cap must be a number of trials"),
        ({"command": "lsemvae fit"}, "command must be a list"),
        ({"early_terminate": {"type": "hyperband"}}, "needs min_iter, or max_iter"),
        ({"early_terminate": {"type": "median", "min_iter": 1}}, "type must be hyperband"),
        ({"early_terminate": {"type": "hyperband", "min_iter": 1, "strict": True}},
         "early_terminate.strict is not supported"),
        ({"early_terminate": {"type": "hyperband", "min_iter": 1, "eta": 1}}, "eta must be"),
    ],
)  # fmt: skip
def test_what_cannot_be_run_is_named(
    tmp_path: Path, changes: dict[str, Any], expected: str
) -> None:
    with pytest.raises(InputError, match=expected):
        read(tmp_path, **changes)


def test_everything_wrong_is_in_one_report(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, method="x", run_cap=-1, metric={"name": "test/x"}, other=1)
    for part in ("method must", "run_cap must", "not of the validation part", "unknown key"):
        assert part in str(caught.value)


def test_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "sweep.yaml"
    file.write_text("method: grid\nmethod: random\n")
    with pytest.raises(InputError, match="stands twice"):
        read_sweep(file)
    with pytest.raises(InputError, match="there is no sweep file"):
        read_sweep(tmp_path / "other.yaml")
