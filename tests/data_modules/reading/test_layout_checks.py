"""What a file of numbers says itself against its layout: rates, gains, times, marks."""

import io
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.recording_files import dicom_files, make_counts
from data_modules.reading.read import read_recording
from data_modules.reading.reasons import RecordError

TWO = ("I", "II")
COUNTS = make_counts(TWO)
LAYOUT = {"leads": TWO, "sampling_rate_hz": 250, "unit": "mV", "counts_per_unit": 200}


def saved(save: Callable[[Any], object]) -> bytes:
    """Return what a library writes into a file."""
    buffer = io.BytesIO()
    save(buffer)
    return buffer.getvalue()


def read(root: Path, name: str, content: bytes | str, **layout: object) -> np.ndarray:
    """Read a file beside its layout, in mV."""
    (root / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    (root / "layout.json").write_text(json.dumps(LAYOUT | layout), encoding="utf-8")
    return read_recording(root, name, amplitude="calibrated").ecg


def npz(rate: object) -> tuple[str, bytes]:
    """Return an archive of samples and their rate."""
    return "r.npz", saved(lambda file: np.savez(file, ecg=COUNTS, fs=rate))


def npz_step(name: str, step: float) -> tuple[str, bytes]:
    """Return an archive of samples and the time between them."""
    return "r.npz", saved(lambda file: np.savez(file, ecg=COUNTS, **{name: step}))


def mat(rate: object) -> tuple[str, bytes]:
    """Return a MATLAB file of samples and their rate."""
    savemat = pytest.importorskip("scipy.io").savemat
    return "r.mat", saved(lambda file: savemat(file, {"ecg": COUNTS, "Fs": rate}))


def hdf5_with(*, attribute: bool, rate: object) -> tuple[str, bytes]:
    """Return an HDF5 file of samples and their rate."""
    import h5py

    def save(buffer: Any) -> None:
        with h5py.File(buffer, "w") as file:
            file["ecg"] = COUNTS
            if attribute:
                file["ecg"].attrs["sampling_rate"] = rate
            else:
                file["sampling_rate"] = rate

    return "r.h5", saved(save)


def hdf5(rate: object) -> tuple[str, bytes]:
    """Return a file with the rate as a dataset."""
    return hdf5_with(attribute=False, rate=rate)


def hdf5_attribute(rate: object) -> tuple[str, bytes]:
    """Return a file with the rate as an attribute."""
    return hdf5_with(attribute=True, rate=rate)


def matlab_structure(rate: object) -> tuple[str, bytes]:
    """Return a MATLAB file with samples and rate in one structure."""
    savemat = pytest.importorskip("scipy.io").savemat
    noise = np.random.default_rng(0).normal(size=1000)  # so that it is no small element
    return "r.mat", saved(
        lambda file: savemat(file, {"r": {"ecg": COUNTS, "fs": rate, "n": noise}})
    )


def npz_of(names: list[str]) -> tuple[str, bytes]:
    """Return an archive of samples and the names of its leads."""
    return "r.npz", saved(lambda file: np.savez(file, ecg=COUNTS, channels=np.array(names)))


def mat_cell(names: list[str]) -> tuple[str, bytes]:
    """Return a MATLAB file of a structure of samples and names in a cell array."""
    savemat = pytest.importorskip("scipy.io").savemat
    held = {"ecg": COUNTS, "leads": np.array(names, dtype=object)}
    return "r.mat", saved(lambda file: savemat(file, {"r": held}))


def mat_letters(names: list[str]) -> tuple[str, bytes]:
    """Return a MATLAB file of samples and names in rows of letters."""
    savemat = pytest.importorskip("scipy.io").savemat
    return "r.mat", saved(lambda file: savemat(file, {"ecg": COUNTS, "sig_name": names}))


def hdf5_of(names: list[str], *, attribute: bool = False) -> tuple[str, bytes]:
    """Return an HDF5 file of samples and names."""
    import h5py

    def save(buffer: Any) -> None:
        with h5py.File(buffer, "w") as file:
            file["ecg"] = COUNTS
            (file["ecg"].attrs if attribute else file)["names"] = names

    return "r.h5", saved(save)


def hdf5_attribute_of(names: list[str]) -> tuple[str, bytes]:
    """Return a file with the names as an attribute."""
    return hdf5_of(names, attribute=True)


@pytest.mark.parametrize("write", [npz_of, mat_cell, mat_letters, hdf5_of, hdf5_attribute_of])
def test_leads_in_the_file_in_another_order_than_the_layouts_are_refused(
    write: Callable[[list[str]], tuple[str, bytes]], tmp_path: Path
) -> None:
    variable = "r.ecg" if write is mat_cell else "ecg"
    for names in (["I", "ii"], ["left", "right"], ["I", "II", "V1"]):
        found = read(tmp_path, *write(names), variable=variable)
        np.testing.assert_allclose(found, COUNTS / 200, atol=1e-6)
    with pytest.raises(RecordError, match="the file lists its leads as II, I, the layout as I, II"):
        read(tmp_path, *write(["II", "I"]), variable=variable)


def test_a_unit_in_an_archive_that_is_not_the_layouts_is_refused(tmp_path: Path) -> None:
    content = saved(lambda file: np.savez(file, ecg=COUNTS / 200, units=np.array(["uV", "uV"])))
    with pytest.raises(RecordError, match="the file states the unit uV, the layout mV"):
        read(tmp_path, "r.npz", content, variable="ecg", counts_per_unit=1)


@pytest.mark.parametrize(
    ("first", "step"),
    [("1600000000", "0.004"), ("1600000000000", "4"), ("1600000000000000", "4000")],
)
def test_times_since_1970_that_contradict_the_rate_are_refused(
    first: str, step: str, tmp_path: Path
) -> None:
    times = [Decimal(first) + k * Decimal(step) for k in range(COUNTS.shape[1])]
    rows = [f"{time},{a},{b}" for time, (a, b) in zip(times, COUNTS.T.tolist(), strict=True)]
    content = "\n".join(["timestamp,I,II", *rows])
    np.testing.assert_allclose(read(tmp_path, "r.csv", content, leads=[]), COUNTS / 200, atol=1e-6)
    with pytest.raises(RecordError, match=r"5\.996 s; the 1500 samples last 2\.998 s"):
        read(tmp_path, "r.csv", content, leads=[], sampling_rate_hz=500)


def test_names_after_the_mark_of_a_remark_lose_no_lead(tmp_path: Path) -> None:
    content = "\n".join(["# I,II", *(f"{a},{b}" for a, b in COUNTS.T.tolist())])
    np.testing.assert_allclose(read(tmp_path, "r.csv", content, leads=[]), COUNTS / 200, atol=1e-6)


@pytest.mark.parametrize("write", [npz, mat, matlab_structure, hdf5, hdf5_attribute])
def test_a_rate_in_the_file_that_contradicts_the_layout_is_refused(
    write: Callable[[object], tuple[str, bytes]], tmp_path: Path
) -> None:
    variable = "r.ecg" if write is matlab_structure else "ecg"
    with pytest.raises(RecordError, match=r"states .* 500, the layout 250 Hz"):
        read(tmp_path, *write(500.0), variable=variable)
    for rate in (250, 250.4, 0.004, "500 Hz"):
        same = read(tmp_path, *write(rate), variable=variable)
        np.testing.assert_allclose(same, COUNTS * 0.005, atol=1e-6)


@pytest.mark.parametrize(
    "line",
    ["Sampling rate: 500 Hz", "# fs=500", "Sampling Frequency (Hz);500", "sample_rate 0.5 kHz"],
)
def test_a_rate_above_a_table_that_contradicts_the_layout_is_refused(
    line: str, tmp_path: Path
) -> None:
    text = "\n".join([line, "I;II", *(f"{a};{b}" for a, b in COUNTS.T)])
    with pytest.raises(RecordError, match=r"states \w.* 500, the layout 250 Hz"):
        read(tmp_path, "r.csv", text, skip_lines=1)
    assert read(
        tmp_path, "r.csv", text.replace("500", "250").replace("0.5", "0.25"), skip_lines=1
    ).any()


@pytest.mark.parametrize(
    ("line", "right"),
    [("Interval=\t0.002 s", "Interval=\t0.004 s"), ("2 msec/sample", "4 msec/sample"),
     ("Sampling interval (ms): 2", "Sampling interval (ms): 4"),
     ("500 samples/second", "250 samples/second"), ("samples per second: 500", "dt 1"),
     ("Abtastintervall: 2000 \u00b5s", "QT interval: 2 ms")],
)  # fmt: skip
def test_a_step_between_samples_above_a_table_is_compared(
    line: str, right: str, tmp_path: Path
) -> None:
    rows = ["I;II", *(f"{a};{b}" for a, b in COUNTS.T)]
    with pytest.raises(RecordError, match="the layout 250 Hz; correct the wrong one"):
        read(tmp_path, "r.csv", "\n".join([line, *rows]), skip_lines=1)
    assert read(tmp_path, "r.csv", "\n".join([right, *rows]), skip_lines=1).any()


def test_a_step_between_samples_beside_an_array_is_compared(tmp_path: Path) -> None:
    for name, wrong, right in (("dt", 0.002, 0.004), ("isi", 2, 4), ("sampling_interval", 2000, 4)):
        with pytest.raises(RecordError, match=f"states {name} {wrong:g}, the layout 250 Hz"):
            read(tmp_path, *npz_step(name, wrong), variable="ecg")
        assert read(tmp_path, *npz_step(name, right), variable="ecg").any()


@pytest.mark.parametrize("line", ["UnitName=\tmV\tmV", "mV", "Unit: mV"])
def test_a_unit_above_a_table_that_contradicts_the_layout_is_refused(
    line: str, tmp_path: Path
) -> None:
    text = "\n".join([line, "I;II", *(f"{a};{b}" for a, b in COUNTS.T)])
    with pytest.raises(RecordError, match=r"states the unit mV.*, the layout uV"):
        read(tmp_path, "r.csv", text, skip_lines=1, unit="uV", counts_per_unit=1)


def test_counts_without_a_gain_are_no_millivolts(tmp_path: Path) -> None:
    content = saved(lambda file: np.save(file, COUNTS))
    with pytest.raises(RecordError, match="whole numbers from 0 to 220, counts of a converter"):
        read(tmp_path, "r.npy", content, counts_per_unit=1)
    text = "\n".join(["I,II", *(f"{a},{b}" for a, b in COUNTS.T)])
    with pytest.raises(RecordError, match="counts of a converter"):
        read(tmp_path, "r.csv", text, counts_per_unit=1)
    assert read(tmp_path, "r.npy", content, unit="uV", counts_per_unit=1).max() < 1


def timed(times: np.ndarray) -> str:
    """Return a table with a column of times in seconds."""
    rows = [f"{t:.3f},{a},{b}" for t, (a, b) in zip(times, COUNTS.T, strict=True)]
    return "\n".join(["time (s),I,II", *rows])


def test_times_that_jump_or_go_back_are_refused_by_line(tmp_path: Path) -> None:
    plain = np.arange(COUNTS.shape[1]) / 250
    names = {"leads": ("time (s)", *TWO)}
    jump, back, twice = plain.copy(), plain.copy(), plain.copy()
    jump[800:] += 0.012
    back[100:200] = plain[100:200][::-1]
    twice[700:] -= 0.004
    for times, what in (
        (jump, "goes on from 3.196 to 3.212 in line 802: samples are missing"),
        (back, "goes back from 0.796 to 0.792 in line 103"),
        (twice, "goes nowhere from 2.796 to 2.796 in line 702"),
    ):
        with pytest.raises(RecordError, match=what):
            read(tmp_path, "r.csv", timed(times), **names)
    packets = plain[np.arange(len(plain)) // 10 * 10]
    for times in (plain, packets, np.round(plain, 2)):
        assert read(tmp_path, "r.csv", timed(times), **names).shape == COUNTS.shape


def test_numbers_of_samples_that_jump_are_refused_by_line(tmp_path: Path) -> None:
    numbers = np.arange(COUNTS.shape[1])
    numbers[800:] += 25
    rows = [f"{i},{a},{b}" for i, (a, b) in zip(numbers, COUNTS.T, strict=True)]
    with pytest.raises(RecordError, match="'sample' goes on from 799 to 825 in line 802"):
        read(tmp_path, "r.csv", "\n".join(["sample,I,II", *rows]), leads=[])


def test_a_unit_in_the_file_that_contradicts_the_layout_is_refused(tmp_path: Path) -> None:
    import h5py

    def save(buffer: Any) -> None:
        with h5py.File(buffer, "w") as file:
            file["ecg"] = COUNTS * 0.005
            file["ecg"].attrs["units"] = "uV"

    with pytest.raises(RecordError, match="states the unit uV, the layout mV"):
        read(tmp_path, "r.h5", saved(save), counts_per_unit=1)
    assert read(tmp_path, "r.h5", saved(save), unit="uV", counts_per_unit=1).any()


def test_a_unit_of_dicom_with_another_meaning_is_refused(tmp_path: Path) -> None:
    pydicom = pytest.importorskip("pydicom")
    dataset = pydicom.dcmread(io.BytesIO(dicom_files(COUNTS, TWO)["r1.dcm"]))
    channel = dataset.WaveformSequence[0].ChannelDefinitionSequence[1]
    channel.ChannelSensitivityUnitsSequence[0].CodeMeaning = "millivolt"
    with pytest.raises(RecordError, match="unit of II is uV by its code and millivolt by its mean"):
        read(tmp_path, "r.dcm", saved(dataset.save_as))


def test_points_that_may_stand_between_thousands_are_refused(tmp_path: Path) -> None:
    rows = [";".join(f"{5 * value:,}".replace(",", ".") for value in pair) for pair in COUNTS.T]
    text = "\n".join(["I;II", *rows])
    with pytest.raises(RecordError, match=r"'1\.020' in line 100 stands beside whole numbers"):
        read(tmp_path, "r.csv", text, unit="uV", counts_per_unit=1)
    decimal = "\n".join(["I;II", *(f"{a / 7:.3f};{b / 7:.3f}" for a, b in COUNTS.T)])
    assert read(tmp_path, "r.csv", decimal, counts_per_unit=1).any()


def test_signs_beyond_the_stored_bits_of_dicom_are_refused(tmp_path: Path) -> None:
    pydicom = pytest.importorskip("pydicom")
    dataset = pydicom.dcmread(io.BytesIO(dicom_files(-COUNTS, TWO)["r1.dcm"]))
    group = dataset.WaveformSequence[0]
    for channel in group.ChannelDefinitionSequence:
        channel.WaveformBitsStored = 12
    whole = saved(dataset.save_as)
    np.testing.assert_allclose(read(tmp_path, "r.dcm", whole), COUNTS * -0.005, atol=1e-6)
    group.WaveformData = (-COUNTS.T & 0xFFF).astype("<u2").tobytes()
    with pytest.raises(RecordError, match=r"reach 4094, and signed ones of the 12 bits .* at 2047"):
        read(tmp_path, "r.dcm", saved(dataset.save_as))


def npz_arrays(arrays: dict[str, np.ndarray]) -> tuple[str, bytes]:
    """Return an archive of arrays."""
    return "r.npz", saved(lambda file: np.savez(file, **arrays))


def mat_arrays(arrays: dict[str, np.ndarray]) -> tuple[str, bytes]:
    """Return a MATLAB file of arrays."""
    savemat = pytest.importorskip("scipy.io").savemat
    return "r.mat", saved(lambda file: savemat(file, arrays))


def hdf5_arrays(arrays: dict[str, np.ndarray]) -> tuple[str, bytes]:
    """Return an HDF5 file of arrays."""
    import h5py

    def save(buffer: Any) -> None:
        with h5py.File(buffer, "w") as file:
            file.update(arrays)

    return "r.h5", saved(save)


@pytest.mark.parametrize("write", [npz_arrays, mat_arrays, hdf5_arrays])
def test_a_median_beat_beside_the_rhythm_is_not_the_recording(
    write: Callable[[dict[str, np.ndarray]], tuple[str, bytes]], tmp_path: Path
) -> None:
    rhythm = {"rhythm": COUNTS}
    found = read(tmp_path, *write({"beat": COUNTS[:, :300], **rhythm}))  # 1.2 and 6 s at 250 Hz
    np.testing.assert_allclose(found, COUNTS / 200, atol=1e-6)
    with pytest.raises(RecordError, match=r"rhythm 2 x 1500"):
        read(tmp_path, *write({"again": COUNTS, **rhythm}))


def test_units_of_a_matlab_file_that_are_not_the_layouts_are_refused(tmp_path: Path) -> None:
    savemat = pytest.importorskip("scipy.io").savemat
    for units, right in ((np.array(["uV ", "uV "]), np.array(["mV ", "mV "])), ("uV", "V")):
        for stated in (units, right):
            content = saved(
                lambda file, stated=stated: savemat(file, {"a": COUNTS / 200, "u": stated})
            )
            if stated is right:
                assert read(tmp_path, "r.mat", content, counts_per_unit=1).any()
                continue
            with pytest.raises(RecordError, match="states the unit uV, the layout mV"):
                read(tmp_path, "r.mat", content, counts_per_unit=1)


def test_a_unit_in_the_names_is_told_before_the_size_of_whole_numbers(tmp_path: Path) -> None:
    text = "\n".join(["I [uV],II [uV]", *(f"{a},{b}" for a, b in COUNTS.T)])
    with pytest.raises(RecordError, match="the unit uV in its name"):
        read(tmp_path, "r.csv", text, counts_per_unit=1)
