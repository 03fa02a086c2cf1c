"""A frozen encoder of somebody else through cv, benchmark and report, beside ours."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data_modules.store.read import EcgStore
from lsemvae.cli import main
from lsemvae.core.leads import LEADS
from tests.conftest import error_of
from tests.models.test_foreign import write_adapter

RATE = 100
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")


@pytest.fixture(scope="module")
def records(recordings: Path) -> Path:
    """Return the store of the synthetic cohort's whole recordings at 100 Hz."""
    out, source = recordings / "records.h5", recordings / "cohort"
    assert main(
        ["prepare", "cohort", "--table", str(source / "cohort.csv"), "--source",
         str(source / "records"), "--out", str(out), "--signal.sampling_rate_hz", str(RATE)]
    ) == 0  # fmt: skip
    return out


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapter")
    return write_adapter(folder, "onnx", n_samples=800, crop="centre", fewer_leads="zeros")


def cv(adapter: Path, records: Path, out: Path, *more: str) -> int:
    return main(
        ["cv", "--method", str(adapter), "--cohort", str(records), "--out", str(out),
         "--epochs", "2", "--folds", "3", *more]
    )  # fmt: skip


@pytest.fixture(scope="module")
def out(adapter: Path, records: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapter_runs") / "cv"
    for leads in ("12", "6"):
        assert cv(adapter, records, folder, "--leads", leads) == 0
    return folder


def test_features_in_the_cache_are_those_of_the_stored_recordings(out: Path, records: Path) -> None:
    store = EcgStore(records)
    ecg = store.read(np.arange(len(store)), list(range(12))) / 1000.0
    expected = np.abs(ecg[..., 100:900]).mean(-1)
    kept = [np.load(file) for file in (out / "features").glob("*.npy")]
    assert {one.shape for one in kept} == {(len(store), len(LEADS))}
    whole = next(one for one in kept if (one[:, 6:] != 0).any())
    np.testing.assert_allclose(whole, expected, rtol=1e-4, atol=1e-6)
    limb = next(one for one in kept if not (one[:, 6:] != 0).any())
    np.testing.assert_allclose(limb[:, :6], expected[:, :6], rtol=1e-4, atol=1e-6)


def test_a_run_keeps_licence_digest_and_what_was_not_compared(out: Path) -> None:
    metrics = json.loads((out / "detection/tiny/12L/metrics.json").read_text())
    assert metrics["licence"] == "MIT"
    assert metrics["title"] == "tiny (MIT)"
    assert metrics["network"]["adapter"]["n_samples"] == 800
    assert metrics["encoder_sha256"] == metrics["network"]["adapter_sha256"]
    assert metrics["pretraining_compared"] is False
    assert metrics["pretrained"] is True


def test_other_weights_under_the_same_name_are_another_run(
    out: Path, adapter: Path, records: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = write_adapter(tmp_path, "onnx", n_samples=700)
    assert cv(other, records, out) == 2
    assert "was run with other settings" in error_of(capsys)


def test_report_names_the_encoder_with_its_licence(
    out: Path, records: Path, tmp_path: Path
) -> None:
    arguments = [str(out / "detection/tiny/12L"), "--cohort", str(records), "--n_resamples", "100"]
    assert main(["report", *arguments, "--out", str(tmp_path)]) == 0
    numbers: dict[str, Any] = json.loads((tmp_path / "report.json").read_text())
    rows = [row for table in numbers["sections"]["results"]["tables"] for row in table["rows"]]
    assert any("tiny (MIT)" in cell for row in rows for cell in row)


def test_benchmark_takes_it_beside_ours_without_pre_training(
    adapter: Path, records: Path, tmp_path: Path
) -> None:
    methods = json.dumps([str(adapter), "multimodal_cnn"])
    assert main(
        ["benchmark", "--cohort", str(records), "--methods", methods, "--tasks", '["detection"]',
         "--leads", "[6]", "--budget", "laptop", "--epochs", "1", "--folds", "2",
         "--out", str(tmp_path)]
    ) == 0  # fmt: skip
    table = pd.read_csv(tmp_path / "table2_detection.csv", keep_default_na=False)
    assert table["method"].tolist() == ["Multimodal-CNN", "tiny (MIT)", "larger class alone"]
    assert table["study"].tolist()[1] == "Foreign"
    assert not (tmp_path / "encoders").exists()


def test_beats_and_commands_of_our_networks_refuse_it(
    out: Path, adapter: Path, records: Path, cohort: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    run = str(out / "detection/tiny/12L")
    for command, said in (
        (["cv", "--method", str(adapter), "--cohort", str(cohort), "--out", str(tmp_path)],
         "takes whole recordings"),
        (["cv", "--method", str(adapter), "--cohort", str(records), "--encoder", "public"],
         "takes no --encoder"),
        (["lock", run, "--cohort", str(records), "--out", "model.safetensors"], "`lsemvae lock`"),
        (["explain", run, "--cohort", str(records)], "`lsemvae explain`"),
        (["cv", "--method", str(adapter), "--cohort", str(records), "--references", "true"],
         "--references judges a frozen encoder of ours"),
    ):  # fmt: skip
        capsys.readouterr()
        assert main(command) == 2
        assert said in error_of(capsys)


def test_a_lead_set_that_it_does_not_take_is_refused(
    records: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = write_adapter(tmp_path, "onnx")
    assert cv(whole, records, tmp_path / "runs", "--leads", "6") == 2
    assert "takes the leads I, II, III" in error_of(capsys)
