"""Put what a program made into its marked place of a page in docs/."""

from pathlib import Path

END = "<!-- end -->"


def begin(program: str) -> str:
    """Return the mark in front of what a program makes."""
    return f"<!-- made by python -m {program} -->"


def put(page: str, program: str, made: str) -> str:
    """Return the page with its marked part replaced.

    Raises:
        ValueError: the page lacks the marks.
    """
    before, mark, rest = page.partition(begin(program))
    _, end, after = rest.partition(END)
    if not (mark and end):
        raise ValueError(f"the page has no place marked {begin(program)} ... {END}")
    return f"{before}{mark}\n\n{made.strip()}\n\n{END}{after}"


def update(file: Path, program: str, made: str) -> None:
    """Do the same to a file."""
    file.write_text(put(file.read_text(), program, made))
