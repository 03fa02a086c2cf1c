"""What is taken in, what is refused, and that nothing of it stays."""

import asyncio
import errno
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from starlette.types import Message

from benchmarks.mutants import make_mutant, make_origins
from lsemvae.predicting.run import Options
from lsemvae.predicting.sources import Loader
from lsemvae.serving import private_folder
from lsemvae.serving.app import build_app
from lsemvae.serving.limits import Limits
from tests.serving.conftest import HOME, PORT, PeakModel, ecg, rows_of, send, text_of, visit

MUTANTS = 24
BOUNDARY = "x"
HEAD = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="a.xml"\r\n\r\n'
).encode()


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return what stands for the folder in memory; any use of a temporary folder fails."""
    folder = tmp_path / "shm"
    folder.mkdir()
    monkeypatch.setattr(private_folder, "MEMORY", folder)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    return folder


def lines_of(client: TestClient) -> list[tuple[str, str, str]]:
    return [(row["recording"], row["code"], row["message"]) for row in rows_of(client)]


def test_files_of_one_record_are_joined_by_name_whatever_their_order(browser: TestClient) -> None:
    one, two = ecg("one"), ecg("two", 1.5)
    mixed = {"two.dat": two["two.dat"], "one.hea": one["one.hea"], "one.dat": one["one.dat"]}
    send(browser, mixed, {"two.hea": two["two.hea"]})
    assert [(row["recording"], row["outcome"]) for row in rows_of(browser)] == [
        ("two", "result"),
        ("one", "result"),
    ]


def test_a_header_takes_the_signal_files_that_it_names(browser: TestClient) -> None:
    files = ecg("one")
    renamed = {"one.hea": files["one.hea"].replace(b"one.dat", b"signals.dat")}
    send(browser, renamed, {"signals.dat": files["one.dat"]})
    assert [row["outcome"] for row in rows_of(browser)] == ["result"]


def test_every_file_is_answered_for(browser: TestClient) -> None:
    one = ecg("one")
    send(browser, {"lost.dat": b"x", "layout.json": b"{}", ".hidden": b"x", "a:b.xml": b"x"})
    send(browser, one, {"one.xml": b"<a/>"})
    send(browser, {"one.hea": one["one.hea"]})
    send(browser, *[{"same.xml": b"<a/>"}] * 2)
    assert [(name, code) for name, code, _ in lines_of(browser)] == [
        ("lost.dat", "file_unused"),
        ("layout.json", "file_unused"),
        (".hidden", "path_unsafe"),
        ("a:b.xml", "path_unsafe"),
        ("one", ""),
        ("one.xml", "file_unused"),
        ("one", "file_missing"),
        ("same.xml", "name_repeated"),
        ("same.xml", "name_repeated"),
    ]
    assert "its header lost.hea was not sent with it" in text_of(browser.get("/recordings/1"))


@pytest.mark.parametrize(
    "name", ["../../etc/x.xml", "C:\\ecg\\x.xml", "/tmp/x.xml", "y" * 400, "..", "a\u202eb.xml"]
)
def test_a_name_cannot_leave_the_private_folder(
    name: str, browser: TestClient, memory: Path
) -> None:
    assert send(browser, {name: b"<a/>"}).status_code == 200
    ((shown, code, _),) = lines_of(browser)
    assert (shown, code) == ("x.xml", "format_unknown") or code == "path_unsafe"
    assert [*memory.parent.rglob("*")] == [memory]


def test_uploads_lie_in_a_private_folder_in_memory_and_only_while_they_are_read(
    browser: TestClient, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Path] = []
    read = Loader.read

    def watched(loader: Loader, source: object) -> object:
        seen.extend(memory.iterdir())
        return read(loader, source)  # type: ignore[arg-type]

    modes: list[int] = []
    make = private_folder.tempfile.TemporaryDirectory

    def made(**given: object) -> object:
        folder = make(**given)  # type: ignore[call-overload]
        modes.append(stat.S_IMODE(Path(folder.name).stat().st_mode))
        return folder

    monkeypatch.setattr(Loader, "read", watched)
    monkeypatch.setattr(private_folder.tempfile, "TemporaryDirectory", made)
    large = {"large.xml": b"<a/>" + b" " * (3 << 20)}  # above what a form's parser keeps in memory
    assert send(browser, ecg("one"), large).status_code == 200
    assert len(rows_of(browser)) == 2
    assert len(set(seen)) == 1
    assert modes == [0o700]
    assert not [*memory.iterdir()]


def test_nothing_stays_after_a_fault_of_the_program(
    browser: TestClient, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("planted")

    send(browser, ecg("sound"))
    with monkeypatch.context() as patch:
        patch.setattr("lsemvae.predicting.sources.read_recording", broken)
        send(browser, ecg("one"))
    with monkeypatch.context() as patch:
        patch.setattr("lsemvae.serving.recordings.score_block", broken)
        answer = send(browser, ecg("two"))
    assert answer.status_code == 500
    assert "the list is as it was" in text_of(answer)
    assert [code for _, code, _ in lines_of(browser)] == ["", "program_fault"]
    assert not [*memory.iterdir()]


@pytest.mark.parametrize(("owner", "what"), [(Path, "write_bytes"), (tempfile, "mkdtemp")])
def test_a_full_memory_is_one_line_and_nothing_stays(
    browser: TestClient, memory: Path, monkeypatch: pytest.MonkeyPatch, owner: object, what: str
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(owner, what, full)
        answer = send(browser, ecg("one"))
    assert answer.status_code == 507
    assert "no room for the files (No space left on device); nothing was read" in text_of(answer)
    assert f"make room in {memory}." in text_of(answer)
    assert not [*memory.iterdir()]
    assert rows_of(browser) == []


def test_a_machine_that_opens_no_more_files_is_one_line_and_adds_nothing(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr("data_modules.reading.wfdb._read_checked", refused)
        answer = send(browser, ecg("one"))
    assert answer.status_code == 503
    assert "one cannot be read now (Too many open files)" in text_of(answer)
    assert rows_of(browser) == []


def test_a_system_without_any_temporary_folder_is_one_line(
    browser: TestClient, memory: Path
) -> None:
    memory.rmdir()
    assert "make room in the temporary folder (TMPDIR)" in text_of(send(browser, ecg("one")))


def form_of(pieces: int, consumed: list[int]) -> Iterator[bytes]:
    """Yield a form with one file, 64 KB at a time, and count what is asked for."""
    yield HEAD
    for number in range(pieces):
        consumed.append(number)
        yield bytes(1 << 16)
    yield f"\r\n--{BOUNDARY}--\r\n".encode()


FORM = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}


def test_a_gigabyte_is_refused_by_its_length(browser: TestClient, memory: Path) -> None:
    consumed: list[int] = []
    headers = FORM | {"content-length": str(1 << 30)}
    answer = browser.post("/recordings", content=form_of(16_384, consumed), headers=headers)
    assert answer.status_code == 413
    assert "larger than 64 MB, so nothing of it was read. Send fewer files" in text_of(answer)
    assert consumed == []
    assert rows_of(browser) == []


def test_a_gigabyte_of_unstated_length_is_refused_while_it_arrives(
    model: PeakModel, memory: Path
) -> None:
    consumed: list[int] = []
    pieces, answer = form_of(16_384, consumed), []

    async def receive() -> Message:
        return {"type": "http.request", "body": next(pieces), "more_body": True}

    async def send_back(message: Message) -> None:
        answer.append(message)

    headers = {"host": HOME[7:], "origin": HOME, **FORM}
    scope = {
        "type": "http", "method": "POST", "path": "/recordings", "query_string": b"",
        "headers": [(name.encode(), text.encode()) for name, text in headers.items()],
    }  # fmt: skip
    app = build_app(model, Options(), port=PORT, limits=Limits(request_bytes=1 << 20))
    asyncio.run(app(scope, receive, send_back))
    assert answer[0]["status"] == 413
    assert answer[1]["body"].startswith(b"The upload is larger than 1 MB, so nothing of it was")
    assert len(consumed) <= 17
    assert not [*memory.iterdir()]


def test_too_many_files_are_refused_in_one_line(model: PeakModel) -> None:
    with visit(model, Limits(request_files=3)) as client:
        answer = send(client, *[{f"{n}.xml": b"<a/>"} for n in range(4)])
        assert answer.status_code == 413
        assert "More than 3 files came at once, so none was read." in text_of(answer)
        assert rows_of(client) == []


@pytest.mark.parametrize(
    ("content", "kind", "line"),
    [
        (b"", "application/json", "no form with files"),
        (b"garbage", FORM["content-type"], "no form with files"),
        (HEAD[:40], "multipart/form-data", "no form with files"),
        (HEAD, FORM["content-type"] + "; charset=punycode", "no form with files"),
        (HEAD[:60] + bytes(100_000), FORM["content-type"], "no form with files"),
        (f"--{BOUNDARY}--\r\n".encode(), FORM["content-type"], "No file was chosen"),
    ],
)
def test_what_is_no_form_with_files_is_refused(
    content: bytes, kind: str, line: str, browser: TestClient
) -> None:
    answer = browser.post("/recordings", content=content, headers={"content-type": kind})
    assert answer.status_code == 400
    assert line in text_of(answer)


def test_hostile_uploads_get_one_line_each(browser: TestClient, memory: Path) -> None:
    origins = make_origins(None)
    for index in range(MUTANTS):
        before = len(rows_of(browser))
        mutant = make_mutant(origins, 13, index)
        assert send(browser, mutant.files).status_code == 200, mutant.kind
        assert len(rows_of(browser)) > before
    for number, (name, code, message) in enumerate(lines_of(browser), 1):
        assert message.isprintable(), name
        assert bool(code) == bool(message)
        assert str(memory) not in name + message
        assert browser.get(f"/recordings/{number}").status_code == 200
    codes = {code for _, code, _ in lines_of(browser)}
    assert len(codes) > 5
    assert "program_fault" not in codes
    assert not [*memory.iterdir()]
