"""Compare a layout file with what the file of numbers beside it tells itself."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from data_modules.reading.formats.layout import Layout
from data_modules.reading.formats.rate_lines import rates_of_lines
from data_modules.reading.lead_names import known_lead
from data_modules.reading.parts import SHORTEST_RHYTHM_S
from data_modules.reading.reasons import RecordError
from data_modules.reading.units import mv_per_unit

_RATE_NAME = re.compile(
    r"fs(hz)?|fsamp|sr|srate|sfreq|adfreq|sampl(e|ing)(rate|freq|frequency)(hz)?"
)
_STEP_NAME = re.compile(r"dt|isi|sampl(e|ing)(interval|period|time)(ms|us|s|sec)?|deltat")
_UNIT_LINE = re.compile(
    r"\b(?:units?(?:[ _]?names?)?|einheit)\b[^\w\n]{0,8}(\w{1,12})", re.IGNORECASE
)
_UNIT_NAMES = ("unit", "units", "sig_units", "signal_unit", "signal_units", "amplitude_unit")
_PLAUSIBLE_HZ = (50.0, 5000.0)
_TOLERANCE = 0.01
_MOST_MV = 20.0  # from peak to peak, more than any heart gives


def is_rate_name(name: str) -> bool:
    """Whether a number of this name tells the rate: `fs`, `Sampling_Rate (Hz)`, `dt`, `isi`."""
    return bool(_RATE_NAME.fullmatch(_letters(name))) or _is_step_name(name)


def _is_step_name(name: str) -> bool:
    """Whether a number of this name is a time from one sample to the next."""
    return _STEP_NAME.fullmatch(_letters(name)) is not None


def _letters(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


def check_stated_rates(stated: Iterable[tuple[str, float]], layout: Layout, *, record: str) -> None:
    """Refuse a file that states another sampling rate than its layout.

    Args:
        stated: names and values of single numbers of the file; others than rates, and times from
            one sample to the next in s, ms or us, do not count.
        layout: of the file.
        record: the record as the user names it.

    Raises:
        RecordError: `rate_invalid`.
    """
    for name, value in stated:
        rates = [value] if is_rate_name(name) else []
        if _is_step_name(name):
            rates = [size / value for size in (1.0, 1e3, 1e6)] if value > 0 else []
        if rates:
            _compare_rates(f"{name[:40]} {value:g}", rates, layout, record=record)


def check_rate_lines(lines: Iterable[str], layout: Layout, *, record: str) -> None:
    """Refuse a table whose lines of text above it state another sampling rate than its layout.

    Raises:
        RecordError: `rate_invalid`.
    """
    for words, rate in rates_of_lines(lines):
        _compare_rates(words, [rate], layout, record=record)


def _compare_rates(words: str, rates: list[float], layout: Layout, *, record: str) -> None:
    """Refuse a stated rate; a number that can be several must be one of them."""
    plausible = [rate for rate in rates if _PLAUSIBLE_HZ[0] <= rate <= _PLAUSIBLE_HZ[1]]
    if plausible and all(abs(one / layout.sampling_rate_hz - 1) > _TOLERANCE for one in plausible):
        problem = (
            f"the file states {words}, the layout {layout.sampling_rate_hz:g} Hz; "
            "correct the wrong one"
        )
        raise RecordError("rate_invalid", record=record, problem=problem)


def check_packing(packing: tuple[float, float], layout: Layout, *, record: str) -> None:
    """Refuse a file that states another size of its numbers than its layout, or another zero.

    Args:
        packing: the file's `scale_factor` and `add_offset`; 1 and 0 state nothing.
        layout: of the file.
        record: the record as the user names it.

    Raises:
        RecordError: `gain_invalid`.
    """
    scale, zero = packing
    other = scale != 1 and not abs(scale * layout.counts_per_unit - 1) <= _TOLERANCE
    if other or zero != 0:
        problem = (
            f"the file states scale_factor {scale:g} and add_offset {zero:g}, the layout "
            f"{layout.counts_per_unit:g} counts for each {layout.unit[:10]}; write "
            "counts_per_unit as 1 / scale_factor, or save the numbers themselves"
        )
        raise RecordError("gain_invalid", record=record, problem=problem)


def check_stated_unit(unit: str, layout: Layout, *, record: str) -> None:
    """Refuse a file that states another unit than its layout, of numbers that are not scaled.

    Raises:
        RecordError: `unit_unknown`.
    """
    sizes = mv_per_unit(unit), mv_per_unit(layout.unit)
    if layout.counts_per_unit == 1 and None not in sizes and sizes[0] != sizes[1]:
        problem = (
            f"the file states the unit {unit[:20]}, the layout {layout.unit[:20]}; correct the "
            "wrong one"
        )
        raise RecordError("unit_unknown", record=record, problem=problem)


def check_stated_leads(names: Sequence[str], layout: Layout, *, record: str) -> None:
    """Refuse a file that lists the leads of its layout in another order.

    Args:
        names: a list of texts in the file, or one text that lists them; any but one of leads does
            not count.
        layout: of the file.
        record: the record as the user names it.

    Raises:
        RecordError: `file_invalid`.
    """
    listed = re.split(r"[\s,;|]+", names[0].strip()) if len(names) == 1 else names
    stated, wanted = tuple(map(known_lead, listed)), tuple(map(known_lead, layout.leads))
    if stated != wanted and None not in stated and len(stated) == len(wanted) > 1:
        problem = (
            f"the file lists its leads as {', '.join(listed)[:100]}, the layout as "
            f"{', '.join(layout.leads)[:100]}; correct the wrong one"
        )
        raise RecordError("file_invalid", record=record, problem=problem)


def is_unit_name(name: str) -> bool:
    """Whether a text of this name is a unit of the samples."""
    return name.lower() in _UNIT_NAMES


def check_unit_lines(lines: Iterable[str], layout: Layout, *, record: str) -> None:
    """Refuse a table whose lines of text above it state another unit than its layout.

    Raises:
        RecordError: `unit_unknown`.
    """
    for line in lines:
        found = _UNIT_LINE.search(line)
        # a line that is a unit alone, as below the name of each channel
        check_stated_unit(line if found is None else found[1], layout, record=record)


def check_whole(counts: npt.NDArray[np.generic], layout: Layout, *, record: str) -> None:
    """Refuse counts of a converter for which the layout states no gain.

    Whole numbers that span more than 20 mV, at one for each mV or V, are no voltages of a heart.

    Args:
        counts: (L, T) as stored.
        layout: of the file.
        record: the record as the user names it.

    Raises:
        RecordError: `gain_invalid`.
    """
    size = mv_per_unit(layout.unit)
    if layout.counts_per_unit != 1 or size is None or size < 1:
        return
    numbers = np.asarray(counts, dtype=np.float64)
    finite = numbers[np.isfinite(numbers)]
    if finite.size and np.ptp(finite) * size > _MOST_MV and (finite == np.rint(finite)).all():
        problem = (
            f"its samples are whole numbers from {finite.min():g} to {finite.max():g}, counts of a "
            f"converter, not {layout.unit[:10]}; write into the layout how many of them are one "
            f"{layout.unit[:10]}, as counts_per_unit"
        )
        raise RecordError("gain_invalid", record=record, problem=problem)


def only_with_leads(shapes: Mapping[str, tuple[int, ...]], layout: Layout) -> str:
    """Return the name of the only array that can be a recording, empty where none or several can.

    Args:
        shapes: of the arrays of numbers, by name.
        layout: says how many leads there are, and the sampling rate.
    """
    fitting = [name for name, shape in shapes.items() if holds_leads(shape, len(layout.leads))]
    found = without_templates(fitting, shapes, layout)
    return found[0] if len(found) == 1 else ""


def without_templates(
    names: list[str], shapes: Mapping[str, tuple[int, ...]], layout: Layout
) -> list[str]:
    """Leave out what is too short for a rhythm among several arrays of all leads: a median beat."""
    shortest = SHORTEST_RHYTHM_S * layout.sampling_rate_hz * len(layout.leads)
    return [name for name in names if len(names) == 1 or math.prod(shapes[name]) >= shortest]


def holds_leads(shape: tuple[int, ...], n_leads: int) -> bool:
    """Return whether an array has one axis of leads and one of samples."""
    axes = [size for size in shape if size != 1]
    return len(axes) == 2 and axes.count(n_leads) == 1
