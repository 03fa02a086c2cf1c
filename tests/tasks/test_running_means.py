import json

import pytest
import torch
from torch import Tensor

from lsemvae.tasks.running_means import RunningMeans


def alone(value: Tensor) -> Tensor:
    return value


def test_batches_count_by_their_records() -> None:
    means = RunningMeans()
    means.add({"loss": torch.tensor(1.0), "beta": 0.5}, 10)
    means.add({"loss": torch.tensor(4.0), "beta": 0.5}, 5)
    found = {name: value.item() for name, value in means.compute(alone).items()}
    assert found == {"loss": 2.0, "beta": 0.5}  # (10 x 1 + 5 x 4) / 15


def test_processes_with_unequal_parts_give_the_mean_over_all_records() -> None:
    first, second = RunningMeans(), RunningMeans()
    first.add({"loss": 1.0}, 10)
    second.add({"loss": 1.0}, 9)
    other = torch.tensor([9.0, 9.0], dtype=torch.float64)  # what the second would add
    assert first.compute(lambda value: value + other)["loss"].item() == 1.0


def test_another_epoch_and_a_reset_begin_anew() -> None:
    means = RunningMeans()
    means.add({"loss": 1.0}, 10, epoch=0)
    means.add({"loss": 7.0}, 2, epoch=1)
    assert means.compute(alone)["loss"].item() == 7.0
    means.reset()
    assert means.compute(alone) == {}


@pytest.mark.parametrize(("first", "expected"), [(True, 2.0), (False, 4.0)])
def test_a_state_goes_on_as_plain_values_on_the_first_process(first: bool, expected: float) -> None:
    before, after = RunningMeans(), RunningMeans()
    before.add({"loss": torch.tensor(1.0)}, 10, epoch=3)
    after.load(json.loads(json.dumps(before.state(alone))), first=first)
    after.add({"loss": torch.tensor(4.0)}, 5, epoch=3)
    assert after.compute(alone)["loss"].item() == expected
