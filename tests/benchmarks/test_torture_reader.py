"""The torture of the reader finds nothing, and would find what it looks for."""

import importlib
import json
import os
import time
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks.recording_files import WRITERS
from data_modules.reading.reasons import RecordError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def torture(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.chdir(ROOT)
    return importlib.import_module("benchmarks.torture_reader")


@pytest.mark.slow
def test_two_hundred_mutants_end_as_outcomes(
    torture: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ECG_CORPORA", raising=False)
    out = tmp_path / "torture.json"
    assert torture.main(["--mutants", "200", "--out", str(out)]) == 0
    figures = json.loads(out.read_text())
    assert figures["mutants"] == figures["accepted"] + figures["refused"] == 200
    assert set(figures["kinds"]) == set(WRITERS)
    assert len(figures["codes"]) > 5


def test_a_mutant_is_the_same_each_time(torture: ModuleType) -> None:
    mutants = importlib.import_module("benchmarks.mutants")
    origins = mutants.make_origins(None)
    first, again = (mutants.make_mutant(origins, 3, 17) for _ in range(2))
    assert first == again
    assert first.files != mutants.make_mutant(origins, 4, 17).files


@pytest.mark.parametrize("failure", ["bare", "code", "checksum"])
def test_a_faulty_reader_is_found(
    torture: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: str
) -> None:
    mutants = importlib.import_module("benchmarks.mutants")
    origin = mutants.make_origins(None)[0]
    for name, content in origin.files.items():
        (tmp_path / name).write_bytes(content)
    assert torture.read_mutant(tmp_path, "WFDB", "r1")[0] == "accepted"
    if failure == "checksum":
        raw = bytearray(origin.files["r1.dat"])
        raw[100] ^= 1
        (tmp_path / "r1.dat").write_bytes(raw)
        monkeypatch.setattr("data_modules.reading.wfdb._compare_checksums", lambda *_, **__: ())
        assert torture.read_mutant(tmp_path, "WFDB", "r1")[0] == "wrong_checksum"
        return

    def broken(*_: object, **__: object) -> None:
        if failure == "bare":
            raise KeyError("x")
        raise RecordError("too_short", record="another", problem="no name")

    monkeypatch.setattr(torture, "read_recording", broken)
    if failure == "bare":
        with pytest.raises(KeyError):
            torture.read_mutant(tmp_path, "WFDB", "r1")
    else:
        assert torture.read_mutant(tmp_path, "WFDB", "r1")[0] == "malformed"


def sleep_once(connection, seed, indices) -> None:
    """Stand in for the worker: hang at mutant 1, die at mutant 2, read the others."""
    from benchmarks.torture_reader import Result

    for index in indices:
        connection.send((index, "WFDB"))
        if index == 1:
            time.sleep(60)
        if index == 2:
            os._exit(11)
        connection.send(Result(index, "WFDB", "accepted", "", 0.0, 900.0 if index == 3 else 1.0))
    connection.send(None)


def test_hangs_crashes_and_memory_are_seen_and_the_run_goes_on(
    torture: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torture, "_work", sleep_once)
    monkeypatch.setattr(torture, "START_METHOD", "fork")
    results = list(torture.torture([0, 1, 2, 3, 4], seed=0, limit_s=0.5, limit_mb=100.0))
    assert [result.verdict for result in results] == [
        "accepted", "hang", "crash", "memory", "accepted"
    ]  # fmt: skip


def test_figures_of_two_pieces_are_one_and_stand_between_the_marks(
    torture: ModuleType, tmp_path: Path
) -> None:
    first, second = torture.MARKS
    page = tmp_path / "data.md"
    page.write_text(f"before\n{first}\nstale\n{second}\nafter\n")
    results = [
        [torture.Result(0, "EDF", "accepted", "", 0.1, 5.0),
         torture.Result(1, "CSV", "refused", "file_invalid", 0.3, 1.0)],
        [torture.Result(2, "EDF", "hang", "", 0.2, 9.0)],
    ]  # fmt: skip
    one, other = (torture.summarise(part, seed=0, seconds=1.0) for part in results)
    both = torture.added(one, other)
    assert both == torture.summarise([*results[0], *results[1]], seed=0, seconds=2.0) | {
        "failures": [results[1][0]._asdict()]
    }
    torture.write_between_marks(page, torture.described(both))
    text = page.read_text()
    assert text.startswith(f"before\n{first}\nOf 3 mutants")
    assert text.endswith(f"{second}\nafter\n")
    assert "stale" not in text
    assert "hang 1" in text
    assert "CSV 0 of 1, EDF 1 of 2" in text
