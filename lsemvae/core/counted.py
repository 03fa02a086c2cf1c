"""Write a count and what is counted: 1 patient, 2 patients."""


def counted(number: int, one: str, many: str = "") -> str:
    """Return a count with its noun, or with the words that follow it.

    Args:
        number: how many.
        one: what stands behind 1, such as "patient" or "record has".
        many: what stands behind other numbers; `one` with an s where nothing is given.
    """
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
