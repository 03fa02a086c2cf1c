"""Write requirements/hashes.txt: the SHA-256 of every package of constraints.txt but torch.

Run `python -m benchmarks.pin_hashes` after a change of constraints.txt. pip's own resolver is asked
which file it would install here (`--dry-run`), so the digests are those of one platform: Python
3.11 on Linux, x86-64. Nothing is installed.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

CONSTRAINTS, HASHES = Path("constraints.txt"), Path("requirements/hashes.txt")
WITHOUT = ("torch",)  # its CPU wheel comes from an index of its own, as a local version
HEAD = """\
# SHA-256 of the packages of constraints.txt for Python 3.11 on Linux x86-64, made by
# `python -m benchmarks.pin_hashes`. Use, in a new environment:
#   pip install --no-deps --require-hashes -r requirements/hashes.txt
#   pip install --no-deps torch -c constraints.txt    (its CPU wheel has an index of its own)
#   pip install --no-deps -e .                        (this project has no hash)
"""


def pinned(text: str) -> dict[str, str]:
    """Return the versions of a file of constraints or requirements, by normal name."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s\\;]+)", text, re.MULTILINE)
    return {normal_name(name): version for name, version in found}


def normal_name(name: str) -> str:
    """Return the name of a package as indices compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def hashes_file(report: dict[str, Any]) -> str:
    """Return the requirements with hashes of a report of pip."""
    lines = []
    for one in report["install"]:
        meta, digest = one["metadata"], one["download_info"]["archive_info"]["hashes"]["sha256"]
        lines.append(
            f"{normal_name(meta['name'])}=={meta['version']} \\\n    --hash=sha256:{digest}\n"
        )
    return HEAD + "".join(sorted(lines))


def ask_pip(pins: dict[str, str]) -> dict[str, Any]:
    """Return pip's report of what it would install, without dependencies."""
    with tempfile.TemporaryDirectory() as folder:
        asked, report = Path(folder) / "pins.txt", Path(folder) / "report.json"
        asked.write_text("".join(f"{name}=={version}\n" for name, version in pins.items()))
        command = [
            sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--no-deps",
            "--ignore-installed", "--report", str(report), "-r", str(asked),
        ]  # fmt: skip
        subprocess.run(command, check=True)
        found: dict[str, Any] = json.loads(report.read_text())
    return found


def main() -> None:
    """Write the file."""
    pins = pinned(CONSTRAINTS.read_text(encoding="utf-8"))
    wanted = {name: version for name, version in pins.items() if name not in WITHOUT}
    HASHES.write_text(hashes_file(ask_pip(wanted)), encoding="utf-8")


if __name__ == "__main__":
    main()
