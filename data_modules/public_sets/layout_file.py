"""Write what the arrays of a public data set do not say: leads, rate and unit."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data_modules.reading.read import FOLDER_LAYOUT
from lsemvae.core.errors import InputError
from lsemvae.core.files import write_text
from lsemvae.core.printable import say


def ensure_layout(folder: Path, layout: Mapping[str, Any]) -> None:
    """Write layout.json beside the arrays, unless it is there.

    Raises:
        InputError: the folder cannot be written.
    """
    file = folder / FOLDER_LAYOUT
    if file.is_file():
        return
    text = json.dumps(layout)
    try:
        write_text(file, text + "\n")
    except OSError as error:
        raise InputError(
            f"{file} cannot be written ({error.strerror or error}); put it there yourself: {text}"
        ) from error
    say(f"note: wrote {file}: leads, {layout['sampling_rate_hz']} Hz, {layout['unit']}")
