"""Recordings in one array file: rows by name, the right lead and sample, refused where unclear."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_modules.reading.read import read_recording
from data_modules.reading.reasons import RecordError
from data_modules.store.read import EcgStore
from lsemvae.cli import main
from lsemvae.core.leads import LEADS

RATE_HZ = 250
N_RECORDS, N_SAMPLES = 5, 2500


def layout(folder: Path, **changed: object) -> None:
    stated = {"leads": list(LEADS), "sampling_rate_hz": RATE_HZ, "unit": "mV"} | changed
    (folder / "layout.json").write_text(json.dumps(stated))


def waves() -> np.ndarray:
    """Return (N, 12, T) in microvolts, of an amplitude that names record and lead."""
    time = np.arange(N_SAMPLES) / RATE_HZ
    size = 500 + 20 * np.arange(N_RECORDS)[:, None] + np.arange(12)
    return np.round(size[:, :, None] * np.sin(2 * np.pi * 1.3 * time)).astype(np.int16)


@pytest.mark.parametrize("order", ["leads first", "samples first", "as EchoNext"])
def test_row_of_an_array_is_the_recording_whatever_the_order_of_axes(
    tmp_path: Path, order: str
) -> None:
    array = {
        "leads first": waves(),
        "samples first": waves().transpose(0, 2, 1),
        "as EchoNext": waves().transpose(0, 2, 1)[:, None],
    }[order]
    np.save(tmp_path / "waves.npy", array)
    layout(tmp_path, counts_per_unit=1000)
    found = read_recording(tmp_path, "waves.npy#3", amplitude="calibrated")
    assert (found.leads, found.sampling_rate_hz, found.unit) == (LEADS, RATE_HZ, "mV")
    np.testing.assert_allclose(found.ecg, waves()[3] / 1000, rtol=1e-6)


def test_array_and_table_become_a_store(tmp_path: Path) -> None:
    np.save(tmp_path / "waves.npy", waves())
    layout(tmp_path, counts_per_unit=1000)
    rows = [f"waves.npy#{row}" for row in range(N_RECORDS + 1)]
    table = pd.DataFrame({"record": rows, "patient_id": range(N_RECORDS + 1)})
    table.to_csv(tmp_path / "table.csv", index=False)
    out = str(tmp_path / "store.h5")
    arguments = ["--table", str(tmp_path / "table.csv"), "--source", str(tmp_path), "--out", out]
    assert main(["prepare", "cohort", *arguments]) == 0
    assert EcgStore(out).table["record"].tolist() == rows[:-1]
    quarantined = pd.read_csv(f"{out}.quarantine.csv")
    assert quarantined.loc[quarantined["outcome"] == "rejected", "message"].tolist() == [
        "waves.npy holds the rows 0 to 4; correct the record's name"
    ]


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.zeros((2, 12, 12), np.int16), "expected one axis of 12 leads"),
        (np.zeros((2, 8, 500), np.int16), "expected one axis of 12 leads"),
        (np.zeros((12, 500), np.int16), "expected numbers (N, leads, samples)"),
        (np.zeros((2, 12, 500), bool), "expected numbers (N, leads, samples)"),
        (np.array([[[{}]]]), "no whole NumPy array"),
    ],
)
def test_arrays_that_are_no_recordings_are_refused(
    tmp_path: Path, array: np.ndarray, expected: str
) -> None:
    np.save(tmp_path / "a.npy", array)
    layout(tmp_path)
    with pytest.raises(RecordError) as found:
        read_recording(tmp_path, "a.npy#0", amplitude="calibrated")
    assert expected in str(found.value)
    assert found.value.code == "file_invalid"


def test_array_without_a_layout_or_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    np.save(tmp_path / "a.npy", waves())
    np.save(tmp_path / "in/a.npy", waves()[:, :, :100])
    with pytest.raises(RecordError, match="no rate and unit"):
        read_recording(tmp_path / "in", "a.npy#0", amplitude="calibrated")
    layout(tmp_path / "in")
    with pytest.raises(RecordError) as found:
        read_recording(tmp_path / "in", "../a.npy#0", amplitude="calibrated")
    assert found.value.code == "path_unsafe"
    (tmp_path / "in/a.npy").write_bytes((tmp_path / "in/a.npy").read_bytes()[:200])
    with pytest.raises(RecordError, match="no whole NumPy array"):
        read_recording(tmp_path / "in", "a.npy#0", amplitude="calibrated")
