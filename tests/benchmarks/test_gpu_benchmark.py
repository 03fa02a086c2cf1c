"""`make gpu` on a CPU with small sizes: every line of it runs, but for those of two cards."""

import importlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SMALL = ["--device", "cpu", "--batch", "2", "--samples", "64", "--latent", "4", "--steps", "1",
         "--edge", "64", "--records", "130", "--workers", "0", "--without-compile"]  # fmt: skip


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    return importlib.import_module("benchmarks.gpu")


def test_dry_run_checks_times_and_writes(gpu, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before <!-- made by python -m benchmarks.gpu --> <!-- end --> after")
    gpu.main([*SMALL, "--out", str(tmp_path / "gpu.json"), "--page", str(page)])
    found = json.loads((tmp_path / "gpu.json").read_text())
    assert [one["met"] for one in found["checks"]] == [True] * 4
    assert len(found["steps"]) == 3 * 3  # precisions, forms
    assert all(row["times_plain"] == 1.0 for row in found["steps"] if row["form"] == "plain")
    assert all(row["records_per_s"] > 0 for row in [*found["encoding"], *found["loaders"]])
    assert not importlib.import_module("torch").are_deterministic_algorithms_enabled()
    written = page.read_text()
    assert "no GPU: a dry run on the CPU" in written
    assert "0 tensors differ | to the bit | yes |" in written


def test_what_does_not_agree_ends_with_one(gpu, tmp_path: Path, monkeypatch) -> None:
    wrong = gpu.Check("losses", "2.0e-01", "1e-04", False)
    monkeypatch.setattr(gpu, "check_forms", lambda *_, **__: [wrong])
    monkeypatch.setattr(gpu, "check_resume", lambda *_: wrong)
    for timed in ("measure_steps", "measure_encoding", "measure_loaders"):  # the dry run has them
        monkeypatch.setattr(gpu, timed, lambda *_: [])
    with pytest.raises(SystemExit, match="1"):
        gpu.main([*SMALL, "--out", str(tmp_path / "gpu.json")])
    assert "| losses | 2.0e-01 | 1e-04 | NO |" in (tmp_path / "gpu.md").read_text()


def test_a_part_that_breaks_is_a_row_and_the_others_are_measured(
    gpu, tmp_path: Path, monkeypatch
) -> None:
    def broken(*_, **__) -> None:
        raise RuntimeError("no triton\nhere | there")

    gpu_step = importlib.import_module("benchmarks.gpu_step")
    monkeypatch.setattr(gpu_step, "build_ours", broken)
    monkeypatch.setattr(gpu, "check_resume", broken)
    monkeypatch.setattr(gpu, "measure_encoding", lambda *_: [])
    monkeypatch.setattr(gpu, "measure_loaders", broken)
    monkeypatch.setattr(gpu, "measure_steps", lambda *_: [])
    with pytest.raises(SystemExit, match="1"):
        gpu.main([*SMALL, "--out", str(tmp_path / "gpu.json")])
    checks = json.loads((tmp_path / "gpu.json").read_text())["checks"]
    assert [one["met"] for one in checks] == [False] * 5
    assert {one["found"] for one in checks} == {"RuntimeError: no triton here / there"}
    assert [one["what"] for one in checks[3:]] == ["resumed run", "loader"]


def test_without_a_card_one_line_says_why(gpu, monkeypatch, capsys) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(SystemExit, match="2"):
        gpu.main([])
    assert "is a CPU build: make install TORCH=cuda; --device cpu" in capsys.readouterr().err


def test_a_cut_run_that_forgets_something_is_noticed(gpu, tmp_path: Path) -> None:
    import torch

    runs = importlib.import_module("benchmarks.gpu_runs")
    for name, moment in (("one", 0.0), ("other", 1e-9)):
        state = [{"state": {0: {"exp_avg": torch.tensor([moment])}}}]
        kept = {"state_dict": {"w": torch.ones(2)}, "optimizer_states": state}
        torch.save(kept, tmp_path / name)
    assert runs.differing(tmp_path / "one", tmp_path / "other") == 1
    assert runs.differing(tmp_path / "one", tmp_path / "one") == 0


def test_the_data_sheet_is_that_of_the_card(gpu, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    class Properties:
        total_memory = 85e9

    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: Properties())
    for name, sheet in (
        ("NVIDIA A100-SXM4-80GB", "A100 80 GB SXM"), ("NVIDIA H100 80GB HBM3", "H100 80 GB SXM"),
        ("NVIDIA H200", "H200 141 GB SXM"), ("NVIDIA L4", None), ("NVIDIA GH200 480GB", None),
        ("NVIDIA H100 PCIe", None), ("NVIDIA A100-SXM4-80GB MIG 3g.40gb", None),
    ):  # fmt: skip
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda name=name: name)
        found, its_sheet = gpu.card("cuda")
        assert (found, its_sheet and its_sheet.name) == (name, sheet)
