"""Parse WFDB headers strictly: every field explicit, nothing guessed, bounded time.

The syntax is that of header(5) of the WFDB Applications Guide
(https://physionet.org/physiotools/wag/header-5.htm). The wfdb library replaces a gain of 0, nan or
text by 200 and a missing rate by 250 Hz, and reads `uV` with a Greek mu as V; here each of them is
an error or is read as it stands.
"""

import math
import re
from typing import NamedTuple

from data_modules.reading.kinds import named_kind
from data_modules.reading.lead_names import known_lead
from data_modules.reading.limits import MAX_HEADER_BYTES, check_extent, check_gain, check_rate
from data_modules.reading.reasons import RecordError
from data_modules.reading.text_cells import decode_text

MAX_LINE = 400  # the longest line of the twelve public sets tried is under 100 characters

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RECORD = re.compile(
    r"(?P<name>[^\s/]+)(?P<segments>/\d+)?\s+(?P<n_sig>\d{1,9})(?P<rest>\s.*)?", re.ASCII
)
_FORMAT = re.compile(
    r"(?P<fmt>\d{1,4})(?:x(?P<frame>\d{1,4}))?(?::(?P<skew>\d{1,9}))?(?:\+(?P<offset>\d{1,12}))?",
    re.ASCII,
)
_GAIN = re.compile(
    rf"(?P<gain>{_NUMBER})(?:\((?P<baseline>[-+]?\d{{1,15}})\))?(?:/(?P<unit>\S+))?", re.ASCII
)

_BLANKS = " \t\f\v"
_GAPS = re.compile(rf"[{_BLANKS}]+")
# ADC resolution, zero, first value, checksum and block size, from the left as many as there are
_INTEGERS = re.compile(
    r"(?:[0-9]{1,3}(?: -?[0-9]{1,12}(?: -?[0-9]{1,12}(?: -?[0-9]{1,12}(?: [0-9]{1,9})?)?)?)?)?"
)
MAX_SKEW_S = 1.0  # devices that take turns between channels need milliseconds
MAX_BASELINE = 1 << 31  # counts; no format has more bits
_FIELD_TOO_MANY = re.compile(r"-?\d+ (.+)", re.ASCII)


class SignalLine(NamedTuple):
    """One signal of a header; `gain` in ADC counts per `unit`, `baseline` in ADC counts.

    Sample `i` of the signal is sample `i + skew` of its file, and sample 0 of the file is `first`,
    0 where the header leaves it out. A `whole` line says how its samples
    lie; another one, of a signal that is no lead, is refused only where its file holds leads.
    """

    file_name: str
    fmt: str
    skew: int
    offset: int
    gain: float
    baseline: int
    unit: str | None
    checksum: int | None
    description: str
    first: int = 0
    whole: bool = True


class Header(NamedTuple):
    """One single-segment record: rate in Hz, `n_samples` T for each of the signals.

    `surplus` holds the lines beyond the declared number of signals, which nobody reads.
    """

    sampling_rate_hz: float
    n_samples: int
    signals: tuple[SignalLine, ...]
    comments: tuple[str, ...]
    surplus: tuple[str, ...] = ()


def parse_header(content: bytes, *, record: str) -> Header:
    """Parse and check the text of a WFDB header.

    Args:
        content: the file's bytes, at most `MAX_HEADER_BYTES` of them.
        record: the record as the user names it, a path without extension.

    Raises:
        RecordError: a field is missing, malformed, implausible or beyond the limits.
    """
    text = _decode(content, record=record)
    # ASCII blanks alone divide fields and lines: others may be part of a name
    lines = [line.strip(_BLANKS) for line in re.split(r"\r\n?|\n", text)]
    comments = tuple(line.lstrip("#").strip(_BLANKS) for line in lines if line.startswith("#"))
    lines = [line for line in lines if line and not line.startswith("#")]
    if not lines or max(map(len, lines)) > MAX_LINE or "\0" in text:
        problem = (
            f"the header is empty, binary, or has a line above {MAX_LINE} characters; copy it again"
        )
        raise RecordError("header_invalid", record=record, problem=problem)
    rate, n_samples, n_signals = _parse_record_line(lines, record=record)
    if len(lines) - 1 < n_signals:
        problem = f"the header declares {n_signals} signals and describes {len(lines) - 1}"
        raise RecordError("header_invalid", record=record, problem=problem)
    signals = tuple(_parse_signal_line(line, record=record) for line in lines[1 : n_signals + 1])
    _check_skew(signals, rate, record=record)
    surplus = tuple(lines[n_signals + 1 :])
    _check_surplus(surplus, signals, record=record)
    needed = [signal for signal in signals if not _is_no_lead(signal.description)]
    if len({signal.checksum is None for signal in needed}) > 1:
        problem = "some signals have a checksum and some have none; the header is damaged"
        raise RecordError("header_invalid", record=record, problem=problem)
    return Header(rate, n_samples, signals, comments, surplus)


def _check_skew(signals: tuple[SignalLine, ...], rate_hz: float, *, record: str) -> None:
    """Refuse a lead that would be moved by more than any device is late."""
    for signal in signals:
        if known_lead(signal.description) and signal.skew > MAX_SKEW_S * rate_hz:
            problem = (
                f"the skew of {signal.description} is {signal.skew} samples, "
                f"{signal.skew / rate_hz:g} s; expected at most {MAX_SKEW_S:g} s"
            )
            raise RecordError("header_invalid", record=record, problem=problem)


def _check_surplus(
    surplus: tuple[str, ...], signals: tuple[SignalLine, ...], *, record: str
) -> None:
    """Refuse lines beyond the declared signals that name a lead; header(5) reads none of them."""
    read = {known_lead(signal.description) for signal in signals}
    for line in surplus:
        name = _GAPS.split(line, maxsplit=8)[8:]
        lead = known_lead(name[0]) if name else None
        if lead is not None and lead not in read:
            problem = (
                f"the header declares {len(signals)} signals, and the line {line[:60]!r} beyond "
                f"them describes lead {lead}; correct the number or remove the line"
            )
            raise RecordError("header_invalid", record=record, problem=problem)


def _decode(content: bytes, *, record: str) -> str:
    if len(content) > MAX_HEADER_BYTES:
        problem = f"the header is larger than {MAX_HEADER_BYTES} bytes"
        raise RecordError("header_limit", record=record, problem=problem)
    return decode_text(content)


def _segments(lines: list[str]) -> str:
    """List the segments of a record; `~` is a gap, and the layout has no samples."""
    segments = [_GAPS.split(line) for line in lines[1:]]
    named = [fields[0] for fields in segments if fields[0] != "~" and fields[1:2] != ["0"]]
    return f": {', '.join(named)[:200]}" if named else ""


def _parse_record_line(lines: list[str], *, record: str) -> tuple[float, int, int]:
    """Return the rate in Hz, the samples per signal and the number of signals."""
    line = lines[0]
    match = _RECORD.fullmatch(line)
    if match is None:
        named = named_kind(line.encode()) or (
            "write the record's name without its folder"
            if "/" in line.partition(" ")[0] and _RECORD.fullmatch(line.rpartition("/")[2])
            else "copy it again, or correct it"
        )
        problem = f"the first line {line[:60]!r} is not `name signals rate samples`; {named}"
        raise RecordError("header_invalid", record=record, problem=problem)
    stem = record.rpartition("/")[2]
    # the name may carry the extension of the record's own files
    if match["name"] != stem and not re.fullmatch(
        rf"{re.escape(stem)}\.(hea|dat|mat)", match["name"], re.IGNORECASE
    ):
        problem = f"its header names the record {match['name']!r}; a renamed or a foreign file"
        raise RecordError("header_invalid", record=record, problem=problem)
    if match["segments"]:
        problem = "the record is a list of segments; expected one; list its segments as records"
        raise RecordError("multi_segment", record=record, problem=problem + _segments(lines))
    fields = _GAPS.split((match["rest"] or "").strip(_BLANKS))
    n_signals, rate = int(match["n_sig"]), _rate(fields[0], record=record)
    if len(fields) < 2 or fields[1].strip("0") == "":
        problem = "the header states no number of samples; expected it after the rate"
        raise RecordError("length_missing", record=record, problem=problem)
    if not re.fullmatch(r"[0-9]{1,15}", fields[1]):
        problem = f"the number of samples is {fields[1][:40]!r}; expected a whole number"
        raise RecordError("header_invalid", record=record, problem=problem)
    check_extent(n_signals, int(fields[1]), rate, record=record)
    return rate, int(fields[1]), n_signals


def _rate(field: str, *, record: str) -> float:
    """Read the sampling rate in Hz; a counter frequency after a slash is ignored."""
    text = field.partition("/")[0]
    rate = float(text) if re.fullmatch(_NUMBER, text, re.ASCII) else math.nan
    return check_rate(rate, record=record, text=text)


def _is_no_lead(name: str) -> bool:
    """Tell whether a signal says that it is something else; without a name it may be a lead."""
    return name != "" and known_lead(name) is None


def _parse_signal_line(line: str, *, record: str) -> SignalLine:
    """Read `file format gain(baseline)/unit resolution zero first checksum block name`."""
    fields = _GAPS.split(line, maxsplit=8)
    if len(fields) > 8:
        fields[8] = _without_comment(fields[8])
        _check_one_field_fewer(fields, line, record=record)
    if len(fields) > 8 and _is_no_lead(fields[8]) and fields[7].isdigit():
        return _parse_other_line(fields)
    layout = _FORMAT.fullmatch(fields[1]) if len(fields) > 2 else None
    if layout is None or not _INTEGERS.fullmatch(" ".join(fields[3:8])):
        problem = (
            f"the signal line {line[:60]!r} is not `file format gain/unit ...`, with no field left "
            "out before the lead's name"
        )
        raise RecordError("header_invalid", record=record, problem=problem)
    if int(layout["frame"] or 1) != 1:
        problem = f"format {fields[1]} has several samples per frame; expected one; resample it"
        raise RecordError("layout_unsupported", record=record, problem=problem)
    name = fields[8] if len(fields) > 8 else ""
    gain, baseline, unit = _gain(fields[2], name, record=record)
    # header(5): without a baseline, the ADC's zero (field 5) is the baseline
    count = int(baseline or (fields[4] if len(fields) > 4 else "0"))
    if abs(count) > MAX_BASELINE:
        problem = f"the baseline of {line[:60]!r} is beyond {MAX_BASELINE} counts"
        raise RecordError("header_invalid", record=record, problem=problem)
    return SignalLine(
        file_name=fields[0],
        fmt=layout["fmt"],
        skew=int(layout["skew"] or 0),
        offset=int(layout["offset"] or 0),
        gain=gain,
        baseline=count,
        unit=unit,
        checksum=int(fields[6]) if len(fields) > 6 else None,
        description=name,
        first=int(fields[5]) if len(fields) > 5 else 0,
    )


def _without_comment(name: str) -> str:
    """Leave out a comment at the end of the line where what stands before it is a lead."""
    before, mark, _ = name.partition("#")
    return before.rstrip(_BLANKS) if mark and known_lead(before) else name


def _check_one_field_fewer(fields: list[str], line: str, *, record: str) -> None:
    """Refuse a lead's name behind one number more than the line has fields for."""
    found = _FIELD_TOO_MANY.fullmatch(fields[8])
    if found and known_lead(found[1]):
        problem = (
            f"the signal line {line[:60]!r} has a field too many before {found[1][:20]!r}; look "
            "for a blank within a field, such as `200(0)/ mV`"
        )
        raise RecordError("header_invalid", record=record, problem=problem)


def _parse_other_line(fields: list[str]) -> SignalLine:
    """Read how the samples of a signal that is no lead lie in its file; no more is needed."""
    layout = _FORMAT.fullmatch(fields[1])
    gain = _GAIN.fullmatch(fields[2])
    return SignalLine(
        file_name=fields[0],
        fmt=layout["fmt"] if layout else fields[1],
        skew=int(layout["skew"] or 0) if layout else 0,
        offset=int(layout["offset"] or 0) if layout else 0,
        gain=float(gain["gain"]) if gain else math.nan,
        baseline=0,
        unit=gain["unit"] if gain else None,
        checksum=None,
        description=fields[8],
        whole=layout is not None and int(layout["frame"] or 1) == 1,
    )


def _gain(text: str, name: str, *, record: str) -> tuple[float, str | None, str | None]:
    """Read `gain(baseline)/unit`; the last two are None where the field lacks them.

    The gain of a signal that is no lead is not needed, and NaN where it is no gain.
    """
    match = _GAIN.fullmatch(text)
    gain = float(match["gain"]) if match else math.nan
    if known_lead(name) is not None:
        check_gain(gain, record=record, text=text, of=name)
    return (gain, match["baseline"], match["unit"]) if match else (gain, None, None)
