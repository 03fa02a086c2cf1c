"""Read HL7 annotated ECGs (aECG, ANSI/HL7 V3 ECG R1-2004): samples as text."""

import re
from xml.etree.ElementTree import Element

import numpy as np
import numpy.typing as npt

from data_modules.reading.formats.xml_tree import invalid, number, parse_xml
from data_modules.reading.limits import MAX_SIGNALS, check_extent, check_gain, check_rate
from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import RawRecording

_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
_TIME = ("TIME_ABSOLUTE", "TIME_RELATIVE")
_NOT_INTEGERS = re.compile(r"[^0-9+\-\s]")


def read_hl7_aecg(content: bytes, *, record: str) -> RawRecording:
    """Read the rhythm series; derived series (representative beats) are left out.

    Args:
        content: the file.
        record: the record as the user names it.

    Raises:
        RecordError: the file is damaged, states too little, or holds leads recorded in turn.
    """
    root = parse_xml(content, record=record)
    series = [
        found
        for found in root.findall("component/series")
        if (code := found.find("code")) is not None and code.get("code") == "RHYTHM"
    ]
    sets = [found for one in series for found in one.findall("component/sequenceSet")]
    if len(sets) != 1:
        problem = f"it has {len(sets)} sets of rhythm sequences; expected one with all leads"
        raise RecordError("layout_unsupported", record=record, problem=problem)
    rate, leads = 0.0, []
    for sequence in sets[0].findall("component/sequence"):
        name = _attribute(sequence, "code", "code", record=record)
        if name in _TIME:
            rate = _rate(sequence, record=record)
        else:
            leads.append((name, *_signal(sequence, record=record)))
    if not leads or len({len(signal) for _, signal, _ in leads}) > 1 or len(leads) > MAX_SIGNALS:
        raise invalid("it has no leads, or leads of different lengths", record=record)
    check_rate(rate, record=record, text=f"{rate:g}" if rate else "")
    check_extent(len(leads), len(leads[0][1]), rate, record=record)
    return RawRecording(
        names=tuple(name for name, _, _ in leads),
        signals=np.stack([signal for _, signal, _ in leads]),
        units=tuple(unit for _, _, unit in leads),
        sampling_rate_hz=rate,
    )


def _attribute(element: Element, path: str, name: str, *, record: str) -> str:
    child = element.find(path)
    value = None if child is None else child.get(name)
    if not value:
        raise invalid(f"{element.tag}/{path} states no {name}", record=record)
    return value


def _rate(sequence: Element, *, record: str) -> float:
    """Return the rate in Hz from the time sequence's increment."""
    step = _attribute(sequence, "value/increment", "value", record=record)
    unit = _attribute(sequence, "value/increment", "unit", record=record)
    seconds = number(step, what="the time increment", record=record) * _SECONDS.get(unit, 0.0)
    # 0.002 s is 500 Hz, not 499.99999999999994
    return round(1 / seconds, 6) if seconds > 1e-9 else 0.0


def _signal(sequence: Element, *, record: str) -> tuple[npt.NDArray[np.float64], str]:
    """Return one lead in the unit of its scale, and that unit."""
    text = _attribute(sequence, "value/scale", "value", record=record)
    unit = _attribute(sequence, "value/scale", "unit", record=record)
    scale = number(text, what="the scale", record=record)
    check_gain(1 / scale if scale > 0 else 0.0, record=record, text=f"{text} {unit} per count")
    offset = number(
        _attribute(sequence, "value/origin", "value", record=record),
        what="the origin",
        record=record,
    )
    if _attribute(sequence, "value/origin", "unit", record=record) != unit:
        raise invalid("a lead's origin and scale have different units", record=record)
    digits = sequence.findtext("value/digits") or ""
    if _NOT_INTEGERS.search(digits):
        raise invalid("the digits of a lead are not whole numbers", record=record)
    try:
        counts = np.array(digits.split(), dtype=np.float64)
    except ValueError as error:
        raise invalid("the digits of a lead are not whole numbers", record=record) from error
    return counts * scale + offset, unit
