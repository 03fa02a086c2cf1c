"""The program that measures the start of a training."""

import pytest

from benchmarks.start import PROGRAM, markdown
from lsemvae.tasks import Pretrainer


@pytest.mark.parametrize(("seconds", "verdict"), [([4.5, 4.9, 9.0], "met"), ([5.0, 5.1], "missed")])
def test_the_median_is_held_against_the_limit(seconds: list[float], verdict: str) -> None:
    assert markdown({"cpu_s": seconds}).endswith(f"limit 5 s, {verdict}.\n")


def test_the_clock_stands_in_the_step_that_the_trainer_calls() -> None:
    assert "Pretrainer.training_step = " in PROGRAM
    assert callable(Pretrainer.training_step)
