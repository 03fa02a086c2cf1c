"""Run `prepare mimic-rhc` on files of MIMIC-IV and read what it wrote."""

import csv
import json
from pathlib import Path
from typing import Any

from mimic_files import MimicFiles

from lsemvae.cli import main

A, B = 10_000_001, 10_000_002


def run(folder: Path, *options: str) -> int:
    return main(
        ["prepare", "mimic-rhc", "--mimic_iv", str(folder / "iv"), "--mimic_ecg",
         str(folder / "ecg"), "--out", str(folder / "out.csv"), *options]
    )  # fmt: skip


def cohort(files: MimicFiles, folder: Path, *options: str) -> list[dict[str, str]]:
    """Write the files, run the command and return the rows of the table."""
    assert run(files.write(folder), *options) == 0
    with (folder / "out.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def flow(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "out.csv.flow.json").read_text())["flow"]
    return content
