"""Draw the flow diagram of a study as SVG: boxes, and beside them who was left out."""

from collections.abc import Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

WIDTH = 390  # of a phone; in print the diagram takes half a page's width
SIZE, LINE = 12.0, 15.0  # of the letters, and from line to line
PAD, GAP = 7.0, 16.0  # inside a box, and between boxes
RAIL, MAIN, SIDE = 7.0, 20.0, 218.0  # left edges: the line past an arm, boxes, side boxes
MAIN_WIDTH, SIDE_WIDTH = 182.0, WIDTH - SIDE - 1
FONT = "Verdana, DejaVu Sans, sans-serif"
INK, PAPER, SHADE = "#1c1c1c", "#ffffff", "#f3f3f3"


class Box(NamedTuple):
    """A step of the flow.

    Attributes:
        text: what is counted.
        counts: lines in bold, such as `n = 84 recordings`.
        left_out: lines of the side box before it, such as `42 paced rhythm`.
    """

    text: str
    counts: Sequence[str]
    left_out: Sequence[str] = ()


class _Placed(NamedTuple):
    """A box in its place: top, height, and the elements that draw it with its side box."""

    top: float
    height: float
    parts: list[str]

    @property
    def bottom(self) -> float:
        return self.top + self.height

    @property
    def middle(self) -> float:
        return self.top + self.height / 2


def flow_diagram(
    arms: Sequence[Sequence[Box]], trunk: Sequence[Box], title: str, warning: str = ""
) -> str:
    """Return an SVG of boxes from top to bottom.

    Args:
        arms: none, or chains of boxes that meet in the first box of the trunk; each stands below
            the one before.
        trunk: one box or more.
        title: of the picture, which is not drawn: a journal sets its own.
        warning: drawn above the boxes, so that it goes along with the picture.
    """
    parts: list[str] = []
    ends: list[_Placed] = []
    top = 1.0
    for arm in arms:
        placed = _chain(arm, top)
        parts += [part for one in placed for part in one.parts]
        ends.append(placed[-1])
        top = placed[-1].bottom + 2 * GAP
    last = _chain(trunk, top - GAP if arms else top)
    parts += [part for one in last for part in one.parts]
    meeting = last[0]
    if ends:
        parts.append(_arrow(_centre(), ends[-1].bottom, _centre(), meeting.top))
        parts += [_detour(end, meeting) for end in ends[:-1]]
    above = 2 * GAP if warning else 0.0
    height = last[-1].bottom + 1 + above
    if warning:
        parts.append(f'<text x="{MAIN:g}" y="{-GAP:g}" font-weight="bold">{escape(warning)}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 {-above:g} {WIDTH} {height:g}" '
        f'width="{WIDTH}" height="{height:g}" role="img" aria-label={quoteattr(title)}>\n'
        f"<title>{escape(title)}</title>\n"
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" '
        f'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="{INK}"/></marker></defs>\n'
        f'<g font-family="{FONT}" font-size="{SIZE:g}" fill="{INK}">\n'
        + "\n".join(parts) + "\n</g>\n</svg>\n"
    )  # fmt: skip


def _chain(boxes: Sequence[Box], top: float) -> list[_Placed]:
    """Place boxes below one another, with arrows between them and side boxes beside the arrows."""
    placed: list[_Placed] = []
    for box in boxes:
        parts: list[str] = []
        if placed:
            above = placed[-1].bottom
            side = _side(box.left_out)
            height = len(side) * LINE + 2 * PAD if side else 0.0
            top = above + (height + 2 * GAP if side else GAP)
            parts.append(_arrow(_centre(), above, _centre(), top))
            if side:
                middle = above + GAP + height / 2
                parts.append(_arrow(_centre(), middle, SIDE, middle))
                parts.append(_box(SIDE, above + GAP, SIDE_WIDTH, SHADE, side))
        lines = [(line, False) for line in wrapped(box.text, MAIN_WIDTH - 2 * PAD)]
        lines += [(line, True) for text in box.counts
                  for line in wrapped(text, MAIN_WIDTH - 2 * PAD, bold=True)]  # fmt: skip
        parts.append(_box(MAIN, top, MAIN_WIDTH, PAPER, lines))
        placed.append(_Placed(top, len(lines) * LINE + 2 * PAD, parts))
    return placed


def _side(left_out: Sequence[str]) -> list[tuple[str, bool]]:
    return [(line, False) for text in left_out for line in wrapped(text, SIDE_WIDTH - 2 * PAD)]


def _box(
    left: float, top: float, width: float, fill: str, lines: Sequence[tuple[str, bool]]
) -> str:
    height = len(lines) * LINE + 2 * PAD
    drawn = [f'<rect x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" rx="3" '
             f'fill="{fill}" stroke="{INK}"/>']  # fmt: skip
    for number, (line, bold) in enumerate(lines):
        base = top + PAD + number * LINE + SIZE * 0.95
        weight = ' font-weight="bold"' if bold else ""
        drawn.append(f'<text x="{left + PAD:g}" y="{base:g}"{weight}>{escape(line)}</text>')
    return "\n".join(drawn)


def _centre() -> float:
    return MAIN + MAIN_WIDTH / 2


def _arrow(x: float, y: float, to_x: float, to_y: float) -> str:
    return _line(f"M{x:g} {y:g} {to_x:g} {to_y:g}")


def _detour(start: _Placed, end: _Placed) -> str:
    """Lead from a box down the left edge, past the arms below it, to where they meet."""
    return _line(f"M{MAIN:g} {start.middle:g}H{RAIL:g}V{end.middle:g}H{MAIN:g}")


def _line(path: str) -> str:
    return f'<path d="{path}" fill="none" stroke="{INK}" marker-end="url(#tip)"/>'


def wrapped(text: str, width: float, *, bold: bool = False) -> list[str]:
    """Break a text into lines that are no wider than asked for; a longer word stands alone.

    Args:
        text: to break at its blanks.
        width: in units of the picture.
        bold: whether its letters are.
    """
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, bold=bold) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def text_width(text: str, *, bold: bool = False) -> float:
    """Return the width of a text in DejaVu Sans, which is one of the widest of its kind."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal", size=SIZE)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width)
