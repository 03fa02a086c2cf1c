"""The examples of the pages "add a ..." run as they stand."""

import os
import re
import shlex
import sys
from pathlib import Path

import pytest

from lsemvae.cli import main
from lsemvae.runtime.config_safety import ALLOW_VARIABLE
from tests.conftest import N_SAMPLES, ROOT
from tests.forked import call_in_processes, run_program

PAGES = sorted((ROOT / "docs").glob("add_*.md"))
BLOCK = re.compile(r"```(python|yaml|bash)\n(.*?)```", re.DOTALL)
SHORTER = {
    "fit": [
        "--model.init_args.network.init_args.n_samples", str(N_SAMPLES),
        "--trainer.max_epochs", "1", "--trainer.enable_progress_bar", "false",
        "--data.init_args.batch_size", "16", "--data.init_args.num_workers", "0",
    ]
}  # fmt: skip


def blocks(page: Path) -> list[tuple[str, str]]:
    return BLOCK.findall(page.read_text())


def write_files(page: Path, folder: Path) -> list[Path]:
    """Write every example that names its file in its first line."""
    written = []
    for kind, text in blocks(page):
        name = text.partition("\n")[0].removeprefix("# ")
        if kind != "bash":
            file = folder / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
            written.append(file)
    return written


def run_pytest(folder: Path, arguments: list[str]) -> int:
    """Run pytest in a folder whose modules can be imported, as a user does."""
    os.chdir(folder)
    os.environ.pop("PYTEST_CURRENT_TEST", None)
    sys.path.insert(0, str(folder))
    return int(pytest.main(arguments))


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_example_of_the_page_runs(
    page: Path, cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "data").mkdir()
    (tmp_path / "data/rhc_cohort.h5").symlink_to(cohort)
    files, output = write_files(page, tmp_path), tmp_path / "output"
    assert files
    tests = [str(file) for file in files if file.name.startswith("test_")]
    for program in (file for file in files if file.parent == tmp_path and file.suffix == ".py"):
        if str(program) not in tests:
            call_in_processes(1, output, run_program, program, tmp_path, dict(os.environ), [])
    if tests:
        alone = ["-q", "-n0", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", "."]
        call_in_processes(1, output, run_pytest, tmp_path, [*alone, *tests])
    commands = [text.splitlines() for kind, text in blocks(page) if kind == "bash"]
    for line in (line for block in commands for line in block):
        if line.startswith("export"):
            monkeypatch.setenv(*line.removeprefix("export ").split("=", 1))
            assert line.split("=")[0].endswith(ALLOW_VARIABLE)
        elif line.startswith("lsemvae"):
            arguments = shlex.split(line)[1:]
            assert main([*arguments, *SHORTER.get(arguments[0], [])]) == 0, line


def test_there_is_a_page_for_every_kind_of_extension() -> None:
    names = {page.stem.removeprefix("add_") for page in PAGES}
    assert names == {"network", "data_set", "format", "command", "report_section", "metric"}


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_files_that_the_page_names_exist(page: Path) -> None:
    named = re.findall(r"`((?:lsemvae|data_modules|benchmarks|experiments|tests)/[^`]+)`",
                       page.read_text())  # fmt: skip
    missing = [
        name for name in named
        if not ((ROOT / name).exists() or ("NAME" in name and (ROOT / name).parent.is_dir()))
    ]  # fmt: skip
    assert missing == []
