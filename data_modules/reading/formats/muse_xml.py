"""Read GE MUSE resting-ECG XML: eight stored leads, base64 samples with a CRC for each lead."""

import base64
import binascii
import zlib
from xml.etree.ElementTree import Element

import numpy as np
import numpy.typing as npt

from data_modules.reading.formats.xml_tree import loose_number, parse_xml, text_if_any, text_of
from data_modules.reading.lead_names import known_lead
from data_modules.reading.limits import check_extent, check_gain, check_rate
from data_modules.reading.parts import Part, read_parts
from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import IMPLIED_BY_I_AND_II, RawRecording, Warnings
from data_modules.reading.stated_numbers import (
    checksum,
    invalid,
    none_computed,
    number,
    whole,
    wrong_size,
)

_MISSING = -(1 << 15)
_BYTES = 2  # of a sample


def read_muse_xml(content: bytes, *, record: str) -> RawRecording:
    """Read the rhythm strip; the median beat beside it is left out.

    Args:
        content: the file.
        record: the record as the user names it.

    Raises:
        RecordError: the file is damaged, states too little, or holds no single rhythm strip.
    """
    root, warnings = parse_xml(content, record=record)
    parts = [_part(strip, warnings, record=record) for strip in root.findall("Waveform")]
    said = [(one.text or "").strip() for one in root.findall("Diagnosis//StmtText")]
    return read_parts(parts, record=record)._replace(notes=tuple(filter(None, said)))


def _part(strip: Element, warnings: Warnings, *, record: str) -> Part:
    kind = (strip.findtext("WaveformType") or "").strip()
    leads = strip.findall("LeadData")
    power = min(max(loose_number(strip.findtext("SampleExponent")), 0), 9)
    lengths = [int(loose_number(lead.findtext("LeadSampleCountTotal"))) for lead in leads]
    return Part(
        label=kind or "no WaveformType",
        names=tuple((lead.findtext("LeadID") or "").strip() for lead in leads),
        sampling_rate_hz=loose_number(strip.findtext("SampleBase")) * 10.0**power,
        n_samples=max(lengths, default=0),
        read=lambda: _read_strip(strip, warnings, record=record),
        kind=kind,
    )


def _read_strip(strip: Element, warnings: Warnings, *, record: str) -> RawRecording:
    base = number(text_of(strip, "SampleBase", record=record), what="SampleBase", record=record)
    power = text_of(strip, "SampleExponent", record=record)
    exponent = number(power, what="SampleExponent", record=record)
    rate = check_rate(base * 10.0 ** max(min(exponent, 9), -9), record=record)
    signals = {id(lead): text_if_any(lead, "LeadID", record=record)
               for lead in strip.iter("LeadData")}  # fmt: skip
    leads = [lead for lead in strip.findall("LeadData") if known_lead(signals[id(lead)])]
    ignored = tuple(name for name in signals.values() if not known_lead(name))
    if not leads:
        listed = ", ".join(ignored)[:200] or "none"
        problem = f"no signal is one of the twelve leads; the file has {listed}"
        raise RecordError("no_known_lead", record=record, problem=problem)
    _check_at_once(leads, record=record)
    raw = [_samples(lead, record=record) for lead in leads]
    if len({len(samples) for samples in raw}) > 1:
        raise invalid("its leads have different lengths", record=record)
    check_extent(len(leads), len(raw[0]) // _BYTES, rate, record=record)
    checked = _compare_crc(leads, raw, record=record)
    scale = np.array([[_units_per_count(lead, record=record)] for lead in leads])
    counts: npt.NDArray[np.int16] = np.stack([np.frombuffer(one, dtype="<i2") for one in raw])
    missing = (("checksum_missing", "a lead has no LeadDataCRC32, or all of them are 0"),)
    return RawRecording(
        names=tuple(signals[id(lead)] for lead in leads),
        signals=np.where(counts == _MISSING, np.nan, counts * scale),
        units=tuple(text_of(lead, "LeadAmplitudeUnits", record=record) for lead in leads),
        sampling_rate_hz=rate,
        warnings=warnings + (() if checked else missing) + _electrodes_off(leads),
        implied=IMPLIED_BY_I_AND_II,
        ignored=ignored,
    )


def _check_at_once(leads: list[Element], *, record: str) -> None:
    """Refuse leads that begin at different times, as on a printout."""
    for field in ("LeadTimeOffset", "LeadOffsetFirstSample"):
        starts = {_name(lead): loose_number(lead.findtext(field)) for lead in leads}
        if len(set(starts.values())) > 1:
            listed = ", ".join(f"{name} {start:g}" for name, start in starts.items())
            problem = (
                f"its leads were not recorded at the same time ({field}: {listed[:200]}); "
                "export the rhythm of all leads at once"
            )
            raise RecordError("layout_unsupported", record=record, problem=problem)


def _electrodes_off(leads: list[Element]) -> Warnings:
    """Tell the leads whose electrode was off by the file."""
    off = [
        _name(one)
        for one in leads
        if (one.findtext("LeadOff") or "").strip().casefold() in ("true", "1", "yes")
    ]
    text = f"the file says that the electrode was off: {', '.join(off)}"
    return (("samples_filled", text),) if off else ()


def _units_per_count(lead: Element, *, record: str) -> float:
    text = text_of(lead, "LeadAmplitudeUnitsPerBit", record=record)
    what = f"LeadAmplitudeUnitsPerBit of {_name(lead)}"
    value = number(text, what=what, record=record)
    gain = 1 / value if value > 0 else 0.0
    check_gain(gain, record=record, text=f"{text} units per bit", of=_name(lead))
    return value


def _samples(lead: Element, *, record: str) -> bytes:
    """Decode the bytes of one lead and compare their number with what the file declares."""
    text = text_of(lead, "WaveFormData", record=record)
    try:
        raw = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid(f"the samples of {_name(lead)} are no base64 text", record=record) from error
    declared = _declared_samples(lead, len(raw), record=record)
    # left out by some exporters; the number of bytes tells it as well
    size = text_if_any(lead, "LeadSampleSize", record=record) or str(_BYTES)
    if size.rstrip("0").rstrip(".") != str(_BYTES) or len(raw) != _BYTES * declared:
        problem = (
            f"{_name(lead)} has {len(raw)} bytes; it declares {declared} samples of {size[:20]} "
            f"bytes; expected {_BYTES} bytes each"
        )
        raise wrong_size(problem, record=record)
    return raw


def _declared_samples(lead: Element, n_bytes: int, *, record: str) -> int:
    """Return the stated number of samples; where it is left out the CRC vouches for the bytes."""
    stated = lead.findtext("LeadSampleCountTotal")
    if stated is None and (lead.findtext("LeadDataCRC32") or "0").strip() not in ("", "0"):
        return n_bytes // _BYTES
    text = text_of(lead, "LeadSampleCountTotal", record=record)
    return whole(text, what=f"LeadSampleCountTotal of {_name(lead)}", record=record)


def _compare_crc(leads: list[Element], raw: list[bytes], *, record: str) -> bool:
    """Compare each lead's CRC-32 with the stated one; False where the file states none."""
    texts = [(lead.findtext("LeadDataCRC32") or "").strip() for lead in leads]
    stated = [checksum(text) for text in texts]
    found = [zlib.crc32(samples) for samples in raw]
    if none_computed([1 if one is None else one for one in stated], found):
        return False
    for lead, text, one, right in zip(leads, texts, stated, found, strict=True):
        if text and (one is None or (one - right) % (1 << 32)):
            problem = f"the samples of {_name(lead)} do not match its LeadDataCRC32"
            raise RecordError("checksum_mismatch", record=record, problem=problem)
    return all(texts)


def _name(lead: Element) -> str:
    return f"lead {(lead.findtext('LeadID') or '').strip()[:40]}"
