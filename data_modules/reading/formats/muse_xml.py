"""Read GE MUSE resting-ECG XML: eight stored leads, base64 samples with a CRC for each lead."""

import base64
import binascii
import zlib
from xml.etree.ElementTree import Element

import numpy as np
import numpy.typing as npt

from data_modules.reading.formats.xml_tree import invalid, number, parse_xml, text_of
from data_modules.reading.limits import check_extent, check_gain, check_rate
from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import IMPLIED_BY_I_AND_II, RawRecording

_UNITS = {"MICROVOLTS": "uV", "MILLIVOLTS": "mV", "VOLTS": "V"}
_MISSING = -(1 << 15)


def read_muse_xml(content: bytes, *, record: str) -> RawRecording:
    """Read the rhythm strip; the median beat beside it is left out.

    Args:
        content: the file.
        record: the record as the user names it.

    Raises:
        RecordError: the file is damaged or states too little.
    """
    root = parse_xml(content, record=record)
    strips = [
        strip
        for strip in root.findall("Waveform")
        if (strip.findtext("WaveformType") or "").strip() == "Rhythm"
    ]
    if len(strips) != 1:
        raise invalid(f"it has {len(strips)} rhythm strips; expected one", record=record)
    base = number(text_of(strips[0], "SampleBase", record=record), what="SampleBase", record=record)
    power = text_of(strips[0], "SampleExponent", record=record)
    exponent = number(power, what="SampleExponent", record=record)
    rate = check_rate(base * 10.0 ** max(min(exponent, 9), -9), record=record)
    leads = strips[0].findall("LeadData")
    counts = [_samples(lead, record=record) for lead in leads]
    if not counts or len({len(lead) for lead in counts}) > 1:
        raise invalid("it has no leads, or leads of different lengths", record=record)
    check_extent(len(leads), len(counts[0]), rate, record=record)
    scale = np.array([[_units_per_count(lead, record=record)] for lead in leads])
    stacked = np.stack(counts)
    signals = np.where(stacked == _MISSING, np.nan, stacked * scale)
    units = tuple(text_of(lead, "LeadAmplitudeUnits", record=record) for lead in leads)
    checked = all(lead.find("LeadDataCRC32") is not None for lead in leads)
    return RawRecording(
        names=tuple(text_of(lead, "LeadID", record=record) for lead in leads),
        signals=signals,
        units=tuple(_UNITS.get(unit, unit) for unit in units),
        sampling_rate_hz=rate,
        warnings=() if checked else (("checksum_missing", "a lead has no LeadDataCRC32"),),
        implied=IMPLIED_BY_I_AND_II,
    )


def _units_per_count(lead: Element, *, record: str) -> float:
    text = text_of(lead, "LeadAmplitudeUnitsPerBit", record=record)
    value = number(text, what="LeadAmplitudeUnitsPerBit", record=record)
    check_gain(1 / value if value > 0 else 0.0, record=record, text=f"{text} units per bit")
    return value


def _samples(lead: Element, *, record: str) -> npt.NDArray[np.int16]:
    """Decode one lead and compare its size and its CRC with what the file declares."""
    try:
        raw = base64.b64decode(
            "".join(text_of(lead, "WaveFormData", record=record).split()), validate=True
        )
    except (binascii.Error, ValueError) as error:
        raise invalid("the samples of a lead are no base64 text", record=record) from error
    declared = text_of(lead, "LeadSampleCountTotal", record=record)
    if (
        text_of(lead, "LeadSampleSize", record=record) != "2"
        or declared != str(len(raw) // 2)
        or len(raw) % 2
    ):
        problem = f"a lead has {len(raw)} bytes; it declares {declared[:20]} samples of 2 bytes"
        raise RecordError("size_mismatch", record=record, problem=problem)
    stated = lead.findtext("LeadDataCRC32")
    if stated is not None and stated.strip() != str(zlib.crc32(raw)):
        problem = "the samples of a lead do not match its LeadDataCRC32; export it again"
        raise RecordError("checksum_mismatch", record=record, problem=problem)
    return np.frombuffer(raw, dtype="<i2")
