"""Read DICOM waveform objects (PS3.3 C.10.9) through pydicom."""

import io
import re
import warnings
from typing import Any

import numpy as np

from data_modules.reading.formats.scp_leads import SCP_LEADS
from data_modules.reading.formats.xml_tree import invalid, number
from data_modules.reading.lead_names import known_lead
from data_modules.reading.limits import check_extent, check_gain, check_rate
from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import RawRecording

_SYNTAXES = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1")  # implicit, explicit little endian
_DEFLATED = b"1.2.840.10008.1.2.1.99"  # pydicom would unpack it to any size
_SKEWS = ("ChannelTimeSkew", "ChannelSampleSkew")
_DTYPES = {("SS", 16): "<i2", ("SL", 32): "<i4", ("SB", 8): "i1"}


def read_dicom(content: bytes, *, record: str) -> RawRecording:
    """Read the one original multiplex group; derived groups (median beats) are left out.

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
    dataset = pydicom.dcmread(io.BytesIO(content), specific_tags=["WaveformSequence"])
    syntax = str(dataset.file_meta.get("TransferSyntaxUID", ""))
    if syntax not in _SYNTAXES:
        problem = f"its transfer syntax is {syntax[:64]}; expected uncompressed little endian"
        raise RecordError("format_unsupported", record=record, problem=problem)
    groups = [
        group
        for group in dataset.get("WaveformSequence") or ()
        if str(group.get("WaveformOriginality", "ORIGINAL")) == "ORIGINAL"
    ]
    if len(groups) != 1:
        problem = f"it has {len(groups)} original waveform groups; expected one with all leads"
        raise RecordError("layout_unsupported", record=record, problem=problem)
    return _read_group(groups[0], record=record)


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
    if any(float(one.get(name) or 0) for one in channels for name in _SKEWS):
        problem = "its channels were not sampled at the same time; expected a skew of 0"
        raise RecordError("layout_unsupported", record=record, problem=problem)
    counts = np.frombuffer(data[:size], dtype=dtype).reshape(shape).T
    factors, offsets, units = zip(*(_scale(one, record=record) for one in channels), strict=True)
    signals = counts * np.array(factors)[:, None] + np.array(offsets)[:, None]
    padding = bytes(group.get("WaveformPaddingValue") or b"")[: dtype.itemsize]
    if any(padding):  # makers who write 0 there mean ordinary samples of 0
        signals[counts == np.frombuffer(padding, dtype=dtype)[0]] = np.nan
    return RawRecording(
        names=tuple(_name(channel, record=record) for channel in channels),
        signals=signals,
        units=units,
        sampling_rate_hz=rate,
    )


def _scale(channel: Any, *, record: str) -> tuple[float, float, str | None]:
    """Return the unit per count, the value of count 0 and the unit of one channel."""
    sensitivity = str(channel.get("ChannelSensitivity", ""))
    correction = str(channel.get("ChannelSensitivityCorrectionFactor", "1"))
    factor = number(sensitivity, what="the channel sensitivity", record=record) * number(
        correction, what="the sensitivity correction", record=record
    )
    check_gain(1 / factor if factor > 0 else 0.0, record=record, text=f"{factor:g} per count")
    baseline = number(str(channel.get("ChannelBaseline", "0")), what="the baseline", record=record)
    codes = channel.get("ChannelSensitivityUnitsSequence") or ()
    return factor, baseline, str(codes[0].CodeValue) if codes else None


def _name(channel: Any, *, record: str) -> str:
    """Return the lead's name by its code (SCP-ECG or MDC), else by the code's meaning."""
    source = channel.ChannelSourceSequence[0]
    meaning = str(source.get("CodeMeaning", ""))
    code = re.fullmatch(r"(?:5\.6\.3-9-|2:)([0-9]{1,3})", str(source.get("CodeValue", "")))
    name = SCP_LEADS.get(int(code[1])) if code else None
    stated = known_lead(meaning)
    if name and stated and name != stated:
        raise invalid(f"a channel is {name} by its code and {stated} by its name", record=record)
    return name or meaning
