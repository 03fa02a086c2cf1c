"""Rules that look at signals, the window of the rules, and recordings that take another's place."""

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks.recording_files import make_counts, wfdb_files
from data_modules.linking.eligibility import Rules, apply_rules, judge, read_rules
from data_modules.linking.id_rule import IdRule
from data_modules.linking.match import REPLACED, Window
from data_modules.linking.replace import choose_window, match_by_rules
from data_modules.linking.signal_measures import SignalMeasures
from data_modules.reading.read import read_recording
from data_modules.reading.recording import Recording
from lsemvae.core.errors import InputError


def write(folder: Path, name: str, *, paced: bool = False, flat: slice | None = None) -> str:
    """Write a WFDB record of 6 s at 250 Hz and return its name."""
    counts = make_counts()
    if paced:
        counts[:, 30::200] += np.linspace(200, -120, 12).astype(np.int16)[:, None]
    if flat is not None:
        counts[flat] = 0
    for file, content in wfdb_files(counts).items():
        (folder / file.replace("r1", name)).write_bytes(content.replace(b"r1", name.encode()))
    return name


def rules_of(folder: Path, text: str) -> Rules:
    (folder / "rules.yaml").write_text(text)
    return read_rules(str(folder / "rules.yaml"))


def one_rule(folder: Path, condition: str) -> Rules:
    return rules_of(folder, f"exclude:\n  - reason: why\n    {condition}\n")


def pairs_of(*paths: str, statements: tuple[tuple[str, ...], ...] | None = None) -> pd.DataFrame:
    said = statements or ((),) * len(paths)
    return pd.DataFrame({"row": range(2, 2 + len(paths)), "path": paths, "statements": said})


@pytest.mark.parametrize(
    ("how", "excluded", "undecided"),
    [("signal", [2, 4], [5]), ("statement", [3], [2, 4, 5]), ("any", [2, 3, 4], [5])],
)
def test_pacing_is_found_by_spikes_by_words_or_by_either(
    tmp_path: Path, how: str, excluded: list[int], undecided: list[int]
) -> None:
    names = [write(tmp_path, "a", paced=True), write(tmp_path, "b"),
             write(tmp_path, "c", paced=True), "gone"]  # fmt: skip
    pairs = pairs_of(*names, statements=((), ("Atrial-paced rhythm",), (), ()))
    left, found, unknown = apply_rules(
        one_rule(tmp_path, f"paced: {how}"), pairs, SignalMeasures(tmp_path)
    )
    assert [one.who for one in found[0][1]] == [f"row {row}" for row in excluded]
    assert left["row"].tolist() == [row for row in pairs["row"] if row not in excluded]
    assert [one.who for one in unknown] == [f"row {row}" for row in undecided]


def test_a_recording_that_several_rules_look_at_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def counting(source: Path, path: str, **options: Any) -> Recording:
        read.append(path)
        return read_recording(source, path, **options)

    monkeypatch.setattr("data_modules.linking.eligibility.read_recording", counting)
    pairs = pairs_of(write(tmp_path, "a", paced=True), write(tmp_path, "b"))
    signals = SignalMeasures(tmp_path)
    rule = one_rule(tmp_path, "paced: signal").rules[0]
    for _ in range(2):
        assert judge(rule, pairs, signals).excluded.tolist() == [True, False]
    assert sorted(read) == sorted(pairs["path"])


@pytest.mark.parametrize(("fewest", "kept"), [(4, True), (5, False)])
def test_leads_are_counted_below_the_minimum_of_a_store_too(
    tmp_path: Path, fewest: int, kept: bool
) -> None:
    name = write(tmp_path, "a", flat=slice(0, 8))  # V3 to V6 are left
    rules = one_rule(tmp_path, f"leads_below: {fewest}")
    left, _, _ = apply_rules(rules, pairs_of(name), SignalMeasures(tmp_path))
    assert len(left) == kept


def test_the_window_of_the_rules_holds_and_may_not_be_contradicted(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, "window:\n  days: 7\n  when: before\nexclude: []\n")
    assert choose_window(rules, None, None, "one") == Window(7, "before", "one")
    assert choose_window(rules, 7, None, "one") == Window(7, "before", "one")
    assert choose_window(Rules((), ""), None, None, "all") == Window(30, "nearest", "all")
    with pytest.raises(InputError, match="--window_days is 9 and the rules' window says days: 7"):
        choose_window(rules, 9, None, "one")
    with pytest.raises(InputError, match="--when is after"):
        choose_window(rules, None, "after", "one")


@pytest.mark.parametrize("window", ["7", "{days: -1}", "{days: true}", "{when: later}", "{a: 1}"])
def test_a_window_that_is_none_is_refused(tmp_path: Path, window: str) -> None:
    with pytest.raises(InputError, match="window"):
        rules_of(tmp_path, f"window: {window}\nexclude: []\n")


def test_replacing_makes_no_sense_where_all_are_kept(tmp_path: Path) -> None:
    rules = one_rule(tmp_path, "paced: any\n    replace: true")
    with pytest.raises(InputError, match="--ecgs all"):
        choose_window(rules, None, None, "all")


def files_of(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    """Return files of patient, record, date and statement."""
    table = pd.DataFrame(rows, columns=["patient", "record", "acquired", "said"])
    table["statements"] = [(said,) for said in table["said"]]
    return table.assign(path=table["record"], sex="", birth_date="", age_years="")


def test_the_next_recording_takes_the_place_and_the_last_one_stays(tmp_path: Path) -> None:
    files = files_of(
        ("p", "near", "2020-03-01", "paced"), ("p", "next", "2020-02-25", "sinus"),
        ("p", "far", "2020-02-20", "sinus"), ("q", "first", "2020-03-01", "paced"),
        ("q", "last", "2020-02-25", "paced"), ("r", "only", "2020-03-01", "paced"),
        ("r", "outside", "2019-01-01", "sinus"),
    )  # fmt: skip
    day = datetime.date(2020, 3, 2)
    rows = pd.DataFrame({"patient": ["p", "q", "r"], "rhc_date": [day] * 3,
                         "birth_date": [None] * 3, "sex": [""] * 3}, index=[2, 3, 4])  # fmt: skip
    rules = one_rule(tmp_path, "paced: statement\n    replace: true")
    linked = match_by_rules(files, rows, IdRule(), Window(30, "nearest", "one"), rules=rules,
                            signals=SignalMeasures(tmp_path))  # fmt: skip
    assert linked.pairs["record"].tolist() == ["next", "last", "only"]
    replaced = [one.who for one in linked.files_left if one.reason == f"{REPLACED}: why"]
    assert replaced == ["file near", "file first"]
    assert len(linked.files_left) + len(linked.pairs) == len(files)
    _, excluded, _ = apply_rules(rules, linked.pairs, SignalMeasures(tmp_path))
    assert [one.who for one in excluded[0][1]] == ["row 3", "row 4"]


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("age_belw: 18", "nothing is called age_belw; did you mean age_below?"),
        ("age_below: 18 years", "age_below is '18 years'"),
        ("paced: yes", "paced is True"),
        ("age_below: 18\n    age_above: 90", "it has 2 conditions, and a rule has one"),
        ("paced: any\n    replace: 1", "replace is 1"),
    ],
)
def test_what_is_wrong_with_a_rule_is_said(rule: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        one_rule(tmp_path, rule)
    assert f"is not known: {why}; expected a list" in str(caught.value)
