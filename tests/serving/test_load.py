"""Many clients at once, and a gigabyte, against a real server."""

import csv
import io
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from lsemvae.predicting.run import Options
from lsemvae.serving.recordings import Reader
from lsemvae.serving.uploads import Upload
from tests.serving.conftest import PeakModel, ecg

CLIENTS, FILES = 4, 10


def work(port: int, records: dict[str, dict[str, bytes]]) -> dict[str, float]:
    """Send records in three requests and return the probabilities of the session's list."""
    home = f"http://127.0.0.1:{port}"
    with httpx2.Client(base_url=home, headers={"origin": home}, timeout=60) as client:
        names = list(records)
        for start in range(0, FILES, 4):
            part = [records[name] for name in names[start : start + 4]]
            files = [("files", item) for record in part for item in record.items()]
            assert client.post("/recordings", files=files).status_code == 200
        rows = list(csv.DictReader(io.StringIO(client.get("/worklist.csv").text)))
    return {row["recording"]: float(row["probability"]) for row in rows}


def test_clients_at_once_lose_and_mix_nothing(port: int, model: PeakModel) -> None:
    records = [
        {f"c{c}_{n}": ecg(f"c{c}_{n}", 0.5 + 0.05 * c + 0.2 * n) for n in range(FILES)}
        for c in range(CLIENTS)
    ]
    reader = Reader(model, Options())
    with ThreadPoolExecutor(CLIENTS) as pool:
        found = list(pool.map(lambda one: work(port, one), records))
    for own, got in zip(records, found, strict=True):
        uploads = [Upload(*item) for record in own.values() for item in record.items()]
        expected = {
            e.row.recording: e.row.probability for e in reader.read(uploads, lambda _: None)
        }
        assert got == pytest.approx(expected)
    assert len({p for got in found for p in got.values()}) == CLIENTS * FILES


def test_a_gigabyte_is_answered_before_it_is_sent(port: int) -> None:
    head = (
        f"POST /recordings HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
        f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {1 << 30}\r\n\r\n"
    )
    begin = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(head.encode() + bytes(1000))
        answer = connection.recv(1 << 16)
        while b"Send fewer files" not in answer:
            answer += connection.recv(1 << 16)
    assert answer.startswith(b"HTTP/1.1 413")
    assert time.monotonic() - begin < 10
