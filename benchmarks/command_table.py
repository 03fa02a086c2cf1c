"""Write the table of commands into the README, from the docstrings of the commands."""

import argparse
from pathlib import Path

from lsemvae.command_table import markdown_table

START, END = "<!-- made by lsemvae.command_table -->\n\n", "\n\n<!-- end -->"


def with_table(page: str) -> str:
    """Return a page with the table of now between its two marks."""
    before, start, rest = page.partition(START)
    _, end, after = rest.partition(END)
    return before + start + markdown_table() + end + after


def main() -> None:
    """Rewrite the page that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path)
    page: Path = parser.parse_args().page
    page.write_text(with_table(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
