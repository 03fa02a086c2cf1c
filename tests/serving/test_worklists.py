"""Each browser session has a list of its own, with a limit and an end."""

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from lsemvae.predicting.outcome import Row
from lsemvae.serving.limits import Limits, Refusal
from lsemvae.serving.recordings import Entry
from lsemvae.serving.worklists import Worklists
from tests.serving.conftest import PeakModel, ecg, rows_of, send, text_of, visit

LIMITS = Limits(list_rows=3, all_rows=4, lists=2, idle_s=60.0)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def entries(n: int) -> list[Entry]:
    return [Entry(Row("a", "error"))] * n


def test_two_sessions_see_their_own_recordings_only(browser: TestClient) -> None:
    send(browser, ecg("mine"))
    own = dict(browser.cookies)
    browser.cookies.clear()
    assert rows_of(browser) == []
    assert browser.get("/recordings/1").status_code == 404
    send(browser, ecg("theirs"))
    assert [row["recording"] for row in rows_of(browser)] == ["theirs"]
    browser.cookies.clear()
    browser.cookies.update(own)
    assert [row["recording"] for row in rows_of(browser)] == ["mine"]


def test_a_full_list_takes_nothing_and_says_what_to_do(model: PeakModel) -> None:
    with visit(model, LIMITS) as client:
        send(client, ecg("one"), ecg("two"))
        answer = send(client, ecg("three"), ecg("four"))
        assert answer.status_code == 413
        line = "has room for 1 more recordings, and 2 came; none was added. Download the CSV"
        assert line in text_of(answer)
        assert len(rows_of(client)) == 2
        assert send(client, ecg("three")).status_code == 200


def test_all_lists_together_have_a_limit() -> None:
    lists = Worklists(LIMITS)
    one, two = lists.add(None, entries(3)), lists.add(None, entries(1))
    with pytest.raises(Refusal, match="room for 0 more"):
        lists.add(two, entries(1))
    assert [len(found.entries) for found in map(lists.find, (one, two)) if found] == [3, 1]


def test_too_many_lists_are_refused_until_one_ends() -> None:
    lists = Worklists(LIMITS)
    secret = lists.add(None, entries(1))
    lists.add(None, entries(1))
    with pytest.raises(Refusal, match="2 worklists are open, which is the limit"):
        lists.add(None, entries(1))
    lists.end(secret)
    assert lists.add(secret, entries(1)) != secret  # nobody chooses a secret


def test_a_list_ends_a_while_after_its_last_use(model: PeakModel) -> None:
    clock = Clock()
    with visit(model, LIMITS, Worklists(LIMITS, clock)) as client:
        send(client, ecg("anna"))
        clock.now = 59.0
        assert len(rows_of(client)) == 1
        clock.now = 59.0 + 61.0
        assert "The earlier list has ended" in text_of(client.get("/"))
        assert rows_of(client) == []


def test_a_refused_upload_begins_no_list(model: PeakModel) -> None:
    with visit(model, replace(LIMITS, lists=1)) as client:
        for _ in range(3):
            assert client.post("/recordings", files=[]).status_code == 400
        assert send(client, *[ecg(f"r{n}") for n in range(4)]).status_code == 413
        assert send(client, ecg("anna")).status_code == 200


def test_threads_at_once_lose_no_list() -> None:
    lists = Worklists(Limits(lists=1000, all_rows=100_000))
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    def work(_: int) -> list[str]:
        found = []
        for _ in range(40):
            lists.check_room(None, 1)
            found.append(lists.add(None, entries(1)))
        return found

    try:
        with ThreadPoolExecutor(8) as pool:
            made = [secret for found in pool.map(work, range(8)) for secret in found]
    finally:
        sys.setswitchinterval(interval)
    assert len(set(made)) == 320
    assert all(lists.find(secret) for secret in made)
