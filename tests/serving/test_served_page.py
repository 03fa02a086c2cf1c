"""What the page says about results, withheld results and errors."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, logit
from starlette.testclient import TestClient

from benchmarks.recording_files import WRITERS, make_counts, wfdb_files
from lsemvae.core.leads import LEADS
from lsemvae.predicting.sources import Loaded, Loader, Source
from tests.serving.conftest import (
    WEIGHTS,
    PeakModel,
    Sent,
    ecg,
    named,
    rows_of,
    send,
    text_of,
    visit,
)

NOTICE = "Research software, not a medical device"


def loaded(model: PeakModel, folder: Path, record: str, files: dict[str, bytes]) -> Loaded:
    """Return what `lsemvae predict` would give the model."""
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return Loader(model.description).load(Source(record, folder / record))


def test_a_result_stands_in_the_list_and_on_a_page_of_its_own(browser: TestClient) -> None:
    listed = text_of(send(browser, ecg("anna")))
    assert "1 with a result 0 withheld 0 errors" in listed
    (row,) = rows_of(browser)
    assert (row["recording"], row["outcome"], row["decision"]) == ("anna", "result", "1")
    probability = float(row["probability"])
    assert f"1 anna At or above the threshold {probability:.2f} 0.50" in listed
    shown = text_of(browser.get("/recordings/1"))
    assert f"{probability:.2f} probability of PH (mPAP > 20 mmHg); threshold 0.50" in shown
    # slope 0.5 times the spread 0.4 of the logits, on the scale of the log-odds
    low, high = expit(logit(probability) - 0.2), expit(logit(probability) + 0.2)
    assert f"{low:.2f} to {high:.2f} is one standard deviation of the 5 members" in shown
    assert "brought to the model's sampling rate: from 250 to 100 Hz." in shown


def test_what_a_hidden_lead_moves_is_its_share_of_the_log_odds(
    browser: TestClient, model: PeakModel, tmp_path: Path
) -> None:
    send(browser, ecg("anna"))
    signal = loaded(model, tmp_path, "anna", ecg("anna")).ecg / np.float32(1000)
    share = np.abs(signal).max(-1) @ np.diag(WEIGHTS)
    shown = text_of(browser.get("/recordings/1"))
    for lead, moved in zip(LEADS, share, strict=True):
        found = re.search(rf" {lead} ([+-]\d\.\d\d) \d\.\d\d (for|against|neither)", shown)
        assert found is not None
        assert float(found[1]) == pytest.approx(moved, abs=0.0051)
    assert shown.index(" V6 +") < shown.index(" aVL +")  # what moves most comes first


def test_withheld_and_error_say_why_and_what_to_do(browser: TestClient, model: PeakModel) -> None:
    counts = make_counts(n_samples=2500)
    counts[0] *= -1
    send(browser, named("swapped", wfdb_files(counts)), ecg("short", seconds=3))
    assert [row["outcome"] for row in rows_of(browser)] == ["withheld", "error"]
    assert all(row["probability"] == "" for row in rows_of(browser))
    withheld, error = (text_of(browser.get(f"/recordings/{number}")) for number in (1, 2))
    assert "No result: withheld Limb leads look swapped, inverted or scaled." in withheld
    assert "Next step: check the cables of the limb electrodes and record again." in withheld
    assert "it fits if I is inverted" in withheld
    assert "Which leads moved" not in withheld
    assert "No result: error The recording is too short for the model." in error
    assert "Nothing more was checked, because the recording could not be used." in error
    assert (
        "Found: it lasts 3 s; min_duration_s is 5. Next step: record again for ten seconds."
        in error
    )
    assert browser.get("/recordings/1/ecg.svg").status_code == 200
    assert browser.get("/recordings/2/ecg.svg").status_code == 404


def test_an_unsure_model_says_how_unsure_it_is(model: PeakModel) -> None:
    model.description = replace(model.description, uncertainty="posterior", uncertainty_limit=0.3)
    with visit(model) as client:
        send(client, ecg("anna"))
        assert [row["code"] for row in rows_of(client)] == ["uncertain"]
        shown = text_of(client.get("/recordings/1"))
        assert "Its uncertainty is 0.40; the limit is 0.30." in shown
    model.description = replace(model.description, uncertainty_limit=0.5)
    with visit(model) as client:
        send(client, ecg("anna"))
        shown = text_of(client.get("/recordings/1"))
    assert "uncertainty is 0.40 (mean log variance); results above 0.50 are withheld." in shown


def test_a_recording_of_the_training_is_withheld(
    browser: TestClient, model: PeakModel, tmp_path: Path
) -> None:
    model.knows(loaded(model, tmp_path, "anna", ecg("anna")).signal)
    send(browser, ecg("anna"), ecg("new", 1.1))
    assert [row["code"] for row in rows_of(browser)] == ["trained_on", ""]
    assert "proves nothing on what it was trained on" in text_of(browser.get("/recordings/1"))


@pytest.mark.parametrize("kind", WRITERS)
def test_every_kind_of_file_is_read_with_what_belongs_to_it(kind: str, browser: TestClient) -> None:
    record, leads, write = WRITERS[kind]
    send(browser, write(make_counts(leads, n_samples=2500), leads))
    (row,) = rows_of(browser)
    assert (row["recording"], row["outcome"]) == (record, "result")


def test_the_picture_shows_all_seconds_of_twelve_leads(browser: TestClient) -> None:
    send(browser, ecg("anna"))
    picture = browser.get("/recordings/1/ecg.svg")
    assert picture.headers["content-type"] == "image/svg+xml"
    width_mm = float(re.search(r'width="([\d.]+)pt"', picture.text)[1]) / 72 * 25.4  # type: ignore[index]
    assert width_mm > 250  # ten seconds at 25 mm/s
    assert [f">{lead}<" in picture.text for lead in LEADS] == [True] * 12
    assert "anna" not in picture.text


def test_a_beat_model_shows_the_whole_recording(model: PeakModel) -> None:
    model.description.signal["segment"] = "median_beat"
    with visit(model) as client:
        send(client, ecg("anna"), ecg("flat", height=0.0))
        assert [row["code"] for row in rows_of(client)] == ["", "no_usable_lead"]
        assert "The model sees the median of these beats." in text_of(client.get("/recordings/1"))
        width = re.search(r'width="([\d.]+)pt"', client.get("/recordings/1/ecg.svg").text)
    assert float(width[1]) / 72 * 25.4 > 250  # type: ignore[index]


def test_every_page_says_that_it_is_no_medical_device(browser: TestClient) -> None:
    send(browser, ecg("anna"), {"notes.txt": b"no ECG"})
    for path in ("/", "/recordings/1", "/recordings/2", "/recordings/9", "/model", "/nowhere"):
        shown = text_of(browser.get(path))
        assert NOTICE in shown, path
    assert "SYNTHETIC" in text_of(browser.get("/"))
    assert "a card" in text_of(browser.get("/model"))


def test_the_list_can_be_ordered_by_probability(browser: TestClient) -> None:
    send(browser, ecg("low", 0.5), ecg("short", seconds=3), ecg("high", 2.0))
    listed = browser.get("/?order=probability").text
    assert listed.index(">high<") < listed.index(">low<") < listed.index(">short<")
    listed = browser.get("/").text
    assert listed.index(">low<") < listed.index(">short<") < listed.index(">high<")


def test_names_are_text_to_browsers_and_to_spreadsheets(browser: TestClient) -> None:
    send(browser, {"<img src=x onerror=alert(1)>.xml": b"<a/>", "=cmd|' a'!A1.xml": b"<a/>"})
    assert "<img src=x" not in browser.get("/").text
    assert "&lt;img src=x" in browser.get("/recordings/1").text
    assert [row["recording"][0] for row in rows_of(browser)] == ["<", "'"]


def test_a_cleared_list_is_gone(browser: TestClient) -> None:
    send(browser, ecg("anna"))
    assert "None yet." in text_of(browser.post("/clear"))
    assert rows_of(browser) == []
    assert browser.get("/recordings/1").status_code == 404


def test_the_script_gets_a_bare_line(browser: TestClient) -> None:
    answer: Sent = send(browser, ecg("anna"), headers={"accept": "text/plain"})
    assert (answer.status_code, answer.text) == (200, "1 added")
    answer = browser.post("/recordings", files=[], headers={"accept": "text/plain"})
    assert answer.status_code == 400
    assert answer.text.count("\n") == 0
