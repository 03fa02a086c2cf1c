"""Read patient and acquisition from DICOM, SCP-ECG, EDF and WFDB files."""

import datetime
import io
import re
import struct
import warnings
from collections.abc import Iterator
from typing import Any

from data_modules.reading.reasons import RecordError
from data_modules.reading.stored.dates import calendar_date, ordered_date
from data_modules.reading.stored.facts import (
    ABSENT,
    Fact,
    StoredFacts,
    compact_moment,
    first_stored,
    identifier,
    measurements,
    moment,
    plain,
    sex,
    years,
)
from lsemvae.core.extras import install_extra

_DICOM_TAGS = ["PatientID", "PatientSex", "PatientBirthDate", "PatientAge", "AcquisitionDateTime",
               "AcquisitionDate", "AcquisitionTime",
               "StudyDate", "StudyTime", "Manufacturer", "ManufacturerModelName",
               "WaveformAnnotationSequence"]  # fmt: skip
_DICOM_MEASURED = {  # by the meaning of the concept's code, PS3.16 CID 3228 and 3229
    "ventricular heart rate": "machine_heart_rate_bpm",
    "heart rate": "machine_heart_rate_bpm",
    "pr interval": "machine_pr_ms",
    "pr interval global": "machine_pr_ms",
    "qrs duration": "machine_qrs_ms",
    "qrs duration global": "machine_qrs_ms",
    "qt interval": "machine_qt_ms",
    "qt interval global": "machine_qt_ms",
    "qtc interval": "machine_qtc_ms",
    "qtc interval global": "machine_qtc_ms",
    "p axis": "machine_p_axis_deg",
    "qrs axis": "machine_qrs_axis_deg",
    "t axis": "machine_t_axis_deg",
}
_ID, _BORN, _AGE, _SEX, _DATE, _TIME = 2, 5, 4, 8, 25, 26  # tags of SCP-ECG's section 1
_STATEMENT_WORDS = ("dx", "diagnosis", "diagnose", "statement")
_PATIENT_WORDS = ("subject_id", "patient_id", "patient id", "patient", "subject")


def dicom_facts(content: bytes, *, record: str) -> StoredFacts:
    """Read a DICOM waveform object.

    Raises:
        RecordError: pydicom is missing or cannot decode the file.
    """
    try:
        import pydicom
    except ImportError as error:
        problem = f"DICOM files need the package pydicom; {install_extra('readers')}"
        raise RecordError("reader_missing", record=record, problem=problem) from error
    if content[128:132] != b"DICM":
        content = bytes(128) + b"DICM" + content
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found: Any = pydicom.dcmread(io.BytesIO(content), specific_tags=[*_DICOM_TAGS])
            return _dicom(found)
    except Exception as error:  # the library documents no exceptions; a bad file may raise any
        problem = f"pydicom cannot decode it: {type(error).__name__}"
        raise RecordError("unreadable", record=record, problem=problem) from error


def _dicom(found: Any) -> StoredFacts:
    def text(name: str) -> str:
        return str(found.get(name) or "")

    age = re.fullmatch(r"(\d{1,3})([DWMY])", text("PatientAge").strip(), re.ASCII)
    notes = list(found.get("WaveformAnnotationSequence") or ())
    moments = [text("AcquisitionDateTime"), text("AcquisitionDate") + text("AcquisitionTime"),
               text("StudyDate") + text("StudyTime")]  # fmt: skip
    return StoredFacts(
        "DICOM",
        patient_id=identifier(text("PatientID")),
        acquired=first_stored(map(compact_moment, moments)),
        sex=sex(text("PatientSex")),
        birth_date=compact_moment(text("PatientBirthDate")),
        age_years=years(age[1], age[2]) if age else ABSENT,
        device=plain(f"{text('Manufacturer')} {text('ManufacturerModelName')}"),
        statements=tuple(filter(None, map(_dicom_text, notes))),
        measured=measurements(filter(None, map(_dicom_measurement, notes))),
    )


def _dicom_text(note: Any) -> str:
    return plain(str(note.get("UnformattedTextValue") or "")).value


def _dicom_measurement(note: Any) -> tuple[str, str] | None:
    codes, value = note.get("ConceptNameCodeSequence") or (), note.get("NumericValue")
    name = _DICOM_MEASURED.get(str(codes[0].get("CodeMeaning") or "").casefold()) if codes else None
    return None if name is None or value is None else (name, str(value))


def scp_facts(content: bytes, *, record: str) -> StoredFacts:
    """Read the patient data of an SCP-ECG file (section 1) and its statements (section 8).

    Raises:
        RecordError: the sections lie outside the file.
    """
    from data_modules.reading.formats.scp_ecg import read_sections

    sections = read_sections(content, record=record)
    tags = dict(_scp_tags(sections.get(1, b"")))
    age, sexes = tags.get(_AGE, b"").ljust(3, b"\0"), {1: "M", 2: "F"}
    unit = {1: "years", 2: "months", 3: "weeks", 4: "days"}.get(age[2], "")
    clock = tags.get(_TIME, b"")[:3]
    return StoredFacts(
        "SCP-ECG",
        patient_id=identifier(_latin(tags.get(_ID, b""))),
        acquired=moment(_scp_date(tags.get(_DATE, b"")), ":".join(f"{part:02d}" for part in clock)),
        sex=sex(sexes.get(next(iter(tags.get(_SEX, b"")), 0))),
        birth_date=moment(_scp_date(tags.get(_BORN, b""))),
        age_years=years(str(int.from_bytes(age[:2], "little")), unit),
        statements=tuple(_scp_statements(sections.get(8, b""))),
    )


def _scp_tags(section: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the fields of section 1: a tag, two bytes of length, the value; 255 ends them."""
    position = 0
    while position + 3 <= len(section) and section[position] != 255:
        tag, length = struct.unpack_from("<BH", section, position)
        yield tag, section[position + 3 : position + 3 + length]
        position += 3 + length


def _scp_date(value: bytes) -> datetime.date | None:
    return calendar_date(*struct.unpack("<HBB", value)) if len(value) == 4 else None


def _scp_statements(section: bytes) -> Iterator[str]:
    """Yield the lines of section 8: a head of 9 bytes, then number, length and text of each."""
    position = 9
    for _ in range(section[8] if len(section) > 8 else 0):
        if position + 3 > len(section):
            return
        length = struct.unpack_from("<H", section, position + 1)[0]
        line = _latin(section[position + 3 : position + 3 + length])
        position += 3 + length
        if line:
            yield line


def _latin(value: bytes) -> str:
    return " ".join(value.partition(b"\0")[0].decode("latin-1").split())


def edf_facts(content: bytes, *, record: str) -> StoredFacts:
    """Read an EDF or BDF file; only EDF+ says which part of the patient's field is what."""
    del record  # its header has nothing that could be refused
    header = content[:256].decode("latin-1")
    kind = "BDF" if header[0] == "\xff" else "EDF"
    words = header[8:88].split()
    days = re.fullmatch(r"(\d\d)\.(\d\d)\.(\d\d)", header[168:176])
    date = None
    if days:
        day, month, year = map(int, days.groups())
        date = calendar_date(year + (1900 if year >= 85 else 2000), month, day)
    clock = header[176:184].replace(".", ":")
    if header[192:196] not in ("EDF+", "BDF+") or len(words) < 4:
        return StoredFacts(kind, acquired=moment(date, clock))
    recorded = header[88:168].split()
    stated = (
        ordered_date(recorded[1], day_first=True)
        if recorded[:1] == ["Startdate"] and recorded[1:]
        else None
    )
    code, letter, born = ("" if word == "X" else word for word in words[:3])
    return StoredFacts(
        kind,
        patient_id=identifier(code.replace("_", " ")),
        acquired=moment(stated or date, clock),
        sex=sex(letter),
        birth_date=moment(ordered_date(born, day_first=True)),
        device=plain(recorded[4].replace("_", " ") if len(recorded) > 4 else ""),
    )


def wfdb_facts(content: bytes, *, record: str) -> StoredFacts:
    """Read a WFDB header: its first line, and comments such as `Age: 56`, `<subject_id>: 7`."""
    del record
    lines = content.decode("utf-8", errors="replace").splitlines()
    first = next((line.split() for line in lines if line.strip()[:1] not in ("", "#")), [])
    notes = [line.lstrip("# \t") for line in lines if line.startswith("#")]
    pairs = [re.match(r"<?([A-Za-z_ ]{2,20})>?\s*:\s*(.*)", note) for note in notes]
    said = {pair[1].strip().lower(): pair[2].strip() for pair in reversed(pairs) if pair}
    who = next((said[word] for word in _PATIENT_WORDS if word in said), "")
    return StoredFacts(
        "WFDB",
        patient_id=identifier(who),
        acquired=_wfdb_moment(first[4:6]),
        sex=sex(said.get("sex") or said.get("gender")),
        age_years=years(said.get("age")),
        statements=tuple(said[word] for word in _STATEMENT_WORDS if said.get(word)),
    )


def _wfdb_moment(fields: list[str]) -> Fact:
    """Read `HH:MM:SS DD/MM/YYYY` of a header's first line; header(5) states the order.

    The headers of the CinC challenges have `DD-Mon-YYYY HH:MM:SS`.
    """
    dates = [ordered_date(field, day_first=True) for field in fields]
    day = next(filter(None, dates), None)
    times = [field for field, date in zip(fields, dates, strict=True) if date is None]
    return moment(day, times[0] if times else "")
