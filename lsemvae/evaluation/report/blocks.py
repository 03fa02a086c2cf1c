"""Hold the parts that a section of the report is made of."""

import base64
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd
from matplotlib.figure import Figure

from lsemvae.core.figure_files import draw_figure

Kind = Literal["svg", "png"]
MIME = {"svg": "image/svg+xml", "png": "image/png"}
DPI = 130


@dataclass(frozen=True)
class Text:
    """A paragraph.

    Attributes:
        text: of it.
        kind: plain; note for what is not available; warning for what nobody may overlook; verbatim
            for a file of several lines that is quoted word by word.
    """

    text: str
    kind: Literal["plain", "note", "warning", "verbatim"] = "plain"


@dataclass(frozen=True)
class Table:
    """A table of text cells.

    Attributes:
        caption: names the data.
        header: names of the columns.
        rows: as wide as the header; the first cell of each names the row.
        wrap: whether cells hold sentences rather than numbers.
        bold: places (row, column) of cells in bold.
        underlined: places of underlined cells.
        links: addresses that cells lead to, by place.
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    wrap: bool = False
    bold: frozenset[tuple[int, int]] = frozenset()
    underlined: frozenset[tuple[int, int]] = frozenset()
    links: Mapping[tuple[int, int], str] = field(default_factory=dict)

    @property
    def words(self) -> list[int]:
        """Columns that hold words, most of their cells; they are set flush left."""
        return [number for number in range(len(self.header)) if self._are_words(number)]

    def _are_words(self, number: int) -> bool:
        cells = [str(row[number]) for row in self.rows if row[number]]
        return 2 * sum(_is_words(cell) for cell in cells) > len(cells)


def _is_words(cell: str) -> bool:
    """Tell words (`Youden`, `90 % sensitivity`), also of a range (`40-49`), from a number."""
    return cell[0].isalpha() or re.search(r"[^\W\d_]{4}|^\d+-\d+$", cell) is not None


def frame_table(
    caption: str, frame: pd.DataFrame, *, bold: pd.DataFrame | None = None,
    underlined: pd.DataFrame | None = None,
) -> Table:  # fmt: skip
    """Return a table of text cells with the columns of a data frame.

    Args:
        caption: of the table.
        frame: its cells.
        bold: which cells are bold, of the frame's columns; none by default.
        underlined: which are underlined; none by default.
    """
    cells = frame.astype(str).to_numpy().tolist()
    places = (_places(bold), _places(underlined))
    return Table(
        caption, [str(name) for name in frame.columns], cells, bold=places[0], underlined=places[1]
    )


def _places(marks: pd.DataFrame | None) -> frozenset[tuple[int, int]]:
    if marks is None:
        return frozenset()
    rows, columns = marks.to_numpy(dtype=bool).nonzero()
    return frozenset(zip(rows.tolist(), columns.tolist(), strict=True))


@dataclass(frozen=True)
class Picture:
    """A figure with its caption and its text for those who cannot see it.

    Attributes:
        name: of the file that it is kept in, without extension.
        content: of that file.
        kind: svg or png.
        caption: names the data.
        alt: what it shows, in words.
        wide: whether it needs the whole width of the page.
    """

    name: str
    content: bytes
    kind: Kind
    caption: str
    alt: str
    wide: bool = False

    @property
    def source(self) -> str:
        """The picture as a data address that an HTML page can hold."""
        return f"data:{MIME[self.kind]};base64,{base64.b64encode(self.content).decode()}"


Block = Text | Table | Picture


@dataclass(frozen=True)
class Section:
    """One part of the report.

    Attributes:
        anchor: its name in addresses and in report.json.
        title: its heading.
        blocks: what is shown, in order.
        facts: plain values behind it, for report.json.
        answers: names of `tripod.fact_names` that it answers.
    """

    anchor: str
    title: str
    blocks: Sequence[Block] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    answers: Sequence[str] = ()


def draw(
    figure: Figure, name: str, *, caption: str, alt: str, kind: Kind = "svg", wide: bool = False
) -> Picture:
    """Return a figure as a picture; recordings are smaller as PNG, curves sharper as SVG."""
    buffer = io.BytesIO()
    draw_figure(figure, buffer, kind, name, dpi=DPI)
    return Picture(name, buffer.getvalue(), kind, caption, alt, wide)


def described(block: Table | Picture) -> dict[str, Any]:
    """Return a table or a picture for report.json."""
    if isinstance(block, Table):
        return {"caption": block.caption, "header": list(block.header),
                "rows": [list(row) for row in block.rows]}  # fmt: skip
    return {
        "caption": block.caption,
        "alt": block.alt,
        "file": f"figures/{block.name}.{block.kind}",
    }
