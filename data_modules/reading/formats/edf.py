"""Read European Data Format files (Kemp et al. 1992, doi:10.1016/0013-4694(92)90009-7; EDF+C)."""

import re

import numpy as np

from data_modules.reading.formats.xml_tree import invalid, number
from data_modules.reading.lead_names import known_lead
from data_modules.reading.limits import MAX_SIGNALS, check_extent, check_gain, check_rate
from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import RawRecording

_FIXED = 256
# label, transducer, unit, physical minimum and maximum, digital ones, filter, samples, reserved
_WIDTHS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
_ANNOTATIONS = "EDF Annotations"


def read_edf(content: bytes, *, record: str) -> RawRecording:
    """Read the signals that have the rate of the first known lead.

    Args:
        content: the file.
        record: the record as the user names it.

    Raises:
        RecordError: a discontinuous or damaged file, or one that states too little.
    """
    try:
        header = content[:_FIXED].decode("ascii")
        n_signals = _whole(header[252:256], what="the number of signals", record=record)
        if not 0 < n_signals <= MAX_SIGNALS:
            problem = f"it declares {n_signals} signals; accepted are {MAX_SIGNALS}"
            raise RecordError("header_limit", record=record, problem=problem)
        size = _FIXED * (n_signals + 1)
        fields = _columns(content[_FIXED:size].decode("latin-1"), n_signals, record=record)
    except UnicodeDecodeError as error:
        raise invalid("its header is not ASCII text", record=record) from error
    if header[192:197] == "EDF+D":
        problem = "it is a discontinuous EDF+ file; expected one without interruptions"
        raise RecordError("layout_unsupported", record=record, problem=problem)
    if header[236:244].strip() in ("-1", "0"):
        problem = "it states no number of data records; it was not closed properly"
        raise RecordError("length_missing", record=record, problem=problem)
    n_records = _whole(header[236:244], what="the number of data records", record=record)
    seconds = number(header[244:252], what="the duration of a data record", record=record)
    counts = [_whole(text, what="samples per data record", record=record) for text in fields[8]]
    if len(content) != size + 2 * n_records * sum(counts):
        declared = size + 2 * n_records * sum(counts)
        problem = f"it has {len(content)} bytes; its header declares {declared}; copy it again"
        raise RecordError("size_mismatch", record=record, problem=problem)
    return _read_signals(content[size:], fields, counts, n_records, seconds, record=record)


def _read_signals(
    data: bytes,
    fields: list[list[str]],
    counts: list[int],
    n_records: int,
    seconds: float,
    *,
    record: str,
) -> RawRecording:
    leads = [i for i, label in enumerate(fields[0]) if known_lead(label)]
    per_record = counts[leads[0]] if leads else max(counts)
    chosen = [
        i for i, label in enumerate(fields[0]) if counts[i] == per_record and label != _ANNOTATIONS
    ]
    if set(leads) - set(chosen):
        problem = "its leads have different sampling rates; expected one"
        raise RecordError("layout_unsupported", record=record, problem=problem)
    rate = check_rate(per_record / seconds if seconds > 0 else 0.0, record=record)
    check_extent(len(chosen), n_records * per_record, rate, record=record)
    starts = np.cumsum([0, *counts])
    blocks = np.frombuffer(data, dtype="<i2").reshape(n_records, -1)
    signals = np.stack([blocks[:, starts[i] : starts[i] + per_record].ravel() for i in chosen])
    scales = [_scale([column[i] for column in fields], record=record) for i in chosen]
    factor, offset = np.array(scales).T[:, :, None]
    return RawRecording(
        names=tuple(fields[0][i] for i in chosen),
        signals=signals * factor + offset,
        units=tuple(fields[2][i] or None for i in chosen),
        sampling_rate_hz=rate,
    )


def _scale(fields: list[str], *, record: str) -> tuple[float, float]:
    """Return the unit per count and the value of count 0."""
    low, high, bottom, top = (
        number(text, what=f"a range of {fields[0][:20]}", record=record) for text in fields[3:7]
    )
    span = top - bottom
    factor = (high - low) / span if span > 0 else 0.0
    text = f"{low:g}..{high:g} for {bottom:g}..{top:g}"
    check_gain(1 / factor if factor > 0 else 0.0, record=record, text=text)
    return factor, low - bottom * factor


def _columns(text: str, n_signals: int, *, record: str) -> list[list[str]]:
    """Return the ten fields of all signals, each a list over the signals."""
    if len(text) != _FIXED * n_signals:
        raise invalid("its header is cut off", record=record)
    columns, position = [], 0
    for width in _WIDTHS:
        ends = range(position, position + width * n_signals, width)
        columns.append([text[start : start + width].strip() for start in ends])
        position += width * n_signals
    return columns


def _whole(text: str, *, what: str, record: str) -> int:
    if not re.fullmatch(r" *[0-9]{1,8} *", text):
        raise invalid(f"{what} is {text[:20]!r}; expected a whole number", record=record)
    return int(text)
