"""Read European Data Format files (Kemp et al. 1992, doi:10.1016/0013-4694(92)90009-7; EDF+).

BDF and BDF+ are the same with samples of three bytes (https://www.biosemi.com/faq/file_format.htm).
"""

import re

import numpy as np
import numpy.typing as npt

from data_modules.reading.lead_names import known_lead
from data_modules.reading.limits import MAX_SIGNALS, check_extent, check_gain, check_rate
from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import RawRecording
from data_modules.reading.stated_numbers import invalid, number, whole, wrong_size

_FIXED = 256
# label, transducer, unit, physical minimum and maximum, digital ones, filter, samples, reserved
_WIDTHS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
_ANNOTATIONS = ("EDF Annotations", "BDF Annotations")
BDF = b"\xffBIOSEMI"
_ONSET = re.compile(rb"([-+]\d{1,9}(?:\.\d{1,9})?)\x14\x14")
_RANGES = ("physical minimum", "physical maximum", "digital minimum", "digital maximum")
_PADDING = " \t\0"
_TOLERANCE_S = 1e-4  # half a sample at 5000 Hz
_MARGIN = 1  # step beyond the digital range, as some writers have, harms nothing
_ROUNDED_S = 0.011  # times of two decimals

Bytes = npt.NDArray[np.uint8]
"""The data records, shape (records, samples of all signals, bytes of a sample)."""


def read_edf(content: bytes, *, record: str) -> RawRecording:
    """Read the signals that have the rate of the first known lead.

    Args:
        content: the file.
        record: the record as the user names it.

    Raises:
        RecordError: a discontinuous or damaged file, or one that states too little.
    """
    header = content[:_FIXED].decode("latin-1")  # names and dates beside the numbers may be odd
    n_signals = whole(header[252:256], what="the number of signals", record=record)
    if not 0 < n_signals <= MAX_SIGNALS:
        problem = f"it declares {n_signals} signals; accepted are {MAX_SIGNALS}"
        raise RecordError("header_limit", record=record, problem=problem)
    size = _FIXED * (n_signals + 1)
    fields = _columns(content[_FIXED:size], n_signals, record=record)
    if header[236:244].strip(_PADDING) in ("-1", "0"):
        problem = (
            "it states no number of data records; it was not closed properly: open it in the "
            "program that recorded it, or in EDFbrowser, and save it again"
        )
        raise RecordError("length_missing", record=record, problem=problem)
    n_records = whole(header[236:244], what="the number of data records", record=record)
    seconds = number(header[244:252], what="the duration of a data record", record=record)
    counts = [
        whole(text, what=f"samples per data record of {label[:20]}", record=record)
        for label, text in zip(fields[0], fields[8], strict=True)
    ]
    n_bytes = _n_bytes(content)
    declared = size + n_bytes * n_records * sum(counts)
    if len(content) != declared:
        problem = f"it has {len(content)} bytes; its header declares {declared}"
        raise wrong_size(problem, record=record)
    blocks = np.frombuffer(content, "u1", offset=size).reshape(n_records, sum(counts), n_bytes)
    if fields[0] and all(label in _ANNOTATIONS for label in fields[0]):
        problem = "it holds annotations and no signal; name the file that holds the ECG"
        raise RecordError("no_known_lead", record=record, problem=problem)
    apart = header[192:197] in ("EDF+D", "BDF+D")
    _check_contiguous(blocks, fields, counts, seconds, apart=apart, record=record)
    return _read_signals(blocks, fields, counts, seconds, record=record)


def _n_bytes(content: bytes) -> int:
    """Return how many bytes a sample takes."""
    return 3 if content.startswith(BDF) else 2


def _check_contiguous(
    blocks: Bytes,
    fields: list[list[str]],
    counts: list[int],
    seconds: float,
    *,
    apart: bool,
    record: str,
) -> None:
    """Check by the times that EDF+ keeps in its annotations that no data record is apart.

    Files that say that they are continuous may round the times, or keep none.
    """
    channel = next((i for i, label in enumerate(fields[0]) if label in _ANNOTATIONS), None)
    if channel is None:
        if not apart:
            return
        raise _discontinuous("it keeps no times", record=record)
    start = sum(counts[:channel])
    onsets = []
    for block in blocks:
        # the first annotation of a record is its time: +SECONDS, 0x14, 0x14, 0
        found = _ONSET.match(block[start : start + counts[channel]].tobytes())
        if found is None:
            if not apart:
                return
            raise _discontinuous("its annotations hold no time for each record", record=record)
        onsets.append(float(found[1]))
    steps = np.diff(np.array(onsets))
    gaps = np.flatnonzero(np.abs(steps - seconds) > (_TOLERANCE_S if apart else _ROUNDED_S))
    if len(gaps):
        lasted = (gaps[0] + 1) * seconds
        said = f"by its own times it is interrupted after {lasted:g} s"
        raise _discontinuous(said, stated=apart, record=record)


def _discontinuous(why: str, *, stated: bool = True, record: str) -> RecordError:
    kind = "a discontinuous EDF+ file (EDF+D)" if stated else "an EDF file that states no gap"
    problem = (
        f"it is {kind} and {why}; cut it at the gaps and save each part "
        "as EDF+C, or save it as EDF+C if it has no gap"
    )
    return RecordError("layout_unsupported", record=record, problem=problem)


def _read_signals(
    blocks: Bytes,
    fields: list[list[str]],
    counts: list[int],
    seconds: float,
    *,
    record: str,
) -> RawRecording:
    leads = [i for i, label in enumerate(fields[0]) if known_lead(label)]
    per_record = counts[leads[0]] if leads else max(counts)
    if any(counts[i] != per_record for i in leads):
        listed = ", ".join(f"{fields[0][i]} {counts[i] / (seconds or 1):g} Hz" for i in leads)
        problem = f"its leads have different sampling rates ({listed[:200]}); expected one"
        raise RecordError("layout_unsupported", record=record, problem=problem)
    rate = check_rate(per_record / seconds if seconds > 0 else 0.0, record=record)
    check_extent(max(len(leads), 1), len(blocks) * per_record, rate, record=record)
    starts = np.cumsum([0, *counts])
    stored = [_samples(blocks[:, starts[i] : starts[i] + per_record]) for i in leads]
    scales = [_scale([column[i] for column in fields], record=record) for i in leads]
    beyond = [
        _beyond(one, [column[i] for column in fields]) for one, i in zip(stored, leads, strict=True)
    ]
    told = "; ".join(filter(None, beyond))
    factor, offset = np.array(scales).reshape(-1, 2).T[:, :, None]
    others = [label for label in fields[0] if not known_lead(label) and label not in _ANNOTATIONS]
    return RawRecording(
        names=tuple(fields[0][i] for i in leads),
        signals=np.array(stored).reshape(len(leads), len(blocks) * per_record) * factor + offset,
        units=tuple(fields[2][i] or None for i in leads),
        sampling_rate_hz=rate,
        warnings=(("gain_doubtful", f"{told}: its gain may be wrong"),) if told else (),
        ignored=tuple(others),
    )


def _beyond(counts: npt.NDArray[np.integer], fields: list[str]) -> str:
    """Say where samples lie outside the range that the header states for them."""
    bottom, top = float(fields[5]), float(fields[6])
    low, high = (int(counts.min()), int(counts.max())) if len(counts) else (bottom, top)
    if bottom - _MARGIN <= low and high <= top + _MARGIN:
        return ""
    return f"{fields[0][:20]} has samples of {low} to {high} outside its range {bottom:g}..{top:g}"


def _samples(stored: Bytes) -> npt.NDArray[np.integer]:
    """Return one signal, (records, samples, bytes) -> (T,): little endian, two's complement."""
    if stored.shape[-1] == 2:
        return np.ascontiguousarray(stored).view("<i2").ravel()
    wide = np.zeros((*stored.shape[:2], 4), dtype=np.uint8)
    wide[..., 1:] = stored  # the highest byte carries the sign
    return wide.view("<i4").ravel() >> 8


def _scale(fields: list[str], *, record: str) -> tuple[float, float]:
    """Return the unit per count, below zero where the physical range is reversed; and the offset.

    EDF allows a physical maximum below the minimum: a negative gain.
    """
    label = fields[0][:20]
    low, high, bottom, top = (
        number(text, what=f"{what} of {label}", record=record)
        for what, text in zip(_RANGES, fields[3:7], strict=True)
    )
    span = top - bottom
    factor = (high - low) / span if span > 0 else 0.0
    text = f"{low:g}..{high:g} for {bottom:g}..{top:g}"
    if factor == 0:
        problem = (
            f"{label} has the physical range {low:g}..{high:g} and the digital range {bottom:g}.."
            f"{top:g}; expected two different physical and two rising digital limits"
        )
        raise RecordError("gain_invalid", record=record, problem=problem)
    check_gain(1 / abs(factor), record=record, text=text, of=label)
    return factor, low - bottom * factor


def _columns(content: bytes, n_signals: int, *, record: str) -> list[list[str]]:
    """Return the ten fields of all signals, each a list over the signals."""
    if len(content) != _FIXED * n_signals:
        raise invalid("its header is cut off", record=record)
    columns, position = [], 0
    for width in _WIDTHS:
        ends = range(position, position + width * n_signals, width)
        columns.append([_text(content[start : start + width]) for start in ends])
        position += width * n_signals
    return columns


def _text(field: bytes) -> str:
    """Decode a field; newer writers put the mu of uV into two bytes, older ones into one."""
    try:
        text = field.decode("utf-8")
    except UnicodeDecodeError:
        text = field.decode("latin-1")
    return text.strip(_PADDING)
