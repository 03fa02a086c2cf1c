"""Index TRIPOD+AI: where a report answers each item, and which gaps it leaves. Never a score.

Items: Collins et al., BMJ 2024;385:e078378, doi:10.1136/bmj-2023-078378, in our own short words.
"""

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from lsemvae.core.errors import InputError

FILE = Path(__file__).with_name("tripod_items.csv")
BY_AUTHORS = "to be written by the authors: no file of a run says it"


class TripodItem(NamedTuple):
    """An item of the list.

    Attributes:
        item: its number.
        section: of a paper.
        topic: in a word or two.
        asks: what has to be reported.
        facts: names of what a report must hold to answer it; none where only authors can.
    """

    item: str
    section: str
    topic: str
    asks: str
    facts: tuple[str, ...]


class TripodRow(NamedTuple):
    """An item with its answer.

    Attributes:
        item: its number.
        section: of a paper.
        topic: in a word or two.
        asks: what has to be reported.
        where: sections of the report that answer it, as anchors.
        gap: what is lacking; empty where nothing is.
    """

    item: str
    section: str
    topic: str
    asks: str
    where: tuple[str, ...]
    gap: str


@cache
def tripod_items() -> tuple[TripodItem, ...]:
    """Return all items in their order."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return tuple(
            TripodItem(
                row["item"], row["section"], row["topic"], row["asks"],
                tuple(name.strip() for name in row["facts"].split(";") if name.strip()),
            )
            for row in csv.DictReader(file)
        )  # fmt: skip


def fact_names() -> tuple[str, ...]:
    """Return the names of all facts that answer an item."""
    return tuple(dict.fromkeys(name for item in tripod_items() for name in item.facts))


def tripod_index(facts: Mapping[str, str]) -> list[TripodRow]:
    """Return where a report answers each item, and what it lacks.

    Args:
        facts: for each name of `fact_names` that the report holds, the anchor of its section, such
            as `#cohort`. What is absent or empty is a gap.

    Raises:
        InputError: a name that no item asks for.
    """
    unknown = sorted(set(facts) - set(fact_names()))
    if unknown:
        raise InputError(
            f"no item of TRIPOD+AI asks for {', '.join(unknown)}; known are "
            f"{', '.join(fact_names())}"
        )
    return [_row(item, facts) for item in tripod_items()]


def _row(item: TripodItem, facts: Mapping[str, str]) -> TripodRow:
    where = tuple(dict.fromkeys(facts[name] for name in item.facts if facts.get(name)))
    lacking = [name.replace("_", " ") for name in item.facts if not facts.get(name)]
    gap = "" if not lacking else f"the report lacks: {', '.join(lacking)}"
    return TripodRow(*item[:4], where, gap if item.facts else BY_AUTHORS)
