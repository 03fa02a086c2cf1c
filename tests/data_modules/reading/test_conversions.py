"""Gain, unit and baseline of each kind of file give the millivolts of another reader.

The other reader is a library, or the format's document in a slow loop.
"""

import io
import json
import re
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.holter_files import ishne_files, kardia_files
from benchmarks.mutants import mend_crc
from benchmarks.recording_files import (
    Files,
    aecg_files,
    dicom_files,
    edf_files,
    muse_files,
    philips_files,
    scp_files,
)
from data_modules.reading.read import read_recording
from tests.data_modules.reading.slow_readers import SLOW_READERS

TWO = ("I", "II")
N = 1250
RATE = 250.0
COUNTS = np.random.default_rng(7).integers(-900, 900, (2, N)).astype(np.int16)


def other_wfdb() -> Files:
    """Return format 16 with an offset of its own, a small unit, an ADC zero as baseline."""
    fields = ("160.5(-73)/mV", "0.031/uV")
    lines = [f"r1 2 {RATE:g} {N}"]
    lines += [
        f"r1.dat 16 {field} 16 {zero} {row[0]} {row.sum() % 65536} 0 {lead}"
        for field, zero, row, lead in zip(fields, (5, 40), COUNTS.astype(int), TWO, strict=True)
    ]
    return {"r1.hea": "\n".join(lines).encode(), "r1.dat": COUNTS.T.astype("<i2").tobytes()}


def other_edf() -> Files:
    """Return uV with the zero off the middle, and mV with the physical range reversed."""
    files = edf_files(COUNTS, TWO, rate=RATE)
    header = bytearray(files["r1.edf"])
    at = 256 + 2 * (16 + 80)
    for width, texts in ((8, ("uV", "mV")), (8, ("-3300.5", "4.75")), (8, ("2800.25", "-5.125")),
                         (8, ("-2048", "-32767")), (8, ("2047", "32766"))):  # fmt: skip
        for text in texts:
            header[at : at + width] = text.ljust(width).encode()
            at += width
    return {"r1.edf": bytes(header)}


def other_bdf() -> Files:
    """Return 24 bits, of which the upper ones matter, in the ranges of BioSemi and in mV."""
    counts = COUNTS.astype("<i4") * 1001
    header = bytearray(edf_files(COUNTS, TWO, rate=RATE)["r1.edf"][:768])
    header[:8] = b"\xffBIOSEMI"
    at = 256 + 2 * (16 + 80)
    for width, texts in ((8, ("uV", "mV")), (8, ("-262144", "6.5")), (8, ("262143", "-6.25")),
                         (8, ("-8388608", "-8000000")), (8, ("8388607", "8000000"))):  # fmt: skip
        for text in texts:
            header[at : at + width] = text.ljust(width).encode()
            at += width
    blocks = counts.reshape(2, -1, round(RATE)).transpose(1, 0, 2)
    data = np.ascontiguousarray(blocks)[..., None].view(np.uint8)[..., :3]
    return {"r1.bdf": bytes(header) + data.tobytes()}


def other_dicom() -> Files:
    """Return channels of other sensitivities, units, corrections and baselines."""
    import pydicom

    dataset = pydicom.dcmread(io.BytesIO(dicom_files(COUNTS, TWO, rate=RATE)["r1.dcm"]))
    stated = (("2.44", "uV", "1.013", "-312.5"), ("0.0049", "mV", "0.97", "0.42"))
    channels = dataset.WaveformSequence[0].ChannelDefinitionSequence
    for channel, (step, unit, correction, baseline) in zip(channels, stated, strict=True):
        channel.ChannelSensitivity, channel.ChannelBaseline = step, baseline
        channel.ChannelSensitivityCorrectionFactor = correction
        channel.ChannelSensitivityUnitsSequence[0].CodeValue = unit
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return {"r1.dcm": buffer.getvalue()}


def other_aecg() -> Files:
    """Return a scale in nV with its origin in nV, and a scale in mV."""
    text = aecg_files(COUNTS, TWO, rate=RATE)["r1.xml"].decode()
    old = '<origin value="0" unit="uV"/><scale value="5" unit="uV"/>'
    for new in ('<origin value="-81250" unit="nV"/><scale value="2441.4" unit="nV"/>',
                '<origin value="0.33" unit="mV"/><scale value="0.00488" unit="mV"/>'):  # fmt: skip
        text = text.replace(old, new, 1)
    return {"r1.xml": text.encode()}


def other_muse() -> Files:
    """Return leads of other steps and units."""
    text = muse_files(COUNTS, TWO, rate=RATE)["r1.xml"].decode("latin-1")
    median, rhythm = text.split("<WaveformType>Rhythm")
    rhythm = rhythm.replace("PerBit>5<", "PerBit>4.88<", 1).replace("PerBit>5<", "PerBit>0.00125<")
    units = "<LeadAmplitudeUnits>MICROVOLTS<"
    rhythm = "MILLIVOLTS<".join(rhythm.rsplit(units[-11:], 1))
    return {"r1.xml": f"{median}<WaveformType>Rhythm{rhythm}".encode("latin-1")}


def other_philips() -> Files:
    """Return a resolution of its own."""
    text = philips_files(_twelve(), rate=RATE)["r1.xml"].decode("utf-16")
    return {"r1.xml": text.replace('resolution="5"', 'resolution="4.88"').encode("utf-16")}


def _twelve() -> np.ndarray:
    return np.random.default_rng(8).integers(-900, 900, (12, N)).astype(np.int16)


def other_scp() -> Files:
    """Return plain first differences in steps of 2,440 nV."""
    stored = COUNTS.copy()
    stored[:, 1:] = np.diff(COUNTS, axis=1)
    content = bytearray(scp_files(stored, TWO, rate=RATE)["r1.scp"])
    at = content.index(struct.pack("<HH", 5000, 4000))
    struct.pack_into("<HHB", content, at, 2440, 4000, 1)
    return {"r1.scp": mend_crc(bytes(content), "SCP-ECG")}


def other_ishne() -> Files:
    """Return leads of other resolutions."""
    content = bytearray(ishne_files(COUNTS, TWO, rate=RATE)["r1.ecg"])
    struct.pack_into("<2h", content, 206, 2440, 9765)
    return {"r1.ecg": bytes(content)}


def other_kardia() -> Files:
    """Return a resolution of 1,250 nV."""
    content = kardia_files(COUNTS, TWO, rate=RATE)["r1.json"]
    return {"r1.json": re.sub(rb'(amplitudeResolution": )\d+', rb"\g<1>1250", content)}


def _layout(unit: str, per_unit: float, **more: object) -> Files:
    layout = {"sampling_rate_hz": RATE, "unit": unit, "counts_per_unit": per_unit} | more
    return {"layout.json": json.dumps(layout).encode()}


def other_csv() -> Files:
    """Return decimal commas in V."""
    rows = [";".join(f"{value / 7:.6f}".replace(".", ",") for value in pair) for pair in COUNTS.T]
    text = "\n".join(["I (V);II (V)", *rows])
    return {"r1.csv": text.encode()} | _layout("V", 40_000.5)


def other_matlab() -> Files:
    """Return floating-point counts of mV."""
    from scipy.io import savemat

    buffer = io.BytesIO()
    savemat(buffer, {"val": COUNTS / 3.0})
    return {"r1.mat": buffer.getvalue()} | _layout("mV", 204.8, leads=TWO, variable="val")


def other_numpy() -> Files:
    """Return big-endian counts of uV, samples first."""
    buffer = io.BytesIO()
    np.save(buffer, COUNTS.T.astype(">i4"))
    return {"r1.npy": buffer.getvalue()} | _layout("uV", 0.41, leads=TWO)


def other_npz() -> Files:
    """Return an archive of two arrays, packed."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, labels=np.arange(3), ecg=COUNTS.T.astype("f4"))
    return {"r1.npz": buffer.getvalue()} | _layout("mV", 204.8, leads=TWO, variable="ecg")


def other_hdf5() -> Files:
    """Return the second of two recordings."""
    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["tracings"] = np.stack([COUNTS.T * 0, COUNTS.T]).astype("f4")
    return {"r1.hdf5": buffer.getvalue()} | _layout("uV", 0.41, leads=TWO, variable="tracings")


KINDS: dict[str, tuple[str, Callable[[], Files]]] = {
    "WFDB": ("r1", other_wfdb), "EDF": ("r1.edf", other_edf), "BDF": ("r1.bdf", other_bdf),
    "DICOM": ("r1.dcm", other_dicom),
    "HL7 aECG": ("r1.xml", other_aecg), "MUSE": ("r1.xml", other_muse),
    "Philips": ("r1.xml", other_philips), "SCP-ECG": ("r1.scp", other_scp),
    "ISHNE": ("r1.ecg", other_ishne), "Kardia": ("r1.json", other_kardia),
    "CSV": ("r1.csv", other_csv), "MATLAB": ("r1.mat", other_matlab),
    "NumPy": ("r1.npy", other_numpy), "NumPy archive": ("r1.npz", other_npz),
    "HDF5": ("r1.hdf5#1", other_hdf5),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_gains_units_and_baselines_give_the_millivolts_of_another_reader(
    kind: str, tmp_path: Path
) -> None:
    record, build = KINDS[kind]
    for name, content in build().items():
        (tmp_path / name).write_bytes(content)
    expected = SLOW_READERS[kind](tmp_path, record)
    found = read_recording(tmp_path, record, amplitude="calibrated")
    assert set(found.leads) == set(expected)
    for lead, row in zip(found.leads, found.ecg, strict=True):
        assert len(expected[lead]) == N
        assert np.ptp(row) > 0.2
        np.testing.assert_allclose(row, expected[lead], rtol=0, atol=2e-6, err_msg=lead)


def test_every_kind_that_is_read_has_a_slow_reader() -> None:
    assert set(KINDS) == set(SLOW_READERS)
