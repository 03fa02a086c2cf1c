"""Read the JSON file beside a table of numbers that says what the numbers are."""

import math
from typing import Any, NamedTuple

from data_modules.reading.limits import check_gain, check_rate
from data_modules.reading.reasons import RecordError
from data_modules.reading.stated_numbers import refuse_quoted
from data_modules.reading.text_cells import decode_text
from lsemvae.core.json_text import parse_json

_NUMBERS = {"sampling_rate_hz": "rate_invalid", "counts_per_unit": "gain_invalid"}
_EXPECTED = 'such as {"leads": ["I", "II"], "sampling_rate_hz": 500, "unit": "mV"}'


class Layout(NamedTuple):
    """What a table of numbers does not say itself.

    Attributes:
        leads: the names of the columns (CSV) or rows (MATLAB); empty where a CSV file's first line
            has them.
        sampling_rate_hz: samples per second.
        unit: mV, uV or V.
        counts_per_unit: what one unit is in the table.
        variable: the MATLAB matrix, `NAME` or `STRUCT.FIELD`; empty for CSV.
        skip_lines: lines of text above the names or numbers of a CSV file.
        decimal: `,` or `.` where a CSV file leaves it unclear; empty tells it by the cells.
    """

    leads: tuple[str, ...]
    sampling_rate_hz: float
    unit: str
    counts_per_unit: float
    variable: str
    skip_lines: int = 0
    decimal: str = ""


def parse_layout(content: bytes, *, record: str) -> Layout:
    """Parse the JSON file that states leads, rate and unit.

    Raises:
        RecordError: a field is missing, of a wrong type, or not plausible.
    """
    try:
        stated: Any = parse_json(decode_text(content))
    except ValueError as error:
        raise _invalid(f"it is no JSON text ({str(error)[:80]})", record=record) from error
    known = Layout._fields
    if not isinstance(stated, dict):
        raise _invalid("it is no JSON object", record=record)
    if others := [str(name)[:40] for name in stated if name not in known]:
        problem = f"it has the field {', '.join(others)}; known are {', '.join(known)}"
        raise _invalid(problem, record=record)
    leads, unit, variable = _texts(stated, record=record)
    skip, decimal = stated.get("skip_lines", 0), stated.get("decimal", "")
    if isinstance(skip, bool) or not isinstance(skip, int) or not 0 <= skip <= 10_000:
        raise _invalid("skip_lines must be a whole number from 0", record=record)
    if decimal not in ("", ".", ","):
        raise _invalid('decimal must be "," or "."', record=record)
    refuse_quoted(stated, _NUMBERS, where="the layout file: ", record=record)
    rate, counts = stated.get("sampling_rate_hz"), stated.get("counts_per_unit", 1)
    rate_text = "" if rate is None else str(rate)[:40]
    rate_hz = check_rate(_as_number(rate), record=record, text=rate_text)
    per_unit = check_gain(_as_number(counts), record=record, text=f"counts_per_unit {counts}")
    return Layout(tuple(leads), rate_hz, unit, per_unit, variable, skip, decimal)


def _texts(stated: dict[str, Any], *, record: str) -> tuple[list[str], str, str]:
    """Return leads, unit and variable, of which the unit must be stated."""
    leads, unit = stated.get("leads", []), stated.get("unit")
    variable = stated.get("variable", "")
    if not isinstance(leads, list) or not all(isinstance(lead, str) for lead in leads):
        raise _invalid("leads must be a list of names", record=record)
    if isinstance(unit, list):
        raise _invalid("unit is a list; write one unit, and all leads in it", record=record)
    if not isinstance(unit, str):
        raise _invalid('it states no unit; write "mV", "uV" or "V"', record=record)
    if not isinstance(variable, str):
        raise _invalid("variable must be a name", record=record)
    return leads, unit, variable


def _as_number(value: object) -> float:
    """Return a JSON number, NaN for anything else; whole numbers may be of any size."""
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e15:
        return math.nan
    return float(value)


def _invalid(problem: str, *, record: str) -> RecordError:
    text = f"the layout file: {problem}; expected JSON {_EXPECTED}"
    return RecordError("file_invalid", record=record, problem=text)
