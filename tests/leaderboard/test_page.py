"""The page about leaderboards runs as it stands, and its site is accessible at both widths."""

import re
import runpy
import shlex
import shutil
from pathlib import Path

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from lsemvae.cli import main
from tests.conftest import ROOT

PAGE = ROOT / "docs/leaderboard.md"
BLOCK = re.compile(r"```(python|bash)\n(.*?)```", re.DOTALL)
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
                None)  # fmt: skip
WIDTHS = (1280, 390)
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def folder(arena: Path, cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which every block of the page was run in its order."""
    here = tmp_path_factory.mktemp("page")
    (here / "data").mkdir()
    (here / "data/rhc_cohort.h5").symlink_to(cohort)
    (here / "runs").mkdir()
    (here / "runs/cv").symlink_to(arena / "runs")
    (here / "runs/more").symlink_to(arena / "more")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        for kind, text in BLOCK.findall(PAGE.read_text()):
            if kind == "python":
                (here / "hand_in.py").write_text(text)
                runpy.run_path("hand_in.py")
                continue
            for line in text.splitlines():
                assert main(shlex.split(line)[1:]) == 0, line
    return here


def test_the_page_runs_as_it_stands(folder: Path) -> None:
    scores = pd.read_csv(folder / "site/scores.csv")
    assert set(scores["method"]) == {"ls_emvae", "multimodal_cnn", "mvae", "their_net"}
    theirs = (folder / "site/rows/their_net.html").read_text()
    assert "python train.py --seed 7" in theirs
    assert "Apache-2.0" in theirs


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt install chromium")
def test_the_site_fits_both_widths_and_passes_the_accessibility_checker(folder: Path) -> None:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM)
        for name in ("index.html", "rows/their_net.html"):
            page = browser.new_page()
            page.goto((folder / "site" / name).as_uri())
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                assert page.evaluate(WIDER) <= 0, f"{name} at {width} px"
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
            assert "color-contrast" in [one["id"] for one in found.response["passes"]]
        browser.close()
