"""A command that is killed at any step of its writing, and run again: as if nothing had been."""

import csv
from pathlib import Path

from lsemvae.cli import main
from tests.conftest import BEATS
from tests.killed import KILLED, contents, killed_at

EVERY = 6


def test_a_store_is_prepared_wherever_the_first_attempt_was_killed(
    recordings: Path, tmp_path: Path
) -> None:
    source, table = recordings / "cohort", tmp_path / "few.csv"
    with (source / "cohort.csv").open(newline="") as given, table.open("w", newline="") as few:
        csv.writer(few).writerows(list(csv.reader(given))[:7])

    def prepare(folder: Path) -> list[str]:
        folder.mkdir()
        files = ["--table", str(table), "--source", str(source / "records")]
        return ["prepare", "cohort", *files, "--out", str(folder / "c.h5"), *BEATS]

    assert main(prepare(tmp_path / "whole")) == 0
    whole, codes = contents(tmp_path / "whole"), []
    while codes[-1:] != [0]:
        folder = tmp_path / f"killed_{len(codes)}"
        arguments = prepare(folder)
        codes.append(killed_at(1 + EVERY * len(codes), arguments))
        assert main(arguments) == 0
        assert contents(folder) == whole
    assert codes[:-1] == [KILLED] * (len(codes) - 1)
    assert len(codes) > 3
