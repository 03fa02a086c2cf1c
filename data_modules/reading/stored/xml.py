"""Read patient and acquisition from GE MUSE, Philips and HL7 aECG files."""

import datetime
import re
from collections.abc import Iterable
from xml.etree.ElementTree import Element

from data_modules.reading.formats.xml_tree import parse_xml
from data_modules.reading.stored.dates import iso_date, ordered_date
from data_modules.reading.stored.facts import (
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

_MUSE_MEASURED = {
    "VentricularRate": "machine_heart_rate_bpm",
    "PRInterval": "machine_pr_ms",
    "QRSDuration": "machine_qrs_ms",
    "QTInterval": "machine_qt_ms",
    "QTCorrected": "machine_qtc_ms",
    "PAxis": "machine_p_axis_deg",
    "RAxis": "machine_qrs_axis_deg",
    "TAxis": "machine_t_axis_deg",
}
_PHILIPS_MEASURED = {  # 1.04, then the names of 1.03
    "machine_heart_rate_bpm": ("heartrate",),
    "machine_pr_ms": ("print", "meanprint"),
    "machine_qrs_ms": ("qrsdur", "meanqrsdur"),
    "machine_qt_ms": ("qtint", "meanqtint"),
    "machine_qtc_ms": ("qtcb", "meanqtc"),
    "machine_p_axis_deg": ("pfrontaxis",),
    "machine_qrs_axis_deg": ("qrsfrontaxis",),
    "machine_t_axis_deg": ("tfrontaxis",),
}
_AECG_MEASURED = {
    "MDC_ECG_HEART_RATE": "machine_heart_rate_bpm",
    "MDC_ECG_TIME_PD_PR": "machine_pr_ms",
    "MDC_ECG_TIME_PD_QRS": "machine_qrs_ms",
    "MDC_ECG_TIME_PD_QT": "machine_qt_ms",
    "MDC_ECG_TIME_PD_QTc": "machine_qtc_ms",
    "MDC_ECG_TIME_PD_QTcB": "machine_qtc_ms",
    "MDC_ECG_TIME_PD_QTcF": "machine_qtc_ms",
    "MDC_ECG_ANGLE_P_FRONT": "machine_p_axis_deg",
    "MDC_ECG_ANGLE_QRS_FRONT": "machine_qrs_axis_deg",
    "MDC_ECG_ANGLE_T_FRONT": "machine_t_axis_deg",
}


def muse_facts(content: bytes, *, record: str) -> StoredFacts:
    """Read a GE MUSE file; its dates are MM-DD-YYYY.

    Raises:
        RecordError: it is no XML.
    """
    root = parse_xml(content, record=record).root
    patient, test = root.find("PatientDemographics"), root.find("TestDemographics")
    born, taken = _text(patient, "DateofBirth"), _text(test, "AcquisitionDate")
    measured = root.find("RestingECGMeasurements")
    return StoredFacts(
        "GE MUSE XML",
        patient_id=identifier(_text(patient, "PatientID")),
        acquired=moment(_month_first(taken), _text(test, "AcquisitionTime")),
        sex=sex(_text(patient, "Gender")),
        birth_date=moment(_month_first(born)),
        age_years=years(_text(patient, "PatientAge"), _text(patient, "AgeUnits") or "years"),
        device=plain(_text(test, "AcquisitionDevice")),
        statements=_muse_statements(root),
        measured=measurements(
            (name, _text(measured, tag)) for tag, name in _MUSE_MEASURED.items()
        ),
        numbered_dates=(taken, born) if re.match(r"\d\d?\D", taken) else (),
    )  # fmt: skip


def _muse_statements(root: Element) -> tuple[str, ...]:
    """Return the diagnosis line by line; what the machine said first, only where there is none.

    A reader may have struck out the machine's statements: then they do not hold.
    """
    holding = root.find("Diagnosis")
    diagnosis = root.find("OriginalDiagnosis") if holding is None else holding
    if diagnosis is None:
        return ()
    return _lines(one.findtext("StmtText") for one in diagnosis.iter("DiagnosisStatement"))


def _month_first(text: str) -> datetime.date | None:
    return ordered_date(text, day_first=False) or iso_date(text)


def philips_facts(content: bytes, *, record: str) -> StoredFacts:
    """Read a Philips file, versions 1.03 and 1.04.

    Raises:
        RecordError: it is no XML.
    """
    root = parse_xml(content, record=record).root
    patient = root.find(".//generalpatientdata")
    taken, machine = root.find(".//dataacquisition"), root.find(".//dataacquisition/machine")
    attributes = {} if taken is None else taken.attrib
    return StoredFacts(
        "Philips XML",
        patient_id=identifier(_text(patient, "patientid") or _text(patient, "MRN")),
        acquired=moment(iso_date(attributes.get("date")), attributes.get("time", "")),
        sex=sex(_text(patient, "sex")),
        birth_date=moment(iso_date(_text(patient, "age/dateofbirth"))),
        age_years=years(_text(patient, "age/years")),
        device=plain("" if machine is None else f"Philips {machine.text or ''}"),
        statements=tuple(dict.fromkeys(_lines(_philips_statements(root)))),
        measured=measurements(
            (name, root.findtext(f".//{part}/{tag}"))
            for name, tags in _PHILIPS_MEASURED.items()
            for tag in tags
            for part in ("interpretation/globalmeasurements", "interpretationmeasurements")
        ),
    )  # fmt: skip


def _philips_statements(root: Element) -> Iterable[str]:
    for one in root.iter("codedstatement"):
        if one.get("deleted", "False").casefold() == "false":
            yield one.findtext(".//lhsstatement") or ""
    for one in root.findall(".//interpretation/statement"):
        yield one.findtext("leftstatement") or ""


def aecg_facts(content: bytes, *, record: str) -> StoredFacts:
    """Read an HL7 annotated ECG.

    Raises:
        RecordError: it is no XML.
    """
    root = parse_xml(content, record=record).root
    subject = root.find(".//trialSubject")
    times = [
        root.find(f"{where}effectiveTime/{part}")
        for where in ("", "component/series/")
        for part in ("center", "low")
    ]
    device = root.find(".//manufacturedSeriesDevice")
    found = [
        (_attribute(one, "code", "code"), one.find("value")) for one in root.iter("annotation")
    ]
    texts = [value.text for code, value in found
             if value is not None and code.startswith("MDC_ECG_INTERPRETATION")]  # fmt: skip
    return StoredFacts(
        "HL7 aECG",
        patient_id=identifier(_attribute(subject, "id", "extension")),
        acquired=first_stored(compact_moment(one.get("value")) for one in times if one is not None),
        sex=sex(_attribute(subject, ".//administrativeGenderCode", "code")),
        birth_date=moment(iso_date(_attribute(subject, ".//birthTime", "value"))),
        device=plain(_text(device, "manufacturerModelName")),
        statements=_lines(texts),
        measured=measurements(
            (_AECG_MEASURED[code], value.get("value")) for code, value in found
            if value is not None and code in _AECG_MEASURED
            and value.get("unit") in ("ms", "bpm", "/min", "1/min", "deg", None)
        ),
    )  # fmt: skip


def _text(parent: Element | None, path: str) -> str:
    return "" if parent is None else " ".join((parent.findtext(path) or "").split())


def _attribute(parent: Element | None, path: str, name: str) -> str:
    child = None if parent is None else parent.find(path)
    return "" if child is None else (child.get(name) or "").strip()


def _lines(texts: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(line for text in texts if (line := " ".join((text or "").split())))
