"""A walk through the page in a real browser: drop, read, keyboard, widths, accessibility."""

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.serving.conftest import ecg

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
                None)  # fmt: skip
WIDTHS = (1280, 390)
DROP = """files => {
  const data = new DataTransfer();
  for (const [name, content] of files) {
    const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
    data.items.add(new File([bytes], name));
  }
  document.body.dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true}));
}"""
FOCUSED = """() => {
  const one = document.activeElement, style = getComputedStyle(one);
  return [one.innerText || one.id, style.outlineStyle, parseFloat(style.outlineWidth)];
}"""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt install chromium")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def home(port: int) -> str:
    return f"http://127.0.0.1:{port}/"


def open_page(chromium: Browser, home: str, **how: Any) -> tuple[Page, list[str]]:
    """Return the page and the addresses that it asks for from now on."""
    page = chromium.new_page(viewport={"width": 1280, "height": 900}, **how)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(home)
    return page, asked


def check(page: Page, audit: bool = True) -> None:
    """Check that nothing is wider than the window, and ask the accessibility checker."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(wider) <= 0, f"{page.url} at {width} px"
    if audit:
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert "color-contrast" in [one["id"] for one in found.response["passes"]]
    page.set_viewport_size({"width": 1280, "height": 900})


def tab_to(page: Page, label: str) -> list[str]:
    """Press Tab until an element of that text has the focus; every stop shows a ring."""
    stops: list[str] = []
    while label not in stops:
        page.keyboard.press("Tab")
        text, style, width = page.evaluate(FOCUSED)
        assert style != "none", text
        assert width >= 2, text
        stops.append(text)
        assert len(stops) < 30, stops
    return stops


def test_two_dropped_files_are_read_and_walked_through_by_keyboard(
    chromium: Browser, home: str
) -> None:
    page, asked = open_page(chromium, home)
    check(page, audit=False)
    files = {**ecg("anna"), "notes.txt": b"no ECG"}
    page.evaluate(DROP, [[name, base64.b64encode(one).decode()] for name, one in files.items()])
    page.get_by_text("Done: 3 files").wait_for()
    assert page.locator("tbody th").all_inner_texts() == ["anna", "notes.txt"]
    check(page)
    page.evaluate("document.activeElement.blur()")
    stops = tab_to(page, "anna")
    wanted = ["Skip to the content", "Worklist", "About the model", "files", "Read the recordings",
              "Download CSV", "Clear the list", "highest probability", "anna"]  # fmt: skip
    assert [stop for stop in stops if stop in wanted] == wanted
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="At or above the threshold").wait_for()
    picture = page.get_by_role("img", name="ECG of anna")
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 900
    check(page)
    tab_to(page, "Next")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="No result: error").wait_for()
    check(page, audit=False)
    assert len(asked) > 8
    assert [one for one in asked if not one.startswith((home, "data:"))] == []
    page.close()


def test_the_form_works_without_script_and_without_dragging(
    chromium: Browser, home: str, tmp_path: Path
) -> None:
    for name, content in ecg("anna").items():
        (tmp_path / name).write_bytes(content)
    page, _ = open_page(chromium, home, java_script_enabled=False)
    page.set_input_files("#files", [*tmp_path.iterdir()])
    page.get_by_role("button", name="Read the recordings").click()
    page.locator("tbody th").first.wait_for()  # a click does not wait for the page it asks for
    assert page.locator("tbody th").all_inner_texts() == ["anna"]
    page.get_by_role("button", name="Clear the list").click()
    page.get_by_text("None yet.").wait_for()
    page.close()


def test_a_file_too_large_to_send_gets_a_line_and_the_others_are_read(
    chromium: Browser, home: str
) -> None:
    page, asked = open_page(chromium, home)
    page.evaluate("document.getElementById('upload').dataset.requestBytes = 200000")
    files = {"large.xml": bytes(250_000), **ecg("anna")}
    page.evaluate("document.getElementById('upload').dataset.batchBytes = 100000")
    page.evaluate(DROP, [[name, base64.b64encode(one).decode()] for name, one in files.items()])
    page.get_by_text("Done: 3 files").wait_for()
    assert "large.xml: larger than" in page.get_by_role("alert").inner_text()
    assert page.locator("tbody th").all_inner_texts() == ["anna"]
    assert len([one for one in asked if one.endswith("/recordings")]) == 1
    page.close()
