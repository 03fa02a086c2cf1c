"""Put the table of commands into its page when the site is built."""

from typing import Any

from lsemvae.command_table import markdown_table


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace the mark by the table, whose links are from docs/ here."""
    table = markdown_table().replace("(docs/", "(")
    return markdown.replace("<!-- table of commands -->", table)
