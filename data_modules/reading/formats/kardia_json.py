"""Read recordings of AliveCor's Kardia as its interface gives them.

Fields by https://developers.kardia.com: `data.raw` holds `frequency` in Hz, `amplitudeResolution`
in nV and `samples` by lead. The signal that AliveCor filtered (`data.enhanced`) is not taken.
"""

import math
from typing import Any

import numpy as np

from data_modules.reading.limits import check_extent, check_rate
from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import RawRecording
from data_modules.reading.stated_numbers import invalid, refuse_quoted
from lsemvae.core.json_text import parse_json

LEAD_KEYS = {"leadI": "I", "leadII": "II", "leadIII": "III", "AVR": "aVR", "AVL": "aVL",
             "AVF": "aVF"}  # fmt: skip
NV_PER_MV = 1e6
_NUMBERS = {"frequency": "rate_invalid", "amplitudeResolution": "gain_invalid"}


def read_kardia(content: bytes, *, record: str) -> RawRecording:
    """Read the unfiltered leads.

    Args:
        content: the file.
        record: the record as the user names it.

    Raises:
        RecordError: a damaged file, or no rate or resolution.
    """
    raw = _part(_part(parse_kardia(content, record=record), "data", record), "raw", record)
    refuse_quoted(raw, _NUMBERS, where="", record=record)
    rate = check_rate(_number(raw, "frequency"), record=record, text=str(raw.get("frequency")))
    resolution = _number(raw, "amplitudeResolution")
    if not 0 < resolution < math.inf:
        problem = (
            f"amplitudeResolution is {str(raw.get('amplitudeResolution'))[:40]}; expected nV for "
            "each unit of the samples, such as 500"
        )
        raise RecordError("gain_invalid", record=record, problem=problem)
    samples = {key: values for key, values in _part(raw, "samples", record).items() if values}
    known = [key for key in LEAD_KEYS if key in samples]
    lengths = {len(samples[key]) if isinstance(samples[key], list) else -1 for key in known}
    if len(lengths) > 1 or -1 in lengths:
        raise invalid("its leads are no lists of one length", record=record)
    check_extent(max(len(known), 1), max(lengths, default=0), rate, record=record)
    try:
        signals = np.array([samples[key] for key in known], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise invalid("its samples are not all numbers", record=record) from error
    return RawRecording(
        names=tuple(LEAD_KEYS[key] for key in known),
        signals=signals.reshape(len(known), -1) * (resolution / NV_PER_MV),
        units=("mV",) * len(known),
        sampling_rate_hz=rate,
        ignored=tuple(str(key)[:40] for key in samples if key not in LEAD_KEYS),
    )


def parse_kardia(content: bytes, *, record: str) -> dict[str, Any]:
    """Return the recording as its interface gives it.

    Raises:
        RecordError: it is no JSON object.
    """
    try:
        found = parse_json(content)
    except ValueError as error:
        raise invalid(f"it is no JSON ({str(error)[:60]})", record=record) from error
    if not isinstance(found, dict):
        raise invalid("it is no JSON object", record=record)
    return found


def _part(whole: dict[str, Any], name: str, record: str) -> dict[str, Any]:
    part = whole.get(name)
    if not isinstance(part, dict):
        raise invalid(f"it has no {name}", record=record)
    return part


def _number(whole: dict[str, Any], name: str) -> float:
    value = whole.get(name)
    return float(value) if isinstance(value, int | float) and value is not True else math.nan
