"""The programs that measure and torture ingestion, at a size of seconds."""

import importlib
import json
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.forked import CONTEXT, Forked

ROOT = Path(__file__).parents[2]


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.chdir(ROOT)
    return lambda name: importlib.import_module(f"benchmarks.{name}")


def results_of(module: ModuleType, out: Path, *arguments: str) -> dict[str, Any]:
    assert not module.main([*arguments, "--out", str(out)])
    results: dict[str, Any] = json.loads(out.read_text())
    above, table = out.with_suffix(".md").read_text().split("\n\n", 1)
    assert above.startswith(results["machine"]["processor"])
    assert table.startswith("| ")
    assert results["machine"]["cores"] >= 1
    return results


def test_conversion_is_compared_with_the_same_signals(program: Any, tmp_path: Path) -> None:
    sizes = ["--records", "8", "--rounds", "1", "--patients", "20"]
    results = results_of(program("conversion"), tmp_path / "c.json", *sizes)
    assert set(results["variants"]) == {"ours", "rdrecord + scipy", "rdsamp + neurokit"}
    assert results["largest_difference_uv"] <= 1
    assert sum(results["shares"].values()) == pytest.approx(1)
    ours, scipy = (results["variants"][name]["ms"] for name in ("ours", "rdrecord + scipy"))
    assert ours < scipy


def test_conversion_that_gives_other_signals_is_noticed(
    program: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = program("conversion")
    silence = np.zeros((5000, 12))
    monkeypatch.setattr(module, "plain_scipy", lambda _, records: [silence] * len(records))
    with pytest.raises(ValueError, match="other signals"):
        module.main(["--records", "4", "--rounds", "1", "--patients", "4", "--without_neurokit"])


@pytest.mark.slow
def test_loading_measures_every_layout_and_loader(program: Any, tmp_path: Path) -> None:
    sizes = ["--records", "256", "--rounds", "1", "--workers", "0", "1"]
    results = results_of(program("loading"), tmp_path / "l.json", *sizes)
    assert {"memmap", "h5py", "store"} <= set(results["readers"])
    assert results["readers"]["memmap"]["share_of_memmap"] == 1
    assert len(results["loaders"]) == 6


@pytest.mark.slow
def test_a_large_store_costs_little_for_each_record(
    program: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full_size = program("full_size")

    def forked(path: Path, workers: int) -> Any:
        with ProcessPoolExecutor(1, mp_context=CONTEXT) as pool:
            return pool.submit(full_size.measure, str(path), workers).result()

    monkeypatch.setattr(full_size, "measure_elsewhere", forked)
    sizes = ["--records", "16000", "40000", "--workers", "0"]
    results = results_of(full_size, tmp_path / "f.json", *sizes)
    assert [row["records"] for row in results["rows"]] == [16000, 40000]
    assert results["bytes_per_record"] < 300


@pytest.mark.slow
def test_a_short_torture_loses_nothing(
    program: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversion_run = program("conversion_run")

    def forked(command: list[str], *, start_new_session: bool, env: Any, **files: Any) -> Forked:
        arguments = [command[command.index("benchmarks.conversion_run") + 1 :]]
        return Forked(conversion_run.convert, arguments, new_session=start_new_session, **files)

    monkeypatch.setattr(conversion_run, "subprocess", SimpleNamespace(Popen=forked))
    monkeypatch.setattr(conversion_run, "ROWS", 16)
    sizes = ["--kills", "2", "--patients", "60"]
    results = results_of(program("torture_store"), tmp_path / "t.json", *sizes)
    assert results["kills"]["kills"] == 2
    assert results["failures"] == []


def test_torture_names_what_is_not_as_it_has_to_be(program: Any) -> None:
    sound = {
        "kills": dict.fromkeys(program("torture_store").KILL_ZERO, 0),
        "full_disk": {
            **dict.fromkeys(("lost", "doubled", "wrong", "other_bytes", "old_files_changed"), 0),
            "restart_exit_code": 0, "rubbish": [], "one_line": True, "exit_code": 2,
            "restart_went_on": True,
        },
        "two_runs": {"first_exit_code": 0, "other_bytes": 0, "one_line": True,
                     "second_exit_code": 2},
    }  # fmt: skip
    failures = program("torture_store").failures
    assert failures(sound) == []
    sound["kills"]["lost"] = 1
    sound["full_disk"]["one_line"] = False
    assert failures(sound) == ["kills.lost", "full_disk.one_line"]
