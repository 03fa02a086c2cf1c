"""Write a value and its limit with as many decimals as show on which side it lies."""

MOST_DECIMALS = 9


def told_apart(value: float, limit: float, least: int = 2) -> tuple[str, str]:
    """Return both as text; 0.528 and 0.531 are not written as 0.53 and 0.53.

    Args:
        value: compared with the limit.
        limit: a threshold, or where results are withheld.
        least: decimals where they tell the two apart, or where the two are equal.
    """
    known = range(least, MOST_DECIMALS + 1) if value != limit else ()
    texts = ((f"{value:.{n}f}", f"{limit:.{n}f}") for n in known)
    alike = f"{value:.{least}f}", f"{limit:.{least}f}"
    return next((pair for pair in texts if pair[0] != pair[1]), alike)
