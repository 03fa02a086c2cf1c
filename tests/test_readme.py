"""The README's commands run as they stand, on tiny recordings where they name recordings."""

import re
import shlex
import shutil
import subprocess
import tomllib
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.command_table import with_table
from data_modules.reading.reasons import REASONS, REMEDIES
from data_modules.simulation.files import write_cohort
from lsemvae.cli import main
from lsemvae.command_table import COMMANDS, lightning_target, load, markdown_table
from lsemvae.core.leads import LIMB_LEADS
from lsemvae.runtime.cli_arguments import options_of
from tests.conftest import BEATS, ROOT, tiny_network

README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
BLOCKS = re.findall(r"```bash\n(.*?)```", README, flags=re.DOTALL)
LINES = [line.strip() for block in BLOCKS for line in block.replace("\\\n", " ").splitlines()]


def commands(first: str) -> list[list[str]]:
    return [shlex.split(line)[1:] for line in LINES if line.split(" ")[:1] == [first]]


@pytest.fixture
def workplace(recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that has what the README takes for granted."""
    shutil.copy(recordings / "cohort/cohort.csv", tmp_path)
    (tmp_path / "records").symlink_to(recordings / "cohort/records")
    (tmp_path / "mimic-iv-ecg-1.0").symlink_to(recordings / "mimic")
    (tmp_path / "experiments").symlink_to(ROOT / "experiments")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shrink(arguments: list[str]) -> list[str]:
    """Return what makes a command of the README quick, without changing what it says."""
    if arguments[0] == "prepare":
        return [*BEATS, *(["--jobs", "1"] if "--jobs" in arguments else [])]
    if arguments[0] == "fit":
        small = ["--data.init_args.num_workers", "0", "--data.init_args.batch_size", "8"]
        return [*tiny_network(), *small, "--trainer.max_epochs", "1"]
    return ["--epochs", "1"] if arguments[0] == "cv" else []


def make_expands_to(arguments: list[str]) -> str:
    found = subprocess.run(
        ["make", "-n", "--no-print-directory", "-o", ".venv/.ready", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return found.stdout.replace("\\\n", " ")


def test_own_recordings_from_files_to_page(workplace: Path) -> None:
    steps = [line for line in LINES if line.startswith(("lsemvae", "lightning", "make cv"))]
    walked = []
    for line in steps:
        if line.startswith("lsemvae completion"):
            continue
        if line.startswith("make cv"):
            line = make_expands_to(shlex.split(line)[1:])  # noqa: PLW2901
            line = line[line.index("lsemvae cv") :]  # noqa: PLW2901
        arguments = shlex.split(line)[1:]
        assert main([*arguments, *shrink(arguments)]) == 0, line
        walked.append(arguments[0])
    assert walked == ["prepare", "prepare", "fit", "cv", "report"]
    (example,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec(example, names)
    assert names["features"].shape == (32, names["network"].feature_dim(LIMB_LEADS))
    for name in ("runs/cv/phenotype/splits.json", "runs/cv/phenotype/ls_emvae/6L/metrics.json",
                 "reports/rhc/index.html"):  # fmt: skip
        assert (workplace / name).is_file()


def test_own_recordings_with_the_encoder_that_ships(workplace: Path) -> None:
    (prepare,) = [line for line in LINES if line.startswith("lsemvae prepare cohort")]
    shipped = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    lines = [line.strip() for block in shipped for line in block.replace("\\\n", " ").splitlines()]
    (workplace / "new_recordings").mkdir()
    write_cohort(workplace / "new", n_patients=7, seed=5)
    for file in (workplace / "new/records").glob("ecg00001.*"):
        shutil.copy(file, workplace / "new_recordings")
    walked = []
    for line in [prepare, *(line for line in lines if line.startswith("lsemvae"))]:
        arguments = shlex.split(line)[1:]
        if arguments[0] != "serve":  # it waits for a browser
            quick = ["--epochs", "1"] if arguments[0] == "cv" else []
            assert main([*arguments, *quick]) == 0, line
        walked.append(arguments[0])
    assert walked == ["prepare", "cv", "report", "lock", "predict", "serve"]
    page = (workplace / "reports/rhc/index.html").read_text()
    assert "Without the signal (detection)" in page


def test_make_targets_of_the_readme_exist() -> None:
    targets = {
        found for line in README.splitlines() for found in re.findall(r"make ([a-z]+)", line)
    }
    assert {"demo", "test", "install", "cv", "lint", "bench", "public"} <= targets
    for target in targets:
        make_expands_to([target])


def test_commands_of_the_readme_exist() -> None:
    named = set(re.findall(r"`lsemvae ([a-z0-9]+)", README)) | {a[0] for a in commands("lsemvae")}
    assert named <= {name.split(" ")[0] for name in COMMANDS}


def test_table_of_commands_is_made_from_their_docstrings() -> None:
    made = README.partition("<!-- made by lsemvae.command_table -->\n\n")[2]
    assert made.partition("\n\n<!-- end -->")[0] == markdown_table()
    assert with_table(README) == README
    assert with_table(README.replace("| `lsemvae view` |", "| `lsemvae vew` |")) == README


def headings(page: Path) -> set[str]:
    """Return the names by which links find the headings of a page."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    plain = [
        re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", one) for one in re.findall(r"^#+ (.*)$", text, re.M)
    ]
    return {re.sub(r"[^\w\- ]", "", one.lower()).strip().replace(" ", "-") for one in plain}


@pytest.mark.parametrize("folder", ["docs", "experiments", "."])
def test_links_between_pages_lead_somewhere(folder: str) -> None:
    for page in (ROOT / folder).glob("*.md"):
        for link, heading in re.findall(r"\]\(([^)#:]*)(?:#([^)]+))?\)", page.read_text()):
            target = page.parent / link if link else page
            assert target.exists(), f"{page.name}: {link}"
            assert not heading or heading in headings(target), f"{page.name}: {link}#{heading}"


def test_lists_and_tables_of_the_site_stand_behind_an_empty_line() -> None:
    """The program of the site, unlike GitHub, needs the line, and shows an escaped `<` as `\\<`."""
    begins, goes_on = re.compile(r"- |\d+\. |\|"), re.compile(r"$|- |\d+\. |\||  |#|<!--")
    for page in (ROOT / "docs").glob("*.md"):
        assert r"\<" not in page.read_text(), f"{page.name}: write &lt;"
        lines = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL).splitlines()
        for before, line in pairwise(lines):
            joined = begins.match(line) and not goes_on.match(before)
            assert not joined, f"{page.name}: {line!r} becomes a part of the text before it"


def test_programs_and_targets_that_pages_name_exist() -> None:
    for page in (ROOT / "docs").glob("*.md"):
        text = page.read_text()
        for name in re.findall(r"benchmarks\.(\w+)", text):
            assert (ROOT / f"benchmarks/{name}.py").is_file(), f"{page.name}: benchmarks.{name}"
        named = set(re.findall(r"`make ([a-z-]+)", text))
        assert named <= set(re.findall(r"^([a-z-]+):", MAKEFILE, re.M)), f"{page.name}: make"


def test_results_at_a_glance_are_those_of_the_benchmark() -> None:
    page = (ROOT / "docs/benchmark.md").read_text()
    at_a_glance = README.partition("## Results at a glance")[2].partition("Is pre-training")[0]
    rows = re.findall(
        r"^\| ([\w-]+)(?:, not pre-trained)? \| (\d.*) \|$", at_a_glance, re.MULTILINE
    )
    assert len(rows) == 5
    tasks = re.findall(r"### (\w+) \(`\w+`\)\n(.*?)(?=\n## |\n### )", page, re.DOTALL)
    for name, cells in rows:
        measured = []
        for _, table in tasks:
            line = next(line for line in table.splitlines() if f"| {name} |" in line)
            found = [re.sub(r"</?u>|\*\*", "", cell).split()[:1] for cell in line.split("|")]
            measured.append(f"{found[6][0]} / {found[8][0]}")
        assert cells.split(" | ") == measured, name


def test_the_worth_of_pretraining_is_that_of_its_page() -> None:
    page = (ROOT / "docs/pretraining.md").read_text()
    shown = README.partition("Is pre-training worth it?")[2].partition("\n## ")[0]
    names = {
        "recommended recipe": r"\*\*pre-trained, 3 seeds\*\*",
        "random convolutions": "random convolutions",
        "the same network, untrained": "untrained twin, 5 seeds",
        "PCA": "PCA of the samples",
    }
    rows = dict(re.findall(r"^\| ([\w ,]+) \| (\d.*) \|$", shown, re.MULTILINE))
    assert set(rows) == set(names)
    for name, cells in rows.items():
        measured = []
        for share in (100, 10):
            line = rf"^\| linear probe, {share} % \| {names[name]} \|.* (\d\.\d+) \|$"
            measured.append(" / ".join(re.findall(line, page, re.MULTILINE)))
        assert cells.split(" | ") == measured, name


def test_site_lists_pages_that_exist() -> None:
    text = (ROOT / "mkdocs.yml").read_text()
    pages = re.findall(r": (\w+\.md)$", text, re.MULTILINE)
    assert len(set(pages)) == len(pages) > 20
    assert [page for page in pages if not (ROOT / "docs" / page).is_file()] == []
    assert yaml.safe_load(text)["theme"]["font"] is False


def test_pictures_are_small_and_shown() -> None:
    texts = README + "".join(page.read_text() for page in (ROOT / "docs").glob("*.md"))
    for picture in (ROOT / "docs/pictures").iterdir():
        assert picture.stat().st_size < 150_000
        assert picture.name in texts


def test_citation_names_the_version_of_the_program() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert cited["version"] == version("lsemvae")


def test_every_quarantine_code_is_documented() -> None:
    page = (ROOT / "docs/data.md").read_text()
    rows = {code: f"| `{code}` | {REASONS[code]} | {REMEDIES[code]} |" for code in REASONS}
    assert set(REMEDIES) == set(REASONS)
    assert [code for code, row in rows.items() if row not in page] == []


def test_extras_that_pages_and_messages_name_are_those_of_the_checkout() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    sources = [file for part in ("lsemvae", "data_modules") for file in (ROOT / part).rglob("*.py")]
    named = [
        (file.name, *found)
        for file in (*pages, *sources)
        for found in re.findall(r"'(\.|lsemvae)\[([\w,-]+)\]'", file.read_text())
    ]
    assert {place for _, place, _ in named} == {"."}
    assert [one for one in named if one[2] not in extras["optional-dependencies"]] == []


def test_every_command_that_installs_an_extra_keeps_the_tested_versions() -> None:
    pages = [ROOT / "README.md", ROOT / "Makefile", *(ROOT / "docs").glob("*.md")]
    sources = [file for part in ("lsemvae", "data_modules") for file in (ROOT / part).rglob("*.py")]
    commands = [
        (file.name, " ".join(found.split()))
        for file in (*pages, *sources)
        for found in re.findall(r"pip[ \n]install([^`&]{,60}?)'\.\[", file.read_text())
    ]
    assert {"README.md", "serve.md", "extras.py"} <= {name for name, _ in commands}
    assert [one for one in commands if "-c constraints.txt" not in one[1]] == []


def documented_commands() -> list[tuple[str, str, list[str]]]:
    """Return page, command and options of every line of a page that runs one of our commands."""
    found = []
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for block in re.findall(r"^ *```(?:bash|sh)?\n(.*?)```", page.read_text(), re.M | re.S):
            for line in block.replace("\\\n", " ").splitlines():
                words = line.split()
                for size in (2, 1):
                    name = " ".join(words[1 : 1 + size])
                    if words[:1] == ["lsemvae"] and name in COMMANDS:
                        found.append((page.name, name, re.findall(r"(?<!\S)--([\w.]+)", line)))
                        break
    return found


def test_options_of_documented_commands_are_spelt_as_the_parser_has_them() -> None:
    documented = documented_commands()
    ours = [one for one in documented if not lightning_target(one[1], [])]
    assert len(ours) > 40
    known = {name: options_of(load(name)) for name in {name for _, name, _ in ours}}
    assert [
        (page, name, option)
        for page, name, options in ours
        for option in options
        if f"--{option}" not in known[name]
        and option not in ("help", "config")
        and f"--{option.partition('.')[0]}" not in known[name]  # of a mapping: --columns.bmi
    ] == []
