"""The journal: what was finished is known after any kind of end."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_modules.conversion.journal import FinishedShard, Journal
from data_modules.conversion.quarantine import RecordFate
from lsemvae.core.errors import InputError


def shard(number: int) -> FinishedShard:
    present = np.random.default_rng(number).random((2, 12)) > 0.5
    outcomes = [
        RecordFate(
            f"a/{number}", True, (("lead_flat", "V2: \u00e4"), ("padded", "x")), "0" * 16, True
        ),
        RecordFate(f"b/{number}", False, (("size_mismatch", "text, with\nbreaks"),)),
    ]
    return FinishedShard(number, present, outcomes)


def numbers(path: Path) -> list[int]:
    with Journal(path, key="k") as journal:
        return [found.number for found in journal.read()]


def test_finished_shards_are_read_back_in_order_whatever_the_order_they_came_in(
    tmp_path: Path,
) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path, key="k") as journal:
        for number in (2, 0, 1):
            journal.add(shard(number))
    with Journal(path, key="k") as journal:
        found = list(journal.read())
    assert [one.number for one in found] == [0, 1, 2]
    assert [one.outcomes for one in found] == [shard(number).outcomes for number in range(3)]
    for one in found:
        np.testing.assert_array_equal(one.present, shard(one.number).present)


@given(lost=st.integers(1, 400))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_torn_end_costs_only_the_shards_that_it_tears(tmp_path: Path, lost: int) -> None:
    path = tmp_path / "journal.jsonl"
    path.unlink(missing_ok=True)
    ends = []
    with Journal(path, key="k") as journal:
        for number in range(3):
            journal.add(shard(number))
            ends.append(path.stat().st_size)
    content = path.read_bytes()[:-lost]
    path.write_bytes(content)
    kept = [number for number, end in enumerate(ends) if end <= len(content)]
    assert numbers(path) == kept
    with Journal(path, key="k") as journal:
        journal.add(shard(9))
    assert numbers(path) == [*kept, 9]


def test_a_journal_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path, key="k") as journal:
        journal.add(shard(0))
    refused = pytest.raises(InputError, match="not the journal of this conversion")
    with refused, Journal(path, key="other"):
        pass
    path.write_text('{"someone": "else"}\n')
    with pytest.raises(InputError, match="not the journal of this conversion"):
        numbers(path)
    assert path.read_text() == '{"someone": "else"}\n'


def test_a_forgotten_shard_is_not_finished(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", key="k") as journal:
        journal.add(shard(0))
        journal.add(shard(1))
        journal.forget(0)
        assert [found.number for found in journal.read()] == [1]
        journal.add(shard(0))
    assert numbers(tmp_path / "j") == [0, 1]


def test_one_process_at_a_time_goes_on_with_a_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path, key="k") as journal:
        with pytest.raises(InputError, match=r"another process writes into .*journal.jsonl"):
            numbers(path)
        journal.add(shard(0))
    assert numbers(path) == [0]
