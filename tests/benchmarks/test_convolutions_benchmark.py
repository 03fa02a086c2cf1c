import importlib
import json
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]


@pytest.fixture
def convolutions(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT))
    program = importlib.import_module("benchmarks.convolutions")
    monkeypatch.setattr(program, "keep_freed_memory", lambda: True)
    return program


def test_both_forms_are_timed_in_both_types(convolutions, tmp_path: Path) -> None:
    few = ["--batch", "2", "--samples", "100", "--repeats", "1", "--threads", "1"]
    convolutions.main([*few, "--out", str(tmp_path / "found.json")])
    rows = json.loads((tmp_path / "found.json").read_text())["rows"]
    assert [(row["form"], row["dtype"]) for row in rows] == [
        (form, dtype) for dtype in ("float32", "bfloat16") for form in convolutions.FORMS
    ]
    assert all(row[key] > 0 for row in rows for key in ("forward_s", "both_s"))


def test_forms_that_differ_are_not_timed(convolutions, monkeypatch: pytest.MonkeyPatch) -> None:
    right = convolutions.FORMS["lead by lead"]
    wrong = {"right": right, "wrong": lambda *inputs: right(*inputs) + torch.ones(1)}
    monkeypatch.setattr(convolutions, "FORMS", wrong)
    with pytest.raises(ValueError, match="apart"):
        convolutions.measure(2, 100, 1)
