"""Serve a model that can be computed by hand, so that every number on the page is known."""

import csv
import io
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import unescape
from typing import Any

import httpx2
import numpy as np
import numpy.typing as npt
import pytest
import uvicorn
from scipy.special import expit
from starlette.testclient import TestClient

from benchmarks.recording_files import make_counts, wfdb_files
from benchmarks.without_torch import untrained
from data_modules.store.content import signal_hashes
from lsemvae.core.leads import LEADS
from lsemvae.model_file.description import OperatingPoint, Recalibration, Task
from lsemvae.model_file.trained_on import NOBODY
from lsemvae.predicting.predictor import Scores
from lsemvae.predicting.run import Options
from lsemvae.serving.app import DEFAULT_LIMITS, build_app
from lsemvae.serving.limits import Limits
from lsemvae.serving.run import bind
from lsemvae.serving.worklists import Worklists

Sent = httpx2.Response
PORT = 8765
HOME = f"http://127.0.0.1:{PORT}"
WEIGHTS = np.linspace(-0.3, 0.8, len(LEADS))  # of the leads' peaks in mV
SPREAD = 0.4


class PeakModel:
    """Log-odds are -1 plus the weighted peaks of the leads that are there."""

    def __init__(self) -> None:
        self.digest, self.trained_on = "0" * 64, NOBODY
        self.description = replace(
            untrained(()),
            task=Task("detection", "PH (mPAP > 20 mmHg)", 20.0, None),
            recalibration=Recalibration(0.0, 0.5),
            points={"youden": OperatingPoint(0.5, 0.8, 0.7)},
            uncertainty="members",
            uncertainty_limit=None,
            n_members=5,
            card="a card",
        )

    def odds(self, ecg: npt.NDArray[np.float32], present: npt.NDArray[np.bool_]) -> np.ndarray:
        return (np.abs(ecg).max(-1) * present) @ WEIGHTS - 1

    def score(self, ecg: npt.NDArray[np.float32], present: npt.NDArray[np.bool_]) -> Scores:
        odds = self.odds(ecg, present)
        return Scores(expit(odds), np.full(len(odds), SPREAD))

    def knows(self, *signals: str) -> None:
        self.trained_on = NOBODY._replace(signal=np.sort(signal_hashes(list(signals))))


@pytest.fixture
def model() -> PeakModel:
    return PeakModel()


def visit(
    model: PeakModel, limits: Limits = DEFAULT_LIMITS, worklists: Worklists | None = None
) -> TestClient:
    """Return a browser on the page, which is named as a browser names it."""
    app = build_app(
        model, Options(), port=PORT, limits=limits, worklists=worklists or Worklists(limits)
    )
    headers = {"origin": HOME, "accept": "text/html"}
    return TestClient(app, base_url=HOME, headers=headers, raise_server_exceptions=False)


@pytest.fixture
def browser(model: PeakModel) -> Iterator[TestClient]:
    with visit(model) as client:
        yield client


@pytest.fixture
def port(model: PeakModel) -> Iterator[int]:
    """Return the port of a server that runs beside the test."""
    taken = bind(0)
    number = taken.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(
            build_app(model, Options(), port=number), log_level="error", lifespan="off", ws="none"
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]})
    thread.start()
    yield number
    server.should_exit = True
    thread.join()
    taken.close()


def named(record: str, files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files of a record under another name."""
    return {
        name.replace("r1", record): content.replace(b"r1", record.encode())
        if name.endswith(".hea")
        else content
        for name, content in files.items()
    }


def ecg(
    record: str = "r1", height: float = 1.0, leads: Sequence[str] = LEADS, seconds: int = 10
) -> dict[str, bytes]:
    """Return a WFDB record of 250 Hz whose amplitudes are multiplied by `height`."""
    counts = make_counts(leads, n_samples=250 * seconds)
    return named(record, wfdb_files(np.rint(counts * height).astype(np.int16), leads))


def send(client: TestClient, *records: dict[str, bytes], **more: Any) -> Sent:
    """Send files as the page's form does."""
    files = [("files", item) for record in records for item in record.items()]
    return client.post("/recordings", files=files, **more)


def text_of(response: Sent) -> str:
    """Return what a page says, without its tags, in one line."""
    body = re.sub(r"<(script|style|title)[^>]*>.*?</\1>", "", response.text, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def rows_of(client: TestClient) -> list[dict[str, str]]:
    """Return the rows of a session's CSV."""
    return list(csv.DictReader(io.StringIO(client.get("/worklist.csv").text)))
