"""Tell what an ONNX file would read beside itself."""

import mmap
from pathlib import Path

_ELSEWHERE = b"\x0a\x08location"  # in protobuf the key that names a tensor's file


def keeps_weights_elsewhere(path: Path) -> bool:
    """Tell whether a graph takes weights from a second file, of which no digest tells."""
    if not path.stat().st_size:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(_ELSEWHERE) >= 0
