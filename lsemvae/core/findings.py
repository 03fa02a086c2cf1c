"""Hold what a check found, and show it."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from lsemvae.core.counted import counted
from lsemvae.core.files import replacing
from lsemvae.core.printable import printable, spreadsheet_cell

MAX_SHOWN, MAX_ALIKE = 8, 4  # places of a finding, findings of the same words
_VALUE = re.compile(r"'[^']*'|[-+]?\d[\d.,:eE+-]*")


class FindingsFoundError(Exception):
    """End a command whose findings are printed with exit code 1, for scripts."""


class Finding(NamedTuple):
    """One thing that looks wrong.

    Attributes:
        check: short name of the check, the same for all that it finds.
        where: the rows or cells that it is about.
        message: what was found and what was expected.
    """

    check: str
    where: tuple[str, ...]
    message: str


def describe_findings(findings: Sequence[Finding]) -> str:
    """Return the findings as text for people, grouped by check in the order of their coming."""
    if not findings:
        return "nothing was found"
    lines = [counted(len(findings), "finding")]
    for check in dict.fromkeys(finding.check for finding in findings):
        lines.append(check)
        lines += _lines([finding for finding in findings if finding.check == check])
    return printable("\n".join(lines))


def _lines(findings: Sequence[Finding]) -> list[str]:
    """Return a line for each finding, one for all that differ in place and value only."""
    alike: dict[str, list[Finding]] = {}
    for finding in findings:
        alike.setdefault(_VALUE.sub("#", finding.message), []).append(finding)
    lines = []
    for same in alike.values():
        if len(same) > MAX_ALIKE:
            named = places([place for finding in same for place in finding.where])
            lines.append(f"  {named}; the first: {same[0].message}")
        else:
            lines += [f"  {places(finding.where)}: {finding.message}" for finding in same]
    return lines


def places(where: Sequence[str]) -> str:
    """Name the first of some places, and count the others."""
    more = len(where) - MAX_SHOWN
    return ", ".join(where[:MAX_SHOWN]) + (f" and {more} more" if more > 0 else "")


def write_findings(findings: Sequence[Finding], path: Path) -> None:
    """Write a CSV file with one line for each finding; places are separated by semicolons."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(Finding._fields)
        writer.writerows(
            (check, *(spreadsheet_cell(cell) for cell in ("; ".join(where), text)))
            for check, where, text in findings
        )
