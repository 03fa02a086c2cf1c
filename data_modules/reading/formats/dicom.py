"""Read DICOM waveform objects (PS3.3 C.10.9) through pydicom."""

import io
import re
import warnings
from typing import Any

import numpy as np

from data_modules.reading.formats.scp_leads import SCP_LEADS
from data_modules.reading.formats.xml_tree import loose_number
from data_modules.reading.lead_names import known_lead
from data_modules.reading.limits import check_extent, check_gain, check_rate
from data_modules.reading.parts import Part, read_parts
from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import RawRecording
from data_modules.reading.stated_numbers import invalid, number

_SYNTAXES = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1")  # implicit, explicit little endian
_DEFLATED = b"1.2.840.10008.1.2.1.99"  # pydicom would unpack it to any size
_SKEWS = ("ChannelTimeSkew", "ChannelSampleSkew")
_DTYPES = {("SS", 16): "<i2", ("SL", 32): "<i4", ("SB", 8): "i1"}


def read_dicom(content: bytes, *, record: str) -> RawRecording:
    """Read the original multiplex group of all leads; derived ones (median beats) are left out.

    Args:
        content: the file.
        record: the record as the user names it.

    Raises:
        RecordError: no waveform, an unusual encoding, or a damaged file.
    """
    try:
        import pydicom
    except ImportError as error:
        problem = "DICOM files need the package pydicom; pip install -e '.[readers]'"
        raise RecordError("reader_missing", record=record, problem=problem) from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd identifiers are no matter of the signal
            return _read(pydicom, content, record=record)
    except RecordError:
        raise
    except Exception as error:  # the library documents no exceptions; a bad file may raise any
        reason = " ".join(str(error).split())[:200]
        problem = f"pydicom cannot decode it: {type(error).__name__}: {reason}"
        raise RecordError("unreadable", record=record, problem=problem) from error


def _read(pydicom: Any, content: bytes, *, record: str) -> RawRecording:
    if _DEFLATED in content:
        problem = "it may be deflated; expected an uncompressed transfer syntax"
        raise RecordError("format_unsupported", record=record, problem=problem)
    if content[128:132] != b"DICM":  # written without the preamble of Part 10
        content = bytes(128) + b"DICM" + content
    dataset = pydicom.dcmread(io.BytesIO(content), specific_tags=["WaveformSequence"])
    syntax = str(dataset.file_meta.get("TransferSyntaxUID", ""))
    if syntax not in _SYNTAXES:
        problem = f"its transfer syntax is {syntax[:64]}; expected uncompressed little endian"
        raise RecordError("format_unsupported", record=record, problem=problem)
    parts = [_part(group, record=record) for group in dataset.get("WaveformSequence") or ()]
    if not parts:
        kind = str(dataset.file_meta.get("MediaStorageSOPClassUID", "") or "unknown")[:64]
        problem = (
            f"it is a DICOM object of class {kind} without a waveform (a picture or a PDF of an "
            "ECG has none); export the waveform object"
        )
        raise RecordError("format_unsupported", record=record, problem=problem)
    return read_parts(parts, record=record)


def _part(group: Any, *, record: str) -> Part:
    channels = group.get("ChannelDefinitionSequence") or ()
    return Part(
        label=str(group.get("MultiplexGroupLabel") or "no label"),
        names=tuple(_stated_name(channel) for channel in channels),
        sampling_rate_hz=loose_number(str(group.get("SamplingFrequency") or "")),
        n_samples=int(loose_number(str(group.get("NumberOfWaveformSamples") or ""))),
        read=lambda: _read_group(group, record=record),
        derived=str(group.get("WaveformOriginality") or "ORIGINAL") != "ORIGINAL",
    )


def _read_group(group: Any, *, record: str) -> RawRecording:
    shape = int(group.NumberOfWaveformSamples), int(group.NumberOfWaveformChannels)
    rate = check_rate(float(group.SamplingFrequency), record=record)
    check_extent(shape[1], shape[0], rate, record=record)
    kind = str(group.WaveformSampleInterpretation), int(group.WaveformBitsAllocated)
    if kind not in _DTYPES:
        problem = f"its samples are {kind}; expected one of {list(_DTYPES)}"
        raise RecordError("format_unsupported", record=record, problem=problem)
    data, dtype = bytes(group.WaveformData), np.dtype(_DTYPES[kind])
    size = shape[0] * shape[1] * dtype.itemsize
    channels = list(group.ChannelDefinitionSequence)
    if not size <= len(data) <= size + 1 or len(channels) != shape[1]:  # values are padded to even
        problem = (
            f"it has {len(data)} bytes, {len(channels)} channels; it declares {size}, {shape[1]}"
        )
        raise RecordError("size_mismatch", record=record, problem=problem)
    names = [_name(channel, record=record) for channel in channels]
    leads = [i for i, name in enumerate(names) if known_lead(name)]
    if any(float(channels[i].get(skew) or 0) for i in leads for skew in _SKEWS):
        problem = "its channels were not sampled at the same time; expected a skew of 0"
        raise RecordError("layout_unsupported", record=record, problem=problem)
    counts = np.frombuffer(data[:size], dtype=dtype).reshape(shape).T[leads]
    scales = [_scale(channels[i], names[i], record=record) for i in leads]
    factor, offset = np.array([scale[:2] for scale in scales]).reshape(-1, 2).T[:, :, None]
    signals = counts * factor + offset
    padding = bytes(group.get("WaveformPaddingValue") or b"")[: dtype.itemsize]
    if any(padding):  # makers who write 0 there mean ordinary samples of 0
        signals[counts == np.frombuffer(padding, dtype=dtype)[0]] = np.nan
    return RawRecording(
        names=tuple(names[i] for i in leads),
        signals=signals,
        units=tuple(scale[2] for scale in scales),
        sampling_rate_hz=rate,
        ignored=tuple(name for name in names if not known_lead(name)),
    )


def _scale(channel: Any, name: str, *, record: str) -> tuple[float, float, str | None]:
    """Return the unit per count, the value of count 0 and the unit of one channel."""
    what = f"the sensitivity of {name}"
    factor = number(_stated(channel, "ChannelSensitivity", ""), what=what, record=record)
    correction = _stated(channel, "ChannelSensitivityCorrectionFactor", "1")
    factor *= number(correction, what=f"the sensitivity correction of {name}", record=record)
    check_gain(1 / factor if factor > 0 else 0.0, record=record, text=f"{factor:g} per count")
    zero = _stated(channel, "ChannelBaseline", "0")
    baseline = number(zero, what=f"the baseline of {name}", record=record)
    codes = channel.get("ChannelSensitivityUnitsSequence") or ()
    return factor, baseline, str(codes[0].get("CodeValue") or "") or None if codes else None


def _stated(channel: Any, field: str, absent: str) -> str:
    """Return a field as text; one that is there and empty is as absent."""
    value = channel.get(field)
    return absent if value is None or not str(value).strip() else str(value)


def _source(channel: Any) -> tuple[str | None, str]:
    """Return the lead by the source's code (SCP-ECG or MDC), and the code's meaning."""
    sources = channel.get("ChannelSourceSequence") or ()
    if not sources:
        return None, str(channel.get("ChannelLabel") or "")
    code = re.fullmatch(
        r"(?:5\.6\.3-9-|2:)([0-9]{1,3})", str(sources[0].get("CodeValue", "")).strip()
    )
    name = SCP_LEADS.get(int(code[1])) if code else None
    return name, str(sources[0].get("CodeMeaning") or channel.get("ChannelLabel") or "")


def _stated_name(channel: Any) -> str:
    name, meaning = _source(channel)
    return name or meaning


def _name(channel: Any, *, record: str) -> str:
    """Return the lead's name by its code, else by the code's meaning."""
    name, meaning = _source(channel)
    stated = known_lead(meaning)
    if name and stated and name != stated:
        raise invalid(f"a channel is {name} by its code and {stated} by its name", record=record)
    return name or meaning
