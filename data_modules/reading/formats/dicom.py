"""Read DICOM waveform objects (PS3.3 C.10.9) through pydicom."""

import io
import re
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from data_modules.reading.formats.scp_leads import SCP_LEADS
from data_modules.reading.formats.xml_tree import loose_number
from data_modules.reading.lead_names import known_lead
from data_modules.reading.limits import check_extent, check_gain, check_rate
from data_modules.reading.parts import Part, read_parts
from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import RawRecording
from data_modules.reading.stated_numbers import invalid, number, wrong_size
from data_modules.reading.units import mv_per_unit
from lsemvae.core.extras import install_extra

_BIG_ENDIAN = "1.2.840.10008.1.2.2"
_SYNTAXES = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", _BIG_ENDIAN)  # implicit, explicit
_DEFLATED = b"1.2.840.10008.1.2.1.99"  # pydicom would unpack it to any size
_UNCOMPRESSED = "save it as Explicit VR Little Endian, such as with `dcmconv +te`"
_RESAVE = "export it as another kind of file"
_SKEWS = ("ChannelTimeSkew", "ChannelSampleSkew", "ChannelOffset")
_DTYPES = {("SS", 16): "i2", ("SL", 32): "i4", ("SB", 8): "i1", ("US", 16): "u2", ("UB", 8): "u1"}
_NEEDED = (
    "NumberOfWaveformSamples",
    "NumberOfWaveformChannels",
    "SamplingFrequency",
    "WaveformSampleInterpretation",
    "WaveformBitsAllocated",
    "ChannelDefinitionSequence",
    "WaveformData",
)


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
        problem = f"DICOM files need the package pydicom; {install_extra('readers')}"
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
        problem = f"it may be deflated (transfer syntax 1.2.840.10008.1.2.1.99); {_UNCOMPRESSED}"
        raise RecordError("format_unsupported", record=record, problem=problem)
    if content[128:132] != b"DICM":  # written without the preamble of Part 10
        content = bytes(128) + b"DICM" + content
    dataset = pydicom.dcmread(io.BytesIO(content), specific_tags=["WaveformSequence"])
    syntax = str(dataset.file_meta.get("TransferSyntaxUID", ""))
    if syntax not in _SYNTAXES:
        problem = f"its transfer syntax is {syntax[:64] or 'not stated'}; {_UNCOMPRESSED}"
        raise RecordError("format_unsupported", record=record, problem=problem)
    order = ">" if syntax == _BIG_ENDIAN else "<"
    parts = [_part(group, order, record=record) for group in dataset.get("WaveformSequence") or ()]
    if not parts:
        kind = str(dataset.file_meta.get("MediaStorageSOPClassUID", "") or "unknown")[:64]
        problem = (
            f"it is a DICOM object of class {kind} without a waveform (a picture or a PDF of an "
            "ECG has none); export the waveform object"
        )
        raise RecordError("format_unsupported", record=record, problem=problem)
    return read_parts(parts, record=record)


def _part(group: Any, order: str, *, record: str) -> Part:
    channels = group.get("ChannelDefinitionSequence") or ()
    originality = str(group.get("WaveformOriginality") or "ORIGINAL")
    return Part(
        label=str(group.get("MultiplexGroupLabel") or "no label"),
        names=tuple(_stated_name(channel) for channel in channels),
        sampling_rate_hz=loose_number(str(group.get("SamplingFrequency") or "")),
        n_samples=int(loose_number(str(group.get("NumberOfWaveformSamples") or ""))),
        read=lambda: _read_group(group, order, record=record),
        kind="RHYTHM" if originality == "ORIGINAL" else originality,
    )


def _read_group(group: Any, order: str, *, record: str) -> RawRecording:
    lacking = [name for name in _NEEDED if group.get(name) in (None, "")]
    if lacking:
        problem = f"its waveform group states no {', '.join(lacking)}"
        raise invalid(problem, record=record)
    shape = int(group.NumberOfWaveformSamples), int(group.NumberOfWaveformChannels)
    rate = check_rate(float(group.SamplingFrequency), record=record)
    check_extent(shape[1], shape[0], rate, record=record)
    kind = str(group.WaveformSampleInterpretation), int(group.WaveformBitsAllocated)
    if kind not in _DTYPES:
        known = ", ".join(f"{name} of {bits} bits" for name, bits in _DTYPES)
        problem = f"its samples are {kind[0][:8]} of {kind[1]} bits; expected {known}; {_RESAVE}"
        raise RecordError("format_unsupported", record=record, problem=problem)
    data, dtype = bytes(group.WaveformData), np.dtype(order + _DTYPES[kind])
    size = shape[0] * shape[1] * dtype.itemsize
    channels = list(group.ChannelDefinitionSequence)
    if not size <= len(data) <= size + 1 or len(channels) != shape[1]:  # values are padded to even
        problem = (
            f"it has {len(data)} bytes, {len(channels)} channels; it declares {size}, {shape[1]}"
        )
        raise wrong_size(problem, record=record)
    names = [_name(channel, record=record) for channel in channels]
    leads = [i for i, name in enumerate(names) if known_lead(name)]
    skews = {tuple(float(channels[i].get(skew) or 0) for skew in _SKEWS) for i in leads}
    if len(skews) > 1:
        problem = f"its channels were not sampled at once; expected one skew for all; {_RESAVE}"
        raise RecordError("layout_unsupported", record=record, problem=problem)
    counts = np.frombuffer(data[:size], dtype=dtype).reshape(shape).T[leads]
    _check_bits(counts, [channels[i] for i in leads], record=record)
    scales = [_scale(channels[i], names[i], record=record) for i in leads]
    factor, offset = np.array([scale[:2] for scale in scales]).reshape(-1, 2).T[:, :, None]
    signals = counts * factor + offset
    padding = bytes(group.get("WaveformPaddingValue") or b"")[: dtype.itemsize]
    if any(padding):  # makers who write 0 there mean ordinary samples of 0
        signals[counts == np.frombuffer(padding, dtype=dtype)[0]] = np.nan
    off = [names[i] for i in leads if "DISCONNECTED" in str(channels[i].get("ChannelStatus") or "")]
    text = f"the file says that the electrode was off: {', '.join(off)}"
    return RawRecording(
        names=tuple(names[i] for i in leads),
        signals=signals,
        units=tuple(scale[2] for scale in scales),
        sampling_rate_hz=rate,
        warnings=(("samples_filled", text),) if off else (),
        ignored=tuple(name for name in names if not known_lead(name)),
    )


def _check_bits(counts: npt.NDArray[np.integer], channels: list[Any], *, record: str) -> None:
    """Refuse signed samples whose sign stands in the highest stored bit, not in that of the word.

    Samples beyond both ranges show that the stated number of bits is wrong, which harms nothing.
    """
    for row, channel in zip(counts, channels, strict=True):
        bits = int(channel.get("WaveformBitsStored") or 0)
        half = 1 << max(bits - 1, 0)
        if (
            row.dtype.kind == "i"
            and 1 < bits < 8 * row.itemsize
            and len(row)
            and (row.min() >= 0 and half <= row.max() < 2 * half)
        ):
            problem = (
                f"its samples reach {row.max()}, and signed ones of the {bits} bits that it states "
                f"end at {half - 1}: their signs are lost; {_RESAVE}"
            )
            raise RecordError("format_unsupported", record=record, problem=problem)


def _scale(channel: Any, name: str, *, record: str) -> tuple[float, float, str | None]:
    """Return the unit per count, the value of count 0 and the unit of one channel."""
    what = f"the sensitivity of {name}"
    factor = number(_stated(channel, "ChannelSensitivity", ""), what=what, record=record)
    correction = _stated(channel, "ChannelSensitivityCorrectionFactor", "1")
    factor *= number(correction, what=f"the sensitivity correction of {name}", record=record)
    gain = 1 / factor if factor > 0 else 0.0
    check_gain(gain, record=record, text=f"{factor:g} per count", of=name)
    zero = _stated(channel, "ChannelBaseline", "0")
    baseline = number(zero, what=f"the baseline of {name}", record=record)
    codes = channel.get("ChannelSensitivityUnitsSequence") or ()
    return factor, baseline, _unit(codes[0], name, record=record) if codes else None


def _unit(code: Any, name: str, *, record: str) -> str | None:
    """Return the unit by its code, or by the code's meaning where the code is none of a unit."""
    stated = [str(code.get(field) or "") for field in ("CodeValue", "CodeMeaning")]
    known = [text for text in stated if mv_per_unit(text) is not None]
    if len(set(map(mv_per_unit, known))) > 1:
        problem = f"the unit of {name} is {known[0]} by its code and {known[1]} by its meaning"
        raise RecordError("unit_unknown", record=record, problem=f"{problem}; {_RESAVE}")
    return next(iter([*known, *filter(None, stated)]), None)


def _stated(channel: Any, field: str, absent: str) -> str:
    """Return a field as text; one that is there and empty is as absent."""
    value = channel.get(field)
    return absent if value is None or not str(value).strip() else str(value)


def _source(channel: Any) -> tuple[str | None, str]:
    """Return the lead by the source's code (SCP-ECG or MDC), and the code's meaning."""
    sources = channel.get("ChannelSourceSequence") or ()
    if not sources:
        return None, str(channel.get("ChannelLabel") or "")
    stated = str(sources[0].get("CodeValue", "")).strip()
    code = re.fullmatch(r"(?:5\.6\.3-9-|2:)([0-9]{1,3})", stated)
    name = SCP_LEADS.get(int(code[1])) if code else known_lead(stated)
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
    label = known_lead(str(channel.get("ChannelLabel") or ""))
    if label and (name or stated) and label != (name or stated):
        problem = f"a channel is {name or stated} by its source and {label} by its label"
        raise invalid(problem, record=record)
    return name or meaning
