"""Conversions that end early, start again, meet full disks and one another."""

import csv
import errno
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import data_modules.conversion.block
import data_modules.conversion.convert
import data_modules.conversion.finish
import data_modules.store.shards
import data_modules.store.write
from data_modules.conversion.convert import convert
from data_modules.conversion.lock import OutputLock
from data_modules.conversion.quarantine import ConversionSummary
from data_modules.reading import wfdb
from data_modules.signals.settings import SignalSettings
from data_modules.store.read import EcgStore
from lsemvae.core.errors import InputError
from tests.data_modules.conftest import WriteRecord, make_ecg_mv

N = 9
SETTINGS = SignalSettings(low_hz=None, high_hz=None, duration_s=5)


@pytest.fixture
def source(write_record: WriteRecord, tmp_path: Path) -> Path:
    """Eight recordings, one of them damaged, one not there; told apart by their amplitude."""
    for number in range(N - 1):
        spoil = (lambda raw: raw[::-1]) if number == 4 else (lambda raw: raw)
        ecg = make_ecg_mv(2500) * (1 + number / 10)
        write_record(f"s/{number}", ecg, data=spoil, comment="synthetic" if number == 7 else "")
    return tmp_path / "s"


@pytest.fixture(autouse=True, params=["one file", "shards"])
def small_shards(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two recordings in a shard: five shards."""
    monkeypatch.setattr(data_modules.store.shards, "MIN_ROWS", 2)
    if request.param == "shards":
        monkeypatch.setattr(data_modules.store.write, "SINGLE_FILE_BYTES", 0)


def run(source: Path, folder: Path, *, jobs: int = 1, **changes: Any) -> ConversionSummary:
    records = [str(number) for number in range(N)]
    table = pd.DataFrame({"record": records, "patient_id": "P1"})
    options = {"amplitude": "calibrated", "label": "x", "signal": SETTINGS} | changes
    folder.mkdir(exist_ok=True)
    return convert(table, source, folder / "o.h5", jobs=jobs, **options)


def everything(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def fail_at(call: int, error: BaseException) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Have a function fail when it is called for the n-th time."""

    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        calls = iter(range(1_000_000))

        def counted(*args: Any, **named: Any) -> Any:
            if next(calls) == call:
                raise error
            return function(*args, **named)

        return counted

    return wrap


class Killed(BaseException):
    """Stands for the end of the process at this point."""


STEPS = [
    *((data_modules.conversion.convert, "convert_block", call) for call in range(5)),
    *((os, "replace", call) for call in range(7)),  # five shards, store, quarantine list
    *((os, "fsync", call) for call in (0, 1, 2, 5, 11)),
    (data_modules.conversion.finish, "write_quarantine", 0),
    (data_modules.conversion.finish, "write_store", 0),
    (data_modules.conversion.convert, "remove_leftovers", 0),
]


@pytest.mark.parametrize(("module", "name", "call"), STEPS)
def test_a_run_that_ended_anywhere_is_continued_to_the_same_bytes(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, call: int
) -> None:
    run(source, tmp_path / "whole")
    with monkeypatch.context() as patch:
        patch.setattr(module, name, fail_at(call, Killed())(getattr(module, name)))
        with pytest.raises(Killed):
            run(source, tmp_path / "ended")
    run(source, tmp_path / "ended")
    assert everything(tmp_path / "ended") == everything(tmp_path / "whole")


def test_finished_shards_are_not_converted_again(
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    convert_block = data_modules.conversion.convert.convert_block
    wrapped = fail_at(3, Killed())(convert_block)
    monkeypatch.setattr(data_modules.conversion.convert, "convert_block", wrapped)
    with pytest.raises(Killed):
        run(source, tmp_path / "o")
    seen: list[str] = []

    def watch(source: Path, records: list[str], *rest: Any) -> Any:
        seen.extend(records)
        return convert_block(source, records, *rest)

    monkeypatch.setattr(data_modules.conversion.convert, "convert_block", watch)
    assert run(source, tmp_path / "o").listed == N
    assert seen == ["6", "7", "8"]
    assert "going on: 6 recordings of 9 were converted before" in capsys.readouterr().out


def test_other_settings_or_another_source_start_from_the_beginning(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(data_modules.conversion.finish, "write_store", fail_at(0, Killed())(print))
        with pytest.raises(Killed):
            run(source, tmp_path / "o")
    louder = tmp_path / "louder"
    shutil.copytree(source, louder)
    shutil.copy(louder / "0.dat", louder / "1.dat")
    (louder / "1.hea").write_text((louder / "0.hea").read_text().replace("0.dat", "1.dat")
                                  .replace("0 12", "1 12", 1))  # fmt: skip
    run(louder, tmp_path / "o")
    store = EcgStore(tmp_path / "o/o.h5")
    first, second = store.read([0, 1])
    np.testing.assert_array_equal(first, second)
    names = [name for name in everything(tmp_path / "o") if "journal" in name]
    assert names == []


def test_workers_give_the_bytes_of_one_process(source: Path, tmp_path: Path) -> None:
    run(source, tmp_path / "one")
    run(source, tmp_path / "two", jobs=2)
    assert everything(tmp_path / "two") == everything(tmp_path / "one")


def test_a_shard_that_vanished_is_converted_again(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(source, tmp_path / "whole")
    with monkeypatch.context() as patch:
        patch.setattr(data_modules.conversion.finish, "write_store", fail_at(0, Killed())(print))
        with pytest.raises(Killed):
            run(source, tmp_path / "o")
    shards = sorted((tmp_path / "o").rglob("0000?.h5"))
    assert len(shards) == 5
    shards[1].unlink()
    os.truncate(shards[3], 600)
    run(source, tmp_path / "o")
    assert everything(tmp_path / "o") == everything(tmp_path / "whole")


@pytest.mark.parametrize("call", [0, 2, 6, 10, 12])
def test_a_full_disk_is_one_line_and_costs_nothing_that_was_finished(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    run(source, tmp_path / "o", label="old")
    run(source, tmp_path / "new")
    before = everything(tmp_path / "o")
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail_at(call, full)(os.fsync))
        with pytest.raises(InputError, match=r"cannot write .*No space left on .*go on") as e:
            run(source, tmp_path / "o")
    assert "\n" not in str(e.value)
    after = everything(tmp_path / "o")
    assert {name: after[name] for name in before} == before
    assert not [name for name in after if name.endswith((".tmp", ".lock"))]
    run(source, tmp_path / "o")
    assert EcgStore(tmp_path / "o/o.h5").sha256 == EcgStore(tmp_path / "new/o.h5").sha256


def test_an_old_store_is_readable_until_the_new_one_is_complete(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the same list and settings the shards would have the same names."""
    run(source, tmp_path / "o")
    old = EcgStore(tmp_path / "o/o.h5").read(range(7))
    (source / "0.dat").write_bytes((source / "0.dat").read_bytes()[::-1])
    with monkeypatch.context() as patch:
        patch.setattr(data_modules.conversion.finish, "write_store", fail_at(0, Killed())(print))
        with pytest.raises(Killed):
            run(source, tmp_path / "o")
    np.testing.assert_array_equal(EcgStore(tmp_path / "o/o.h5").read(range(7)), old)
    assert run(source, tmp_path / "o").accepted == 6
    np.testing.assert_array_equal(EcgStore(tmp_path / "o/o.h5").read(range(6)), old[1:])


def test_a_source_that_goes_away_is_no_set_of_missing_files(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    convert_block = data_modules.conversion.convert.convert_block
    away = source.with_name("away")

    def unplug(*args: Any) -> Any:
        if args[1] == ["4", "5"]:
            source.rename(away)
        return convert_block(*args)

    monkeypatch.setattr(data_modules.conversion.convert, "convert_block", unplug)
    with pytest.raises(InputError, match="is gone; make it available and start again"):
        run(source, tmp_path / "o")
    away.rename(source)
    monkeypatch.setattr(data_modules.conversion.convert, "convert_block", convert_block)
    assert run(source, tmp_path / "o").accepted == 7


def test_a_machine_that_opens_no_more_files_rejects_no_recording(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        failing = fail_at(1, OSError(errno.EMFILE, "Too many open files"))(wfdb._read_checked)
        patch.setattr(wfdb, "_read_checked", failing)
        with pytest.raises(InputError, match="not the file's fault; allow more open files"):
            run(source, tmp_path / "o")
    assert run(source, tmp_path / "o").accepted == 7


def test_a_fault_of_the_program_costs_one_recording(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = fail_at(1, ValueError("of two\nlines"))(data_modules.conversion.block.clean_ecg)
    monkeypatch.setattr(data_modules.conversion.block, "clean_ecg", failing)
    summary = run(source, tmp_path / "o")
    assert summary.accepted == 6
    assert summary.rejected["program_fault"] == 1
    assert "1,rejected,program_fault,ValueError: of two lines" in summary.quarantine.read_text()


def kill_worker(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_worker_or_a_full_memory_is_one_line_and_the_run_goes_on(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(source, tmp_path / "whole")
    for jobs, fault in ((2, kill_worker), (1, fail_at(0, MemoryError())(print))):
        with monkeypatch.context() as patch:
            patch.setattr(data_modules.conversion.convert, "convert_shard", fault)
            with pytest.raises(InputError, match=r"start again to go on, with fewer jobs") as e:
                run(source, tmp_path / "o", jobs=jobs)
        assert "\n" not in str(e.value)
    run(source, tmp_path / "o")
    assert everything(tmp_path / "o") == everything(tmp_path / "whole")


def test_a_second_run_on_the_same_store_is_refused(source: Path, tmp_path: Path) -> None:
    (tmp_path / "o").mkdir()
    with OutputLock(tmp_path / "o/o.h5"), pytest.raises(InputError, match="another process"):
        run(source, tmp_path / "o")
    assert everything(tmp_path / "o") == {}


def test_the_store_says_what_it_was_made_from(source: Path, tmp_path: Path) -> None:
    summary = run(source, tmp_path / "o")
    store = EcgStore(summary.store)
    assert (store.source, store.plan.n_listed, store.synthetic) == ("s", N, True)
    assert store.made_by.startswith("lsemvae ")
    assert store.reasons["rejected"] == {"checksum_mismatch": 1, "file_missing": 1}
    assert store.rows.tolist() == [0, 1, 2, 3, 5, 6, 7]
    with summary.quarantine.open(newline="") as file:
        assert [row[:3] for row in csv.reader(file)][1:] == [
            ["4", "rejected", "checksum_mismatch"],
            ["8", "rejected", "file_missing"],
        ]


@pytest.fixture
def dask_scheduler() -> Iterator[str]:
    distributed = pytest.importorskip("distributed", reason="Dask is not installed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        yield cluster.scheduler_address


def test_a_dask_cluster_gives_the_bytes_of_one_process(
    source: Path, tmp_path: Path, dask_scheduler: str
) -> None:
    run(source, tmp_path / "one")
    run(source, tmp_path / "dask", dask=dask_scheduler)
    assert everything(tmp_path / "dask") == everything(tmp_path / "one")


def test_a_worker_stops_when_its_run_was_killed(source: Path, tmp_path: Path) -> None:
    """Its run started again may be writing the same shard."""
    gone = 2**22 + 1  # no process has this number
    plan = data_modules.store.shards.plan_shards(2, SETTINGS.n_samples)
    job = data_modules.conversion.convert.ShardWork(
        source, "calibrated", SETTINGS, plan, tmp_path / "o", gone
    )
    (tmp_path / "o").mkdir()
    with pytest.raises(InputError, match="has ended"):
        data_modules.conversion.convert.convert_shard(job, 0, ["0", "1"])
    assert everything(tmp_path / "o") == {}
    done = data_modules.conversion.convert.convert_shard(job._replace(owner=0), 0, ["0", "1"])
    assert len(done.outcomes) == 2
