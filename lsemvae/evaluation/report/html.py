"""Make a page, its figures and its numbers of sections, whatever they are about."""

import re
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from lsemvae.core.files import write_bytes
from lsemvae.evaluation.report.blocks import Picture, Section, Table, Text, described
from lsemvae.evaluation.statistics.json_values import to_json

NO_BREAK = "\N{NO-BREAK SPACE}"
LONG_NAME = re.compile(r"[A-Za-z_][\w.]{15,}")
AFTER = re.compile(r"(?<=[A-Za-z0-9])([_.])(?=[A-Za-z])")
TYPED = re.compile(r"`([^`]+)`")
INTERVAL = re.compile(r"\[[^\[\]]*\]|\S+ ± \S+|\d+ %")


def render_page(title: str, sections: Sequence[Section], beside: Sequence[str]) -> str:
    """Return the page, which needs no other file.

    Args:
        title: of the page.
        sections: in their order; the first stands above the list of the others.
        beside: what else lies in the folder.
    """
    environment = Environment(
        loader=PackageLoader("lsemvae.evaluation", "templates"),
        autoescape=True,  # by the name .html.j2 jinja2 would not know that it is HTML
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["groupby_kind"] = lambda blocks: [
        (kind, list(alike)) for kind, alike in groupby(blocks, lambda block: type(block).__name__)
    ]
    environment.filters["unbroken"] = unbroken
    environment.filters["broken_well"] = broken_well
    environment.filters["with_code"] = with_code
    template = environment.get_template("report.html.j2")
    return template.render(title=title, sections=sections, beside=beside)


def unbroken(cell: str) -> str:
    """Return a cell whose intervals and `mean ± SD` stay on one line."""
    return INTERVAL.sub(lambda found: found[0].replace(" ", NO_BREAK), cell)


def broken_well(cell: str) -> Markup:
    """Return a cell of words; one that is a long name breaks only after `_` or `.`."""
    text = escape(unbroken(cell))
    return Markup(AFTER.sub(r"\1<wbr>", str(text))) if LONG_NAME.fullmatch(cell) else text


def with_code(text: str) -> Markup:
    """Return a text whose parts between backticks are set as what one types."""
    return Markup(TYPED.sub(r"<code>\1</code>", str(escape(text))))


def write_figures(sections: Sequence[Section], folder: Path) -> None:
    """Write every figure into a folder."""
    folder.mkdir(exist_ok=True)
    for section in sections:
        for block in section.blocks:
            if isinstance(block, Picture):
                write_bytes(folder / f"{block.name}.{block.kind}", block.content)


def sections_json(sections: Sequence[Section]) -> dict[str, Any]:
    """Return every number of the sections, and everything that their tables say."""
    return {
        section.anchor: {
            "title": section.title,
            "facts": to_json(section.facts),
            "texts": [block.text for block in section.blocks if isinstance(block, Text)],
            "tables": [described(block) for block in section.blocks if isinstance(block, Table)],
            "figures": [described(block) for block in section.blocks if isinstance(block, Picture)],
        }
        for section in sections
    }
