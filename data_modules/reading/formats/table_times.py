"""Compare a column of times in a text table with the sampling rate of its layout."""

import re
from decimal import Decimal

import numpy as np

from data_modules.reading.formats.table_start import TableStart, is_number, split_cells
from data_modules.reading.reasons import RecordError

_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
_TIME = re.compile(
    r"(?:(?:elapsed[ _]?)?(?:time|zeit|temps|tiempo|tempo|t))?[ _.,/(\[]*"
    r"(?P<unit>s|secs?|seconds?|sekunden|ms|msecs?|milliseconds?|us|\u03bcs|\u00b5s|microseconds?)?"
    r"[)\].]*",
    re.IGNORECASE,
)
_CLOCK_NAME = re.compile(
    r"(?:date[ _]?)?time(?:[ _]?stamp)?(?:[ _]?[mun]?s)?|epoch(?:[ _]?[mun]?s)?|unix[ _]?time"
    r"|date|clock|zeit(?:stempel)?|horodatage|hora|heure",
    re.IGNORECASE,
)
_CLOCK = re.compile(
    r"(?:(\d{4}-\d\d-\d\d)[T ])?(\d\d?):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?:Z|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_COUNTED = re.compile(
    r"(?:samples?|frame|index|idx|counter)[ _-]?(?:no|nr|number|num|index|idx|id)?\.?",
    re.IGNORECASE,
)
_SINCE_1970 = (Decimal(1), Decimal("1e-3"), Decimal("1e-6"), Decimal("1e-9"))
_YEAR_2000, _YEAR_2100 = 946_684_800, 4_102_444_800  # in seconds
_TOLERANCE = 0.01  # of the step: times rounded to milliseconds are right over many samples
_LEAST_ROWS = 100
_FEW = 0.01  # of the lines


def check_times(rows: dict[int, str], start: TableStart, rate_hz: float, *, record: str) -> None:
    """Refuse a table whose column of times tells another rate than the layout.

    A column of fewer than 100 samples tells nothing; clock times are as good as their last digit.

    Args:
        rows: lines of numbers.
        start: the columns' names and what divides the cells.
        rate_hz: of the layout.
        record: the record as the user names it.

    Raises:
        RecordError: `rate_invalid`.
    """
    ends = [[*rows.values()][place] for place in (0, -1)]
    _check_clock(ends, len(rows), start, rate_hz, record=record)
    for column, name in enumerate(start.names):
        if _COUNTED.fullmatch(name.strip()) and len(rows) >= _LEAST_ROWS:
            _check_steps(rows, start, column, record=record)
        found = _TIME.fullmatch(name.strip())
        cells = [split_cells(row, start.delimiter)[column] for row in ends]
        if not name or found is None or len(rows) < _LEAST_ROWS or not all(map(is_number, cells)):
            continue
        first, last = (float(cell.replace(",", ".")) for cell in cells)
        step = (last - first) / (len(rows) - 1)
        unit = _unit(found["unit"])
        # without a unit the column may also count samples
        sizes = [_UNITS[unit]] if unit else [*_UNITS.values(), 1 / rate_hz]
        if all(abs(step * size * rate_hz - 1) > _TOLERANCE for size in sizes):
            problem = (
                f"the column {name[:40]!r} goes on by {step:.4g} {unit} a sample, and the layout "
                f"states {rate_hz:g} Hz; correct the layout's rate, or the table where samples "
                "are missing"
            )
            raise RecordError("rate_invalid", record=record, problem=problem)
        _check_steps(rows, start, column, record=record)


def _check_steps(rows: dict[int, str], start: TableStart, column: int, *, record: str) -> None:
    """Refuse times or numbers of samples that go back, or stand still or jump in a few lines.

    Times of packets, which stand still in most lines, and rounded ones tell nothing.
    """
    cells = [split_cells(row, start.delimiter)[column].replace(",", ".") for row in rows.values()]
    if not all(map(is_number, cells)):
        return
    steps = np.diff(np.array(cells, dtype=np.float64))
    usual = np.median(steps)
    digits = max(len(cell.partition(".")[2]) for cell in cells)
    least = 2.0 * 10.0**-digits if "e" not in "".join(cells).lower() else 0.0
    back, still = steps < 0, (steps == 0) & (usual > least)
    jumps = (steps > 1.5 * usual + least) & (usual > 0)
    few = np.mean(still | jumps) <= _FEW
    odd = np.flatnonzero(back | (still | jumps if few else back))
    if len(odd):
        at = int(np.flatnonzero(back)[0] if back.any() else odd[0])
        how = "back" if back[at] else "on" if jumps[at] else "nowhere"
        why = "samples are missing" if jumps[at] else "lines are not in order, or stand twice"
        problem = (
            f"the column {start.names[column][:40]!r} goes {how} from {cells[at][:20]} to "
            f"{cells[at + 1][:20]} in line {[*rows][at + 1]}: {why}; export the table again"
        )
        raise RecordError("file_invalid", record=record, problem=problem)


def _check_clock(
    ends: list[str], n_rows: int, start: TableStart, rate_hz: float, *, record: str
) -> None:
    """Refuse a column of times of day that lasts another time than the samples at the rate."""
    for column, name in enumerate(start.names):
        if _CLOCK_NAME.fullmatch(name.strip()) is None or n_rows < _LEAST_ROWS:
            continue
        cells = [split_cells(row, start.delimiter)[column] for row in ends]
        lasted = _lasted(cells) or _counted_since_1970(cells)
        expected = (n_rows - 1) / rate_hz
        if lasted is None or lasted[0] < 0:
            continue
        lasts, exact = lasted
        if abs(lasts - expected) <= _TOLERANCE * expected + 1.01 * exact:
            continue
        problem = (
            f"the column {name[:40]!r} goes from {cells[0][:40]} to {cells[1][:40]}, {lasts:.4g} s;"
            f" the {n_rows} samples last {expected:.4g} s at the layout's {rate_hz:g} Hz; correct "
            "the layout's rate, or the table where samples are missing"
        )
        raise RecordError("rate_invalid", record=record, problem=problem)


def _lasted(cells: list[str]) -> tuple[float, float] | None:
    """Return the seconds between two times of one day, and those of their last digit."""
    found = [_CLOCK.fullmatch(cell) for cell in cells]
    if found[0] is None or found[1] is None or found[0][1] != found[1][1]:
        return None  # no clock, or over midnight
    first, last = (_seconds(one) for one in found if one)
    return last - first, 10.0 ** -min(len(one[5] or "") for one in found if one)


def _counted_since_1970(cells: list[str]) -> tuple[float, float] | None:
    """Return the same for numbers that are seconds, ms, us or ns since 1970 by their size."""
    if not all(map(is_number, cells)):
        return None
    first, last = (Decimal(cell.replace(",", ".")) for cell in cells)
    size = next((one for one in _SINCE_1970 if _YEAR_2000 < first * one < _YEAR_2100), None)
    if size is None:
        return None
    digits = min(len(cell.replace(",", ".").partition(".")[2]) for cell in cells)
    return float((last - first) * size), float(size) * 10.0**-digits


def _seconds(clock: re.Match[str]) -> float:
    """Return the seconds since midnight."""
    whole = 3600 * int(clock[2]) + 60 * int(clock[3]) + int(clock[4])
    return whole + float(f"0.{clock[5] or 0}")


def _unit(text: str | None) -> str:
    """Return s, ms, us, or nothing."""
    plain = (text or "").lower()
    if plain.startswith(("us", "\u03bcs", "\u00b5s", "micro")):
        return "us"
    return "ms" if plain.startswith("m") else "s" if plain else ""
