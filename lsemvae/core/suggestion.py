"""Suggest the known word that somebody may have meant."""

from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches
from itertools import takewhile
from operator import eq


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean ...?`, or nothing where no known word comes near.

    Hyphens in front and capital letters do not count: they would make `--run` like `--out`.
    """
    plain = {one.lstrip("-").casefold(): one for one in known}
    word = word.lstrip("-").casefold()
    alike = get_close_matches(word, list(plain), n=3)
    found = sorted(alike, key=lambda one: _likeness(word, one), reverse=True)
    return f"; did you mean {plain[found[0]]}?" if found else ""


def _likeness(word: str, known: str) -> tuple[float, int]:
    """Return how alike two words are and how far they begin alike: --leeds is --leads."""
    return SequenceMatcher(None, known, word).ratio(), sum(takewhile(bool, map(eq, known, word)))
