"""Read small files of every kind slowly: by the format's document, or with another library."""

import base64
import csv
import io
import json
import struct
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np

MV = {"nV": 1e-6, "uV": 1e-3, "mV": 1.0, "V": 1e3}
Leads = dict[str, list[float]]
"""Millivolts by the lead's name."""


def wfdb_mv(root: Path, record: str) -> Leads:
    """Read with the wfdb library."""
    import wfdb

    found = wfdb.rdrecord(str(root / record))
    return {
        name: [MV[unit] * value for value in found.p_signal[:, i]]
        for i, (name, unit) in enumerate(zip(found.sig_name, found.units, strict=True))
    }


def edf_mv(root: Path, record: str) -> Leads:
    """Read by the specification: Kemp et al. 1992, (D - Dmin) (Pmax - Pmin) / (Dmax - Dmin) + Pmin.

    BioSemi's BDF is the same with samples of three bytes.
    """
    content = (root / record).read_bytes()
    width = 3 if content[0] == 255 else 2
    n = int(content[252:256])
    texts, at = [], 256
    for size in (16, 80, 8, 8, 8, 8, 8, 80, 8, 32):
        texts.append([content[at + size * i : at + size * (i + 1)].decode().strip()
                      for i in range(n)])  # fmt: skip
        at += size * n
    names, _, units, lows, highs, bottoms, tops, _, counts, _ = texts
    found: Leads = {name: [] for name in names}
    while at < len(content):
        for i, name in enumerate(names):
            low, high, bottom, top = (float(part[i]) for part in (lows, highs, bottoms, tops))
            for _ in range(int(counts[i])):
                d = int.from_bytes(content[at : at + width], "little", signed=True)
                physical = (d - bottom) * (high - low) / (top - bottom) + low
                found[name].append(MV[units[i]] * physical)
                at += width
    return found


def dicom_mv(root: Path, record: str) -> Leads:
    """Read with pydicom's own conversion."""
    import pydicom

    dataset = pydicom.dcmread(root / record)
    values = dataset.waveform_array(0)
    found = {}
    for i, channel in enumerate(dataset.WaveformSequence[0].ChannelDefinitionSequence):
        name = channel.ChannelSourceSequence[0].CodeMeaning.removeprefix("Lead ")
        unit = channel.ChannelSensitivityUnitsSequence[0].CodeValue
        found[name] = [MV[unit] * value for value in values[:, i]]
    return found


def aecg_mv(root: Path, record: str) -> Leads:
    """Read by the implementation guide: value = origin + scale * digits."""
    found = {}
    for one in ET.parse(root / record).findall(".//{*}sequence"):
        code, scale = one.find("{*}code"), one.find("{*}value/{*}scale")
        if code is None or scale is None:
            continue
        origin, digits = one.find("{*}value/{*}origin"), one.findtext("{*}value/{*}digits")
        assert origin is not None
        assert digits is not None
        zero = float(origin.attrib["value"]) * MV[origin.attrib["unit"]]
        step = float(scale.attrib["value"]) * MV[scale.attrib["unit"]]
        name = code.attrib["code"].removeprefix("MDC_ECG_LEAD_")
        found[name] = [zero + step * float(word) for word in digits.split()]
    return found


def muse_mv(root: Path, record: str) -> Leads:
    """Read the rhythm strip, sample by sample."""
    units = {"MICROVOLTS": 1e-3, "MILLIVOLTS": 1.0, "NANOVOLTS": 1e-6}
    strip = next(one for one in ET.parse(root / record).iter("Waveform")
                 if one.findtext("WaveformType") == "Rhythm")  # fmt: skip
    found = {}
    for lead in strip.iter("LeadData"):
        raw = base64.b64decode(lead.findtext("WaveFormData", ""))
        step = float(lead.findtext("LeadAmplitudeUnitsPerBit", ""))
        step *= units[lead.findtext("LeadAmplitudeUnits", "")]
        found[lead.findtext("LeadID", "")] = [
            step * value for (value,) in struct.iter_unpack("<h", raw)
        ]
    return found


def philips_mv(root: Path, record: str) -> Leads:
    """Read with the sierraecg library, whose samples are counts."""
    import sierraecg

    resolution = ET.parse(root / record).find(".//{*}parsedwaveforms")
    assert resolution is not None
    step = float(resolution.attrib["resolution"]) * MV["uV"]
    return {lead.label: [step * int(count) for count in lead.samples]
            for lead in sierraecg.read_file(str(root / record)).leads}  # fmt: skip


def scp_mv(root: Path, record: str) -> Leads:
    """Read sections 3 and 6 of uncompressed samples, differences of any order undone."""
    content = (root / record).read_bytes()
    pointers = struct.iter_unpack("<HII", content[22:142])
    places = {number: index - 1 + 16 for number, size, index in pointers if size}
    names = {1: "I", 2: "II"}
    at = places[3]
    rows = [struct.unpack_from("<IIB", content, at + 2 + 9 * i) for i in range(content[at])]
    nanovolts, _, order = struct.unpack_from("<HHB", content, places[6])
    at, found = places[6] + 6 + 2 * len(rows), {}
    for first, last, number in rows:
        n = last - first + 1
        values = list(struct.unpack_from(f"<{n}h", content, at))
        at += 2 * n
        for i in range(order, n):  # x[i] = d[i] + x[i-1], or + 2 x[i-1] - x[i-2]
            values[i] += values[i - 1] if order == 1 else 2 * values[i - 1] - values[i - 2]
        found[names[number]] = [value * nanovolts * 1e-6 for value in values]
    return found


def ishne_mv(root: Path, record: str) -> Leads:
    """Read by Badilini 1998: samples in turn, resolution of each lead in nV."""
    content = (root / record).read_bytes()
    n_leads, data = struct.unpack_from("<h", content, 156)[0], struct.unpack_from("<i", content, 22)
    names = {5: "I", 6: "II"}
    codes = [names[code] for code in struct.unpack_from(f"<{n_leads}h", content, 158)]
    steps = struct.unpack_from(f"<{n_leads}h", content, 206)
    found: Leads = {name: [] for name in codes}
    for i, (value,) in enumerate(struct.iter_unpack("<h", content[data[0] :])):
        found[codes[i % n_leads]].append(value * steps[i % n_leads] * 1e-6)
    return found


def kardia_mv(root: Path, record: str) -> Leads:
    """Read `data.raw`: counts of `amplitudeResolution` nV."""
    raw = json.loads((root / record).read_text())["data"]["raw"]
    return {name.removeprefix("lead"): [value * raw["amplitudeResolution"] / 1e6 for value in row]
            for name, row in raw["samples"].items()}  # fmt: skip


def _layout(root: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((root / "layout.json").read_text())
    return found


def _scaled(root: Path, rows: dict[str, list[float]]) -> Leads:
    layout = _layout(root)
    step = MV[str(layout["unit"])] / float(str(layout["counts_per_unit"]))
    return {name: [step * value for value in row] for name, row in rows.items()}


def csv_mv(root: Path, record: str) -> Leads:
    """Read with the csv module."""
    rows = list(csv.reader(io.StringIO((root / record).read_text()), delimiter=";"))
    found = {name.partition(" ")[0]: [float(row[i].replace(",", ".")) for row in rows[1:]]
             for i, name in enumerate(rows[0])}  # fmt: skip
    return _scaled(root, found)


def matlab_mv(root: Path, record: str) -> Leads:
    """Read with scipy."""
    from scipy.io import loadmat

    values = loadmat(root / record)["val"]
    return _scaled(root, {"I": values[0].tolist(), "II": values[1].tolist()})


def numpy_mv(root: Path, record: str) -> Leads:
    """Read with NumPy."""
    values = np.load(root / record)
    return _scaled(root, {"I": values[:, 0].tolist(), "II": values[:, 1].tolist()})


def npz_mv(root: Path, record: str) -> Leads:
    """Read with NumPy."""
    with np.load(root / record) as archive:
        values = archive["ecg"]
    return _scaled(root, {"I": values[:, 0].tolist(), "II": values[:, 1].tolist()})


def hdf5_mv(root: Path, record: str) -> Leads:
    """Read row 1 with h5py."""
    import h5py

    with h5py.File(root / record.partition("#")[0]) as file:
        values = file["tracings"][1]
    return _scaled(root, {"I": values[:, 0].tolist(), "II": values[:, 1].tolist()})


SLOW_READERS: dict[str, Callable[[Path, str], Leads]] = {
    "WFDB": wfdb_mv, "EDF": edf_mv, "BDF": edf_mv, "DICOM": dicom_mv,
    "HL7 aECG": aecg_mv, "MUSE": muse_mv, "Philips": philips_mv, "SCP-ECG": scp_mv,
    "ISHNE": ishne_mv, "Kardia": kardia_mv,
    "CSV": csv_mv, "MATLAB": matlab_mv, "NumPy": numpy_mv, "NumPy archive": npz_mv,
    "HDF5": hdf5_mv,
}  # fmt: skip
