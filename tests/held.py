"""Tell whether a command writes its files while it holds their folder."""

import fcntl
import os
from pathlib import Path
from typing import Any

import pytest

from lsemvae.cli import main


def unheld_files(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Run a command; return the files that it gave a name while another process could have, too."""
    found, replace = [], os.replace

    def noted(source: Any, target: Any) -> None:
        if not any(_is_held(folder) for folder in Path(target).absolute().parents):
            found.append(Path(target).name)
        replace(source, target)

    monkeypatch.setattr(os, "replace", noted)
    assert main(arguments) == 0
    return found


def _is_held(folder: Path) -> bool:
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(opened)
    return False
