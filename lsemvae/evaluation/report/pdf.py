"""Print the page as a PDF, by a Chromium that is installed."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from lsemvae.core.errors import InputError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
TIMEOUT_S = 180
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--no-pdf-header-footer")  # fmt: skip


def find_chromium() -> str:
    """Return the path of a Chromium.

    Raises:
        InputError: none is installed.
    """
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return found
    raise InputError(
        f"a PDF needs one of {', '.join(NAMES)} on the PATH and there is none; install Chromium, "
        "or leave out --pdf and print index.html from a browser"
    )


def print_pdf(page: Path, chromium: str) -> Path:
    """Print an HTML page to a PDF beside it.

    Args:
        page: the HTML file.
        chromium: path of the browser.

    Raises:
        InputError: the browser fails.
    """
    out = page.with_name("report.pdf")
    with tempfile.TemporaryDirectory() as profile:
        command = [chromium, *FLAGS, f"--user-data-dir={profile}", f"--print-to-pdf={out}",
                   page.absolute().as_uri()]  # fmt: skip
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=TIMEOUT_S
            )
        except subprocess.TimeoutExpired as error:
            raise InputError(f"{chromium} did not print {page} in {TIMEOUT_S} s") from error
    if done.returncode or not out.is_file():
        raise InputError(f"{chromium} could not print {page}: {done.stderr.strip()[-300:]}")
    return out
