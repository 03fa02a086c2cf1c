"""What files say of patient and acquisition: written from the formats' layouts, and real files."""

from pathlib import Path

import pytest

from benchmarks.recording_files import WRITERS, make_counts, philips_files
from data_modules.reading.stored.binary import edf_facts, wfdb_facts
from data_modules.reading.stored.facts import day_first, identifier
from data_modules.reading.stored.read import list_records, read_facts
from data_modules.reading.stored.xml import muse_facts, philips_facts

MUSE = (
    "<RestingECG><PatientDemographics><PatientID>007</PatientID><DateofBirth>05-08-1953</DateofBirth>"
    "<Gender>FEMALE</Gender></PatientDemographics><TestDemographics><AcquisitionTime>09:10:00"
    "</AcquisitionTime><AcquisitionDate>11-02-2002</AcquisitionDate></TestDemographics>"
    "<Diagnosis><DiagnosisStatement><StmtText>Sinus rhythm</StmtText></DiagnosisStatement>"
    "</Diagnosis><RestingECGMeasurements><QRSDuration>96</QRSDuration></RestingECGMeasurements>"
    "</RestingECG>"
)


def test_a_muse_file_says_who_and_when() -> None:
    facts = muse_facts(MUSE.encode(), record="r")
    assert facts.patient_id == ("007", "stored")
    assert facts.acquired == ("2002-11-02T09:10:00", "stored")
    assert facts.sex == ("F", "stored")
    assert facts.birth_date.value == "1953-05-08"
    assert facts.statements == ("Sinus rhythm",)
    assert facts.measured == {"machine_qrs_ms": 96.0}


def test_a_muse_file_of_a_day_first_device_is_read_so_when_told() -> None:
    facts = day_first(muse_facts(MUSE.encode(), record="r"))
    assert facts.acquired.value == "2002-02-11T09:10:00"
    assert facts.birth_date.value == "1953-08-05"


@pytest.mark.parametrize("text", ["0000", "UNKNOWN", "xxxx", "9999", "-"])
def test_what_devices_write_for_nobody_is_a_default(text: str) -> None:
    assert identifier(text).status == "default"


def test_edf_plus_says_who_and_plain_edf_only_when() -> None:
    patient = "MCH-0234567 F 02-MAY-1951 Haagse_Harry"
    head = ("0".ljust(8) + patient.ljust(80)
            + "Startdate 02-MAR-2002 PSG Tech Device_7".ljust(80)
            + "02.03.02" + "09.10.00" + "512".ljust(8))  # fmt: skip
    facts = edf_facts((head + "EDF+C".ljust(44)).encode(), record="r")
    assert facts.patient_id.value == "MCH-0234567"
    assert facts.birth_date.value == "1951-05-02"
    assert facts.acquired.value == "2002-03-02T09:10:00"
    assert facts.device.value == "Device 7"
    plain = edf_facts((head + "".ljust(44)).encode(), record="r")
    assert plain.patient_id.status == "absent"
    assert plain.acquired.value == "2002-03-02T09:10:00"


def test_a_wfdb_header_says_its_time_day_first_and_the_rest_in_comments() -> None:
    text = "r1 0 500 5000 09:10:00 02/11/2002\n# Age: 49\n# Sex: M\n#<subject_id>: 12\n# Dx: AF\n"
    facts = wfdb_facts(text.encode(), record="r1")
    assert facts.acquired.value == "2002-11-02T09:10:00"
    assert (facts.patient_id.value, facts.sex.value, facts.age_years.value) == ("12", "M", "49")
    assert facts.statements == ("AF",)


def test_a_philips_file_says_who_and_when() -> None:
    text = philips_files(make_counts(n_samples=500))["r1.xml"].decode("utf-16")
    more = (
        '<dataacquisition date="2020-05-18" time="15:48:11">',
        "<patient><generalpatientdata><patientid>77</patientid><age><years>50</years></age>"
        "<sex>Male</sex></generalpatientdata></patient></restingecgdata>",
    )
    text = text.replace("<dataacquisition>", more[0]).replace("</restingecgdata>", more[1])
    facts = philips_facts(text.encode("utf-16"), record="r")
    assert (facts.patient_id.value, facts.age_years.value, facts.sex.value) == ("77", "50", "M")
    assert facts.acquired.value == "2020-05-18T15:48:11"


@pytest.mark.parametrize("kind", [kind for kind in WRITERS if kind != "CSV"])
def test_a_file_that_says_nothing_of_the_patient_says_so(kind: str, tmp_path: Path) -> None:
    record, leads, write = WRITERS[kind]
    for name, content in write(make_counts(leads)).items():
        (tmp_path / name).write_bytes(content)
    assert record in list_records(tmp_path)
    assert read_facts(tmp_path, record).patient_id.status == "absent"


def test_one_recording_in_three_formats_says_the_same(corpora: Path) -> None:
    root = corpora / "vendor_formats"
    names = ["dicom/ECGToolkit_Example.dcm", "hl7_aecg/Example_aECG.xml", "scp_ecg/Example.scp"]
    for facts in (read_facts(root, name) for name in names):
        assert facts.patient_id.value == "SBJ-123"
        assert facts.acquired.value == "2002-11-22T09:10:00"
        assert (facts.sex.value, facts.birth_date.value) == ("M", "1953-05-08")
