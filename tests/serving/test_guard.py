"""Who may ask, and that a browser asks nobody else."""

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import lsemvae.serving
from tests.serving.conftest import HOME, PORT, ecg, rows_of, send, text_of

PATHS = ("/", "/recordings/1", "/recordings/1/ecg.svg", "/worklist.csv", "/model",
         "/static/page.css", "/static/page.js", "/nowhere")  # fmt: skip


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", f"127.0.0.1:{PORT + 1}", f"evil.example:{PORT}", ""]
)
def test_a_foreign_name_of_this_machine_sees_nothing(host: str, browser: TestClient) -> None:
    send(browser, ecg("anna"))
    for path in PATHS:
        answer = browser.get(path, headers={"host": host})
        assert answer.status_code == 421
        assert "anna" not in answer.text
    assert f"answers to {HOME}/ only" in text_of(browser.get("/", headers={"host": host}))


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "", f"http://127.0.0.1:{PORT + 1}", f"https{HOME[4:]}"],
)  # fmt: skip
def test_a_form_of_another_page_is_refused(origin: str, browser: TestClient) -> None:
    send(browser, ecg("anna"))
    for path in ("/recordings", "/clear"):
        answer = browser.post(path, files=[("files", ("a.xml", b""))], headers={"origin": origin})
        assert answer.status_code == 403
        assert "came from another page" in text_of(answer)
    assert len(rows_of(browser)) == 1


def test_a_path_longer_than_any_of_the_page_is_refused(browser: TestClient) -> None:
    answer = browser.get(f"/recordings/{'9' * 5000}")
    assert answer.status_code == 414
    assert "There is no page of so long a name." in text_of(answer)


def test_both_names_of_this_machine_are_served(browser: TestClient) -> None:
    local = f"localhost:{PORT}"
    headers = {"host": local, "origin": f"http://{local}", "accept": "text/plain"}
    assert browser.get("/", headers=headers).status_code == 200
    assert send(browser, ecg("anna"), headers=headers).status_code == 200


def test_every_answer_forbids_other_sources_frames_and_caches(browser: TestClient) -> None:
    send(browser, ecg("anna"))
    answers = [browser.get(path) for path in PATHS]
    answers += [browser.get("/", headers={"host": "evil"}), browser.post("/clear", files={})]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert policy.startswith(("default-src 'self';", "default-src 'none';"))
        assert "unsafe" not in policy or answer.headers["content-type"] == "image/svg+xml"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"


def test_the_cookie_is_not_for_scripts_nor_for_other_sites(browser: TestClient) -> None:
    answer = send(browser, ecg("anna"), follow_redirects=False)
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"lsemvae_{PORT}=")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "set-cookie" not in browser.get("/").headers


def test_no_page_names_another_address(browser: TestClient) -> None:
    send(browser, ecg("anna"))
    for path in PATHS[:2] + PATHS[4:]:
        named = re.findall(r"""(?:src|href|action|url)\s*[=(]\s*["']?([^"')\s>]+)""",
                           browser.get(path).text)  # fmt: skip
        assert all(one.startswith(("/", "#")) and one[:2] != "//" for one in named), path
        assert "style=" not in browser.get(path).text
        assert "<script>" not in browser.get(path).text


def test_the_program_opens_no_connection(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    assert send(browser, ecg("anna")).status_code == 200
    for path in PATHS[:-1]:
        assert browser.get(path).status_code == 200


def test_static_files_are_those_of_the_package(browser: TestClient) -> None:
    static = Path(lsemvae.serving.__file__).parent / "static"
    for file in static.iterdir():
        assert browser.get(f"/static/{file.name}").content == file.read_bytes()
    assert browser.get("/static/../app.py").status_code == 404
    assert browser.get("/static/%2e%2e/app.py").status_code == 404
