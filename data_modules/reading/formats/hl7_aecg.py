"""Read HL7 annotated ECGs (aECG, ANSI/HL7 V3 ECG R1-2004): samples as text."""

import datetime
import re
from xml.etree.ElementTree import Element

import numpy as np
import numpy.typing as npt

from data_modules.reading.formats.xml_tree import loose_number, parse_xml, text_of
from data_modules.reading.lead_names import known_lead
from data_modules.reading.limits import MAX_SIGNALS, check_extent, check_gain, check_rate
from data_modules.reading.parts import Part, read_parts
from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import RawRecording, Warnings
from data_modules.reading.stated_numbers import invalid, number
from data_modules.reading.units import mv_per_unit

_SECONDS = {"s": 1.0, "sec": 1.0, "ms": 1e-3, "msec": 1e-3, "us": 1e-6}
_SECONDS |= dict.fromkeys(("\u00b5s", "\u03bcs", "usec"), 1e-6)
_TIME = ("TIME_ABSOLUTE", "TIME_RELATIVE")
_OTHER_SIGNS = re.compile(r"[^0-9+\-.\s]")
_SECOND = re.compile(r"(\d{14})", re.ASCII)
_ROUNDED_S = 1.5  # times without fractions
_LONGEST_S = 120.0  # beyond it the times are those of a visit
_PLAIN = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)", re.ASCII)


def read_hl7_aecg(content: bytes, *, record: str) -> RawRecording:
    """Read the rhythm series; derived series (representative beats) are left out.

    Args:
        content: the file.
        record: the record as the user names it.

    Raises:
        RecordError: the file is damaged, states too little, or holds leads recorded in turn.
    """
    root, warnings = parse_xml(content, record=record)
    parts = [
        _part(series, found, warnings, record=record)
        for series in root.iter("series")
        for found in series.findall("component/sequenceSet")
    ]
    return read_parts(parts, record=record)


def _part(series: Element, found: Element, warnings: Warnings, *, record: str) -> Part:
    code = series.find("code")
    kind = "" if code is None else (code.get("code") or "").strip()
    sequences = found.findall("component/sequence")
    signals = [one for one in sequences if _code(one) not in _TIME]
    steps = [_step(one) for one in sequences if _code(one) in _TIME]
    lengths = [len((one.findtext("value/digits") or "").split()) for one in signals[:1]]
    return Part(
        label=kind or "no code",
        names=tuple(_code(one) for one in signals),
        sampling_rate_hz=1 / steps[0] if steps and steps[0] > 0 else 0.0,
        n_samples=max(lengths, default=0),
        read=lambda: _compare_times(series, _read_set(found, warnings, record=record)),
        kind=kind,
    )


def _compare_times(series: Element, raw: RawRecording) -> RawRecording:
    """Warn where a series of one set lasts otherwise by its own times than by its samples."""
    held, stated = raw.signals.shape[1] / raw.sampling_rate_hz, _stated_seconds(series)
    alone = len(series.findall("component/sequenceSet")) == 1
    if not alone or not 0 < stated < _LONGEST_S or abs(stated - held) <= max(_ROUNDED_S, held / 5):
        return raw
    text = f"it lasts {stated:g} s by its effectiveTime and {held:g} s by its samples and increment"
    return raw._replace(warnings=(*raw.warnings, ("rate_doubtful", text)))


def _stated_seconds(series: Element) -> float:
    """Return how long a series lasts by its effectiveTime, 0 where it does not say so."""
    ends = [series.find(f"effectiveTime/{name}") for name in ("low", "high")]
    found = [_SECOND.match("" if end is None else end.get("value") or "") for end in ends]
    try:
        times = [datetime.datetime.strptime(one[1], "%Y%m%d%H%M%S") for one in found if one]
    except ValueError:
        return 0.0
    return (times[1] - times[0]).total_seconds() if len(times) == len(ends) else 0.0


def _code(sequence: Element) -> str:
    """Return the code of a sequence, or its plain name where that alone is a lead."""
    stated, shown = _names(sequence)
    return shown if known_lead(stated) is None and known_lead(shown) else stated


def _names(sequence: Element) -> tuple[str, str]:
    """Return code and plain name of a sequence, empty where it has none."""
    code = sequence.find("code")
    if code is None:
        return "", ""
    return (code.get("code") or "").strip(), (code.get("displayName") or "").strip()


def _check_names(sequence: Element, *, record: str) -> None:
    """Refuse a lead that is another one by its plain name than by its code."""
    code, shown = map(known_lead, _names(sequence))
    if code and shown and code != shown:
        raise invalid(f"a lead is {code} by its code and {shown} by its name", record=record)


def _step(sequence: Element) -> float:
    """Return the time increment in seconds for the list of parts, 0 where there is none."""
    found = sequence.find("value/increment")
    if found is None:
        return 0.0
    return loose_number(found.get("value")) * _SECONDS.get(found.get("unit") or "", 0.0)


def _read_set(found: Element, warnings: Warnings, *, record: str) -> RawRecording:
    rate, leads, ignored = 0.0, [], []
    for sequence in found.findall("component/sequence"):
        name = _code(sequence) or _attribute(sequence, "code", "code", record=record)
        if name in _TIME:
            found_rate = _rate(sequence, record=record)
            if rate and found_rate != rate:
                problem = f"it has times at {rate:g} and at {found_rate:g} Hz; expected one rate"
                raise RecordError("rate_invalid", record=record, problem=problem)
            rate = found_rate
        elif known_lead(name) is None:
            ignored.append(name)
        else:
            _check_names(sequence, record=record)
            leads.append((name, *_signal(sequence, name, record=record)))
    if (not leads and not ignored) or len(leads) > MAX_SIGNALS:
        raise invalid("it has no leads", record=record)
    if len({len(signal) for _, signal, _ in leads}) > 1:
        listed = ", ".join(f"{name} {len(signal)}" for name, signal, _ in leads)
        raise invalid(f"its leads have different lengths ({listed[:200]})", record=record)
    if not any(_code(one) in _TIME for one in found.iter("sequence")):
        problem = f"it has no sequence of times ({' or '.join(_TIME)}), so states no sampling rate"
        raise RecordError("rate_invalid", record=record, problem=problem)
    check_rate(rate, record=record)
    check_extent(len(leads), len(leads[0][1]) if leads else 0, rate, record=record)
    signals = np.stack([one for _, one, _ in leads]) if leads else np.empty((0, 0))
    return RawRecording(
        names=tuple(name for name, _, _ in leads),
        signals=signals,
        units=tuple(unit for _, _, unit in leads),
        sampling_rate_hz=rate,
        warnings=warnings,
        ignored=tuple(ignored),
    )


def _attribute(element: Element, path: str, name: str, *, of: str = "", record: str) -> str:
    child = element.find(path)
    value = None if child is None else (child.get(name) or "").strip()
    if not value:
        whose = f" of {of[:40]}" if of else ""
        raise invalid(f"{element.tag}/{path}{whose} states no {name}", record=record)
    return value


def _rate(sequence: Element, *, record: str) -> float:
    """Return the rate in Hz from the time sequence's increment."""
    step = _attribute(sequence, "value/increment", "value", record=record)
    unit = _attribute(sequence, "value/increment", "unit", record=record)
    if unit not in _SECONDS:
        problem = f"the time increment is {step[:20]} {unit[:20]}; expected it in s, ms or us"
        raise RecordError("rate_invalid", record=record, problem=problem)
    seconds = number(step, what="the time increment", record=record) * _SECONDS[unit]
    if seconds <= 0:
        problem = f"the time increment is {step[:20]} {unit[:20]}; expected one above 0"
        raise RecordError("rate_invalid", record=record, problem=problem)
    # 0.002 s is 500 Hz, not 499.99999999999994
    return round(1 / seconds, 6) if seconds > 1e-9 else 0.0


def _ratio(of: str, to: str, name: str, *, record: str) -> float:
    """Return how many units of the scale one unit of the origin is."""
    if of == to:
        return 1.0
    mv, scale_mv = mv_per_unit(of), mv_per_unit(to)
    if mv is None or scale_mv is None:
        problem = f"the origin of {name} is in {of[:20]!r}, its scale in {to[:20]!r}"
        raise invalid(f"{problem}; expected mV, uV or V for both", record=record)
    return mv / scale_mv


def _signal(sequence: Element, name: str, *, record: str) -> tuple[npt.NDArray[np.float64], str]:
    """Return one lead in the unit of its scale, and that unit."""
    text = _attribute(sequence, "value/scale", "value", of=name, record=record)
    unit = _attribute(sequence, "value/scale", "unit", of=name, record=record)
    scale = number(text, what=f"the scale of {name}", record=record)
    gain = 1 / scale if scale > 0 else 0.0
    check_gain(gain, record=record, text=f"{text} {unit} per count", of=name)
    origin = _attribute(sequence, "value/origin", "value", of=name, record=record)
    offset = number(origin, what=f"the origin of {name}", record=record)
    other = _attribute(sequence, "value/origin", "unit", of=name, record=record)
    offset *= _ratio(other, unit, name, record=record)
    digits = text_of(sequence, "value/digits", record=record)
    words = digits.split()
    try:
        if _OTHER_SIGNS.search(digits):
            raise ValueError("signs that are no part of a plain number")
        return np.array(words, dtype=np.float64) * scale + offset, unit
    except ValueError as error:
        odd = next((word for word in words if not _PLAIN.fullmatch(word)), "")
        problem = (
            f"the digits of {name} hold {odd[:40]!r}; expected numbers without exponent, with "
            "blanks between them"
        )
        raise invalid(problem, record=record) from error
