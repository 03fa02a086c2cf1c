"""Hostile configurations, some of `make torture`'s."""

import pytest

from benchmarks.torture_config import fit_parser, outcome, torture


def test_hostile_configurations_reach_nothing() -> None:
    found = torture(54, seed=1)
    assert set(found["outcomes"]) <= {"taken", "refused"}
    assert found["outcomes"]["refused"] > 30
    assert found["reached"] == {}
    assert found["slow"] == 0


@pytest.mark.parametrize(
    "text", ["trainer: {plugins: [AsyncCheckpointIO]}", "ckpt_path: http://127.0.0.1:9/x"]
)
def test_what_must_be_refused_is(text: str) -> None:
    assert outcome(fit_parser(), text) == "refused"
