"""Write numbers of a summary as people read them, and reasons in place of numbers."""

from collections.abc import Mapping
from typing import Any

from lsemvae.evaluation.report.blocks import Text

NONE = "not available"


def number(value: float | None, digits: int = 3) -> str:
    """Return a number, or that there is none."""
    return NONE if value is None else f"{value:.{digits}f}"


def percent(value: float | None, digits: int = 1) -> str:
    """Return a share in percent."""
    return NONE if value is None else f"{100 * value:.{digits}f} %"


def estimate(found: Mapping[str, Any], digits: int = 3, *, signed: bool = False) -> str:
    """Return `value [low, high]` of an `Estimate`; without an interval the reason instead."""
    sign = "+" if signed else ""
    if found["value"] is None:
        return f"{NONE}: {found['method']}"
    value = f"{found['value']:{sign}.{digits}f}"
    if found["low"] is None or found["high"] is None:
        return f"{value} (no interval: {found['method']})"
    return f"{value} [{found['low']:{sign}.{digits}f}, {found['high']:{sign}.{digits}f}]"


def interval(found: Mapping[str, Any], digits: int = 3, *, signed: bool = False) -> str:
    """Return the interval of an `Estimate` alone."""
    sign = "+" if signed else ""
    if found["low"] is None or found["high"] is None:
        return NONE
    return f"[{found['low']:{sign}.{digits}f}, {found['high']:{sign}.{digits}f}]"


def p_value(p: float | None) -> str:
    """Return a p-value."""
    if p is None:
        return NONE
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def reason(part: Any) -> str:
    """Return why a part of a summary is not available, empty where it is."""
    return str(part["unavailable"]) if isinstance(part, Mapping) and "unavailable" in part else ""


def or_none(found: Mapping[str, Any], digits: int = 3) -> str:
    """Return an estimate, or the reason why there is none."""
    return f"{NONE}: {reason(found)}" if reason(found) else estimate(found, digits)


def unavailable(what: str, why: str) -> Text:
    """Return the paragraph that stands where a statistic would."""
    return Text(f"{what}: not available: {why}", "note")


def grouped(reasons: Mapping[str, str]) -> list[Text]:
    """Return one paragraph for each reason, with everything that it is the reason for."""
    by_reason: dict[str, list[str]] = {}
    for what, why in reasons.items():
        by_reason.setdefault(why, []).append(what)
    return [unavailable("; ".join(names), why) for why, names in by_reason.items()]
