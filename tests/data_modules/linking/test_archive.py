"""An archive without a table: patients from inside the files, and no identity in any result."""

import io
from pathlib import Path

import pytest

from benchmarks.recording_files import (
    EIGHT,
    aecg_files,
    dicom_files,
    edf_files,
    make_counts,
    muse_files,
    philips_files,
    wfdb_files,
)
from benchmarks.study import found_tokens
from data_modules.store.read import EcgStore
from lsemvae.cli import main

FORMATS = ("muse", "philips", "aecg", "dicom", "edf", "wfdb")
SIGNAL = ["--signal.sampling_rate_hz", "100", "--signal.duration_s", "6",
          "--signal.min_duration_s", "5"]  # fmt: skip


def tokens(kind: str) -> list[str]:
    """Return 30 planted words; the first is the patient's id."""
    return [f"{kind}q{number:02d}zz" for number in range(30)]


def _xml(raw: bytes, end: str, more: str, encoding: str) -> bytes:
    return raw.decode(encoding).replace(end, more + end).encode(encoding)


def _planted(kind: str) -> dict[str, bytes]:
    counts, words = make_counts(), tokens(kind)
    rest = " ".join(words[1:])
    if kind == "muse":
        text = (f"<PatientDemographics><PatientID>{words[0]}</PatientID>"
                f"<PatientLastName>{rest}</PatientLastName></PatientDemographics>")  # fmt: skip
        file = muse_files(make_counts(EIGHT))["r1.xml"]
        return {"a.xml": _xml(file, "</RestingECG>", text, "latin-1")}
    if kind == "philips":
        text = (f"<patient><generalpatientdata><patientid>{words[0]}</patientid><name><lastname>"
                f"{rest}</lastname></name></generalpatientdata></patient>")  # fmt: skip
        return {"a.xml": _xml(philips_files(counts)["r1.xml"], "</restingecgdata>", text, "utf-16")}
    if kind == "aecg":
        text = (f'<componentOf><trialSubject><id extension="{words[0]}"/><name>{rest}</name>'
                "</trialSubject></componentOf>")  # fmt: skip
        return {"a.xml": _xml(aecg_files(counts)["r1.xml"], "</AnnotatedECG>", text, "utf-8")}
    if kind == "dicom":
        pydicom = pytest.importorskip("pydicom")
        found = pydicom.dcmread(io.BytesIO(dicom_files(counts)["r1.dcm"]))
        found.PatientID, found.PatientName = words[0], words[1]
        found.PatientComments = rest
        buffer = io.BytesIO()
        found.save_as(buffer)
        return {"a.dcm": buffer.getvalue()}
    if kind == "edf":
        raw = edf_files(counts)["r1.edf"]
        head = f"{words[0]} F 02-MAY-1951 {'_'.join(words[1:5])}".ljust(80)[:80]
        rec = f"Startdate 01-JAN-2020 {'_'.join(words[5:8])} X X".ljust(80)[:80]
        return {"a.edf": raw[:8] + (head + rec).encode() + raw[168:192] + b"EDF+C".ljust(44)
                + raw[236:]}  # fmt: skip
    files = wfdb_files(counts)
    note = f"#<subject_id>: {words[0]}\n# {rest}\n".encode()
    return {"r1.hea": files["r1.hea"] + note, "r1.dat": files["r1.dat"]}


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write one recording in each format, in a folder named after its patient, and a broken one."""
    folder = tmp_path_factory.mktemp("exports")
    for kind in FORMATS:
        home = folder / f"{tokens(kind)[2]}"
        home.mkdir()
        for name, content in _planted(kind).items():
            (home / name).write_bytes(content)
            if name != "r1.hea":
                (home / f"{tokens(kind)[3]}.{name[-3:]}").write_bytes(content[:2000])
    return folder


@pytest.fixture(scope="module")
def store(exports: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    key = out.parent / "archive_key"
    assert main(["prepare", "archive", "--source", str(exports), "--out", str(out / "a.h5"),
                 "--key", str(key), *SIGNAL]) == 0  # fmt: skip
    return out / "a.h5"


def test_patients_are_taken_from_inside_the_files(store: Path) -> None:
    opened = EcgStore(str(store))
    assert len(opened) == len(FORMATS)
    assert opened.table["patient_id"].nunique() == len(FORMATS)


@pytest.mark.parametrize("kind", FORMATS)
def test_no_word_planted_in_a_format_is_in_a_result(kind: str, exports: Path, store: Path) -> None:
    assert found_tokens(tokens(kind)[:3], exports)
    assert found_tokens(tokens(kind), store.parent) == []


def test_the_patients_of_a_study_can_be_left_out(
    exports: Path, store: Path, tmp_path: Path
) -> None:
    EcgStore(str(store)).table[["patient_id"]].head(2).to_csv(tmp_path / "x.csv", index=False)
    key = store.parent.parent / "archive_key"
    more = ["--out", str(tmp_path / "b.h5"), "--key", str(key)]
    more += ["--exclude", str(tmp_path / "x.csv"), *SIGNAL]
    assert main(["prepare", "archive", "--source", str(exports), *more]) == 0
    assert len(EcgStore(str(tmp_path / "b.h5"))) == len(FORMATS) - 2
