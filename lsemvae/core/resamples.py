"""Bound how often patients are drawn for an interval."""

from lsemvae.core.errors import InputError

MOST_RESAMPLES = 100_000  # the ends of a 95 % interval are then known to about 0.01 of their SD


def check_resamples(option: str, n: int, *, least: int) -> None:
    """Refuse a number of draws that says nothing, or that would not end in any useful time.

    Args:
        option: as it is typed, without dashes.
        n: its value.
        least: below which an interval means nothing.

    Raises:
        InputError: the number is out of bounds.
    """
    if not least <= n <= MOST_RESAMPLES:
        raise InputError(f"--{option} must be in {least}..{MOST_RESAMPLES}, got {str(n)[:40]}")
