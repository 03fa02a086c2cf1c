"""Read numbers and checksums as files write them; what could mean two things is refused."""

import math
import re
from collections.abc import Mapping, Sequence

from data_modules.reading.reasons import RecordError

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?", re.ASCII)


def invalid(problem: str, *, record: str) -> RecordError:
    """Return the error of a file that breaks the rules of its kind."""
    problem = f"{problem}; correct it in the file, or export another kind of file"
    return RecordError("file_invalid", record=record, problem=problem)


def wrong_size(problem: str, *, record: str) -> RecordError:
    """Return the error of a file that is shorter or longer than it declares."""
    problem = f"{problem}; copy it again if the source's own file differs, else export it anew"
    return RecordError("size_mismatch", record=record, problem=problem)


def refuse_quoted(
    stated: Mapping[str, object], fields: Mapping[str, str], *, where: str, record: str
) -> None:
    """Refuse numbers that a JSON file writes as text.

    Args:
        stated: the fields.
        fields: those that must be numbers, each with the code of its error.
        where: the beginning of the message.
        record: the record as the user names it.

    Raises:
        RecordError: the first of them.
    """
    for field, code in fields.items():
        value = stated.get(field)
        if isinstance(value, str):
            problem = f'{where}{field} is the text "{value[:20]}"; write the number without quotes'
            raise RecordError(code, record=record, problem=problem)


def number(text: str, *, what: str, record: str) -> float:
    """Read a finite number that a file must state.

    Args:
        text: the field, blanks and NUL around it allowed.
        what: the field by name, and whose it is.
        record: the record as the user names it.

    Raises:
        RecordError: `file_invalid`.
    """
    plain = text.strip(" \t\r\n\0")
    value = float(plain) if _NUMBER.fullmatch(plain) else math.nan
    if not math.isfinite(value):
        comma = " with a decimal point" if "," in plain else ""
        raise invalid(f"{what} is {plain[:40]!r}; expected a number{comma}", record=record)
    return value


def whole(text: str, *, what: str, record: str) -> int:
    """Read a whole number of at most nine digits that is not negative; `5000.0` is one.

    Raises:
        RecordError: `file_invalid`.
    """
    plain = text.strip(" \t\r\n\0")
    if not re.fullmatch(r"\+?\d{1,9}(\.0*)?", plain, re.ASCII):
        raise invalid(f"{what} is {plain[:20]!r}; expected a whole number", record=record)
    return int(float(plain))


def checksum(text: str) -> int | None:
    """Read a checksum: decimal, signed or not, or hexadecimal after `0x`; None where it is none."""
    plain = text.strip()
    if re.fullmatch(r"[-+]?\d{1,12}", plain, re.ASCII):
        return int(plain)
    return int(plain, 16) if re.fullmatch(r"0[xX][0-9a-fA-F]{1,8}", plain) else None


def none_computed(stated: Sequence[int], found: Sequence[int]) -> bool:
    """Tell whether every stated checksum is 0 and not every true one is: the writer left them out.

    Args:
        stated: checksums as the file states them.
        found: those of its samples.
    """
    return not any(stated) and any(found)
