"""Write pictures in one step, the same bytes for the same figure."""

from pathlib import Path
from typing import TYPE_CHECKING

from lsemvae.core.files import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DATES = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}


def save_figure(figure: "Figure", path: Path, *, dpi: float | None = None) -> None:
    """Write a figure without the time and without names by chance.

    Args:
        figure: what is drawn.
        path: its ending names the format.
        dpi: dots per inch, None for the figure's own.

    Raises:
        InputError: see `replacing`.
        ValueError: matplotlib knows no such format.
    """
    from matplotlib import rc_context

    with replacing(path) as temporary, rc_context({"svg.hashsalt": path.stem}):
        metadata = _DATES.get(path.suffix.lower())
        figure.savefig(temporary, dpi=dpi or "figure", metadata=metadata)
