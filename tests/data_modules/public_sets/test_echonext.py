"""`prepare echonext` on files in the official form: flags of what was not measured are missing."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_modules.public_sets.echonext import COMPOSITE, GIVEN, MEASURED_BY, METADATA
from data_modules.store.read import EcgStore
from lsemvae.cli import main
from tests.conftest import error_of

SPLITS = ["train", "val", "train", "no_split", "test", "train"]


def write_set(folder: Path, **changed: list[str]) -> Path:
    """Write metadata and arrays (N, 1, 2500, 12) of three splits, in the published form."""
    n = len(SPLITS)
    values = sorted({name for names in MEASURED_BY.values() for name in names})
    table = pd.DataFrame({
        **dict.fromkeys(GIVEN, [""] * n),
        **{name: ["0"] * n for name in (*MEASURED_BY, COMPOSITE)},
        **{name: ["1.5"] * n for name in values},
    }).assign(
        ecg_key=[f"e{row}" for row in range(n)], patient_key=[f"p{row // 2}" for row in range(n)],
        split=SPLITS, sex=["female"] * n, age_at_ecg=["60"] * n, **changed,
    )  # fmt: skip
    folder.mkdir(exist_ok=True)
    table.to_csv(folder / METADATA, index=False)
    rng, time = np.random.default_rng(0), np.arange(2500) / 250
    for split in ("train", "val", "test"):
        size = rng.uniform(0.5, 2, (SPLITS.count(split), 1, 1, 12))
        beat = np.exp(-(((time % 0.8) - 0.4) ** 2) / 0.001)[None, None, :, None]
        waves = size * beat + rng.normal(0, 0.05, (SPLITS.count(split), 1, 2500, 12))
        np.save(folder / f"EchoNext_{split}_waveforms.npy", waves)
    return folder


def prepare(folder: Path) -> int:
    return main(["prepare", "echonext", "--source", str(folder), "--out", str(folder / "e.h5")])


def test_a_flag_is_missing_where_nothing_of_it_was_measured(tmp_path: Path) -> None:
    folder = write_set(
        tmp_path, pasp_gte_45_flag=["1", "0", "0", "0", "0", "0"],
        pasp_value=["", "", "30", "", "40", ""], ivs_measurement=[""] * 6,
        lvpw_measurement=["1.0", "", "", "", "", ""],
    )  # fmt: skip
    assert prepare(folder) == 0
    table = EcgStore(folder / "e.h5").table.set_index("ecg_key")
    nan = np.nan
    rows = ["e0", "e1", "e2", "e4", "e5"]
    np.testing.assert_array_equal(table["pasp_gte_45_flag"][rows], [1, nan, 0, 0, nan])
    np.testing.assert_array_equal(table["lvwt_gte_13_flag"][rows], [0, nan, nan, nan, nan])
    np.testing.assert_array_equal(table["lvef_lte_45_flag"][rows], [0] * 5)


def test_rows_of_the_arrays_are_those_of_the_split_in_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_set(tmp_path)
    assert prepare(folder) == 0
    assert "left out: 1 of no_split" in capsys.readouterr().out
    store = EcgStore(folder / "e.h5")
    assert store.unit == "NU"
    table = store.table.set_index("ecg_key")
    assert table["record"]["e5"] == "EchoNext_train_waveforms.npy#2"
    assert table["record"]["e1"] == "EchoNext_val_waveforms.npy#0"
    assert table["patient_id"]["e5"] == "p2"
    train = np.load(folder / "EchoNext_train_waveforms.npy")
    found = store.read([list(table.index).index("e5")], [7])[0, 0, 1000:4000:2]
    wanted = train[2, 0, 500:2000, 7]
    assert np.corrcoef(found, wanted)[0, 1] > 0.95  # filtered and at 500 Hz
    assert json.loads((folder / "layout.json").read_text())["sampling_rate_hz"] == 250


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / METADATA).unlink(), f"{METADATA} not found"),
        (lambda folder: np.save(folder / "EchoNext_val_waveforms.npy", np.zeros((3, 1, 9, 12))),
         "holds 3 recordings"),
        (lambda folder: (folder / "EchoNext_val_waveforms.npy").write_text("x"), "no whole NumPy"),
        (lambda folder: write_set(folder, tr_max_gte_32_flag=["2"] * 6), "expected 0 or 1"),
        (lambda folder: pd.read_csv(folder / METADATA).drop(columns="pasp_value")
         .to_csv(folder / METADATA, index=False), "has no column pasp_value"),
    ],
)  # fmt: skip
def test_what_is_not_the_official_form_is_refused(
    change: object, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_set(tmp_path)
    change(folder)  # type: ignore[operator]
    assert prepare(folder) == 2
    assert message in error_of(capsys)
