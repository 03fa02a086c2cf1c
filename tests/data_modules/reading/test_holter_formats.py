"""ISHNE and Kardia files: what each field does, and what is refused."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.holter_files import ishne_files, kardia_files
from benchmarks.recording_files import make_counts
from data_modules.reading.read import read_recording
from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import Recording
from data_modules.reading.stored.read import read_facts
from data_modules.signals.clean import clean_ecg
from data_modules.signals.settings import SignalSettings
from lsemvae.core.leads import LIMB_LEADS


def read(folder: Path, name: str, content: bytes) -> Recording:
    (folder / name).write_bytes(content)
    return read_recording(folder, name, amplitude="calibrated")


def refused(folder: Path, name: str, content: bytes) -> RecordError:
    with pytest.raises(RecordError) as caught:
        read(folder, name, content)
    return caught.value


def ishne(**more: Any) -> bytes:
    return ishne_files(make_counts(), **more)["r1.ecg"]


def kardia(**more: Any) -> dict[str, Any]:
    content = kardia_files(make_counts(LIMB_LEADS), LIMB_LEADS, **more)["r1.json"]
    found: dict[str, Any] = json.loads(content)
    return found


def with_field(content: bytes, place: int, value: int, form: str = "<h") -> bytes:
    changed = struct.pack(form, value)
    return content[:place] + changed + content[place + len(changed) :]


def test_a_lead_that_was_off_has_no_sample_there(tmp_path: Path) -> None:
    counts = make_counts()
    counts[3, 100:110] = -32768
    ecg = read(tmp_path, "a.ecg", ishne_files(counts)["r1.ecg"]).ecg
    assert np.isnan(ecg[3, 100:110]).all()
    assert np.isfinite(np.delete(ecg, 3, axis=0)).all()


def test_each_lead_has_its_own_resolution(tmp_path: Path) -> None:
    plain = read(tmp_path, "a.ecg", ishne())
    doubled = read(tmp_path, "b.ecg", with_field(ishne(), 206 + 2, 10_000))
    assert np.allclose(doubled.ecg[1], 2 * plain.ecg[1])
    assert np.allclose(doubled.ecg[0], plain.ecg[0])
    assert [code for code, _ in doubled.warnings] == ["checksum_missing"]


def test_both_ways_to_count_samples_are_read(tmp_path: Path) -> None:
    content = with_field(ishne(), 14, 12 * 1500, "<i")
    assert read(tmp_path, "a.ecg", content).ecg.shape == (12, 1500)


def test_a_signal_that_is_no_lead_is_left_out(tmp_path: Path) -> None:
    found = read(tmp_path, "a.ecg", with_field(ishne(), 158, 2))  # I becomes Frank's X
    assert found.leads[0] == "II"
    assert len(found.leads) == 11


@pytest.mark.parametrize(
    ("place", "value", "code"),
    [(14, 99, "size_mismatch"), (22, 600, "file_invalid"), (156, 13, "file_invalid"),
     (156, 0, "file_invalid"), (206, 0, "gain_invalid"), (272, 5, "rate_invalid")],
)  # fmt: skip
def test_ishne_headers_that_contradict_are_refused(
    tmp_path: Path, place: int, value: int, code: str
) -> None:
    assert refused(tmp_path, "a.ecg", with_field(ishne(), place, value)).code == code


@pytest.mark.parametrize(("cut", "code"), [(300, "file_invalid"), (-1, "size_mismatch")])
def test_a_cut_ishne_file_is_refused(tmp_path: Path, cut: int, code: str) -> None:
    assert refused(tmp_path, "a.ecg", ishne()[:cut]).code == code


def test_ishne_says_whose_it_is_and_that_it_is_paced(tmp_path: Path) -> None:
    (tmp_path / "a.ecg").write_bytes(ishne(identity="4711", last="Nobody", paced=3))
    facts = read_facts(tmp_path, "a.ecg")
    assert facts.patient_id.known == "4711"
    assert (facts.acquired.known, facts.birth_date.known) == ("2020-03-03T09:08:07", "1951-05-02")
    assert (facts.sex.known, facts.device.known) == ("F", "digital")
    assert facts.statements == ("pacemaker, dual chamber, unipolar",)
    assert "Nobody" not in str(facts)


def test_kardia_says_whose_it_is_and_what_it_measured(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(kardia(identity="k-1", note="at home")))
    facts = read_facts(tmp_path, "a.json")
    assert (facts.patient_id.known, facts.acquired.known) == ("k-1", "2020-03-03T09:08:07")
    assert facts.statements == ("normal",)
    assert facts.measured == {"machine_heart_rate_bpm": 61.5}
    assert "home" not in str(facts)


def test_kardia_of_a_single_lead(tmp_path: Path) -> None:
    found = kardia()
    samples = found["data"]["raw"]["samples"]
    found["data"]["raw"]["samples"] = {"leadI": samples["leadI"], "leadII": []}
    recording = read(tmp_path, "a.json", json.dumps(found).encode())
    assert recording.leads == ("I",)


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [("frequency", None, "rate_invalid"), ("amplitudeResolution", None, "gain_invalid"),
     ("amplitudeResolution", -5, "gain_invalid"), ("samples", 3, "file_invalid"),
     ("samples", {"leadI": [1, 2], "leadII": [1]}, "file_invalid"),
     ("samples", {"leadI": ["a", "b"]}, "file_invalid")],
)  # fmt: skip
def test_kardia_files_that_lack_a_field_are_refused(
    tmp_path: Path, name: str, value: object, code: str
) -> None:
    found = kardia()
    found["data"]["raw"][name] = value
    assert refused(tmp_path, "a.json", json.dumps(found).encode()).code == code


def test_kardia_is_cleaned_to_the_six_limb_leads(tmp_path: Path) -> None:
    recording = read(tmp_path, "a.json", json.dumps(kardia()).encode())
    clean = clean_ecg(recording, SignalSettings(duration_s=6.0))
    assert clean.present.tolist() == [True] * 6 + [False] * 6
    assert [code for code, _ in clean.warnings] == ["lead_missing"]


def test_kardias_twelve_leads_are_refused_by_name(tmp_path: Path) -> None:
    content = b'{"recordedAt": "2020-03-03", "data12L": {}}'
    assert "states no amplitude" in refused(tmp_path, "a.json", content).problem
