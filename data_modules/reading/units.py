"""Read a unit of voltage however it is spelled; one that could mean two sizes stays unknown."""

import re
import unicodedata
from functools import lru_cache

_MV_PER = {"nano": 1e-6, "micro": 1e-3, "milli": 1.0, "": 1e3}
# Case decides between milli and mega alone: `MV` and `MVolt` are unknown. `NV` and `UV` have no
# larger reading.
_PREFIX = {"n": "nano", "N": "nano", "u": "micro", "U": "micro", "\u03bc": "micro", "m": "milli"}
_SHORT = re.compile(r"([nNuUm\u03bc]?)(?:[vV]|[vV]olts?)")
_LONG = re.compile(r"(nano|micro|milli)[ -]?v(?:olts?)?|volts?")
_MAX_UNIT = 40


@lru_cache(maxsize=1024)
def mv_per_unit(text: str | None) -> float | None:
    """Return how many mV a unit is, None where it is no unit of voltage or could be two.

    Args:
        text: the unit as a file writes it: `uV`, `\u00b5V`, `UV`, `microvolts`, `[mV]`.
    """
    if text is None or len(text) > _MAX_UNIT:
        return None
    # both code points of the mu become the Greek letter
    plain = unicodedata.normalize("NFKC", text).strip(" \t\"'\0")
    if plain[:1] + plain[-1:] in ("[]", "()"):
        plain = plain[1:-1].strip()
    if (short := _SHORT.fullmatch(plain)) is not None:
        return _MV_PER[_PREFIX.get(short[1], "")]
    long = _LONG.fullmatch(plain.lower())
    return _MV_PER[long[1] or ""] if long is not None else None


def unit_hint(unit: str | None) -> str:
    """Say what to do about a unit that is not accepted."""
    if unit is None:
        return "amplitude default_mv reads it as mV"
    if re.search(r"volt|v\b", unit, re.IGNORECASE):
        return "it could mean more than one size; write mV, uV or V into the file or its layout"
    return "amplitude arbitrary ignores it"
