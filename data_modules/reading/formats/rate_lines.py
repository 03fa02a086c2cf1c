"""Find the sampling rate that lines of text above a table of signals state, in any usual words."""

import re
from collections.abc import Iterable, Iterator

_NUMBER = r"(\d{1,6}(?:[.,]\d{1,9})?(?:e-?\d)?)"
_BETWEEN = r"[^\w\n]{0,8}"
_TIME = r"(us|\u00b5s|\u03bcs|usec|microsec\w*|ms|msecs?|millisec\w*|s|secs?|seconds?)\b"
_HERTZ = re.compile(
    rf"\b(fs|s(?:ample|ampling)?[ _-]?(?:rate|freq(?:uency)?)|abtastrate)\b{_BETWEEN}"
    rf"(?:\(?(?:Hz|1/s)\)?{_BETWEEN})?{_NUMBER}\s*(kHz)?",
    re.IGNORECASE,
)
_STEP = re.compile(
    r"(?:\b(?:s(?:ample|ampling)[ _-]?(?:interval|period|time)|abtast(?:intervall|periode|zeit))\b"
    rf"|^\W*interval\s*=){_BETWEEN}(?:\(?{_TIME}\)?{_BETWEEN})?{_NUMBER}\s*(?:{_TIME})?",
    re.IGNORECASE,
)
_EACH = re.compile(rf"{_NUMBER}\s*{_TIME}\s*(?:/|per)\s*sample\b", re.IGNORECASE)
_PER_SECOND = re.compile(
    rf"{_NUMBER}\s*samples?\s*(?:/|per)\s*s(?:ec(?:ond)?)?\b"
    rf"|\bsamples?\s*(?:/|per)\s*s(?:ec(?:ond)?)?\b{_BETWEEN}{_NUMBER}",
    re.IGNORECASE,
)


def rates_of_lines(lines: Iterable[str]) -> Iterator[tuple[str, float]]:
    """Yield the sampling rates in Hz that lines of text above a table state, with their words.

    Args:
        lines: such as `Sampling rate: 500 Hz`, `Interval= 0.002 s`, `2 msec/sample`.
    """
    for line in lines:
        if (found := _HERTZ.search(line)) is not None:
            rate = _value(found[2]) * (1000 if found[3] else 1)
            yield f"{found[1]} {rate:g}", rate
        elif (found := _STEP.search(line)) is not None:
            yield from _of_step(found[0], found[2], found[1] or found[3])
        elif (found := _EACH.search(line)) is not None:
            yield from _of_step(found[0], found[1], found[2])
        elif (found := _PER_SECOND.search(line)) is not None:
            yield " ".join(found[0].split()), _value(found[1] or found[2])


def _of_step(words: str, number: str, unit: str | None) -> Iterator[tuple[str, float]]:
    """Yield the rate of a time from sample to sample, nothing where it has no unit or is 0."""
    if unit is None or _value(number) <= 0:
        return
    plain = unit.lower()
    micro = plain.startswith(("u", "\u00b5", "\u03bc", "mic"))
    size = 1e-6 if micro else 1e-3 if plain.startswith("m") else 1.0
    yield " ".join(words.split()), 1 / (_value(number) * size)


def _value(text: str) -> float:
    return float(text.replace(",", "."))
