"""Dates, times of day, ages and sexes as devices write them."""

import io

import pytest

from benchmarks.recording_files import dicom_files, make_counts
from data_modules.reading.stored.binary import dicom_facts, wfdb_facts
from data_modules.reading.stored.dates import clock_time, iso_date, ordered_date
from data_modules.reading.stored.facts import compact_moment, day_first, moment, sex, years
from data_modules.reading.stored.xml import aecg_facts, muse_facts


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("09:08:07", "09:08:07"), ("090807", "09:08:07"), ("0908", "09:08:00"),
        ("9:08:07", "09:08:07"), ("09:08:07.250", "09:08:07"), ("090807.123456", "09:08:07"),
        ("02:15:07 PM", "14:15:07"), ("2:15 pm", "14:15:00"), ("02:15:07 p.m.", "14:15:07"),
        ("12:00:00 AM", "00:00:00"), ("12:30 PM", "12:30:00"), ("14:15:07 PM", "14:15:07"),
        ("091000-0500", "09:10:00"), ("09:10:00+01:00", "09:10:00"), ("09:10:00Z", "09:10:00"),
        ("24:00:00", ""), ("09:61", ""), ("09:08:75", ""), ("", ""), ("noon", ""), ("9", ""),
    ],
)  # fmt: skip
def test_times_of_day_are_read_and_those_of_twelve_hours_with_their_half(
    text: str, wanted: str
) -> None:
    assert clock_time(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("20200303", "2020-03-03"), ("2020-03-03", "2020-03-03"), ("2020.03.03", "2020-03-03"),
        ("2020/3/9", "2020-03-09"), ("2020-02-30", "None"), ("03-03-2020", "None"), ("", "None"),
    ],
)  # fmt: skip
def test_dates_written_year_first(text: str, wanted: str) -> None:
    assert str(iso_date(text)) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("12-May-2020", "2020-05-12"), ("02-MAR-2002", "2002-03-02"), ("3 June 1999", "1999-06-03"),
        ("12-Mai-2020", "None"), ("31-Apr-2020", "None"), ("05-12-2020", "2020-05-12"),
        ("13-12-2020", "None"), ("05-12-20", "None"),
    ],
)  # fmt: skip
def test_a_month_by_its_name_needs_no_order_and_two_digits_are_no_year(
    text: str, wanted: str
) -> None:
    assert str(ordered_date(text, day_first=False)) == wanted


def test_a_moment_may_have_signs_between() -> None:
    for text in ("20200303090807+0100", "2020-03-03T09:08:07.5Z", "2020.03.03 09:08:07"):
        assert compact_moment(text).value == "2020-03-03T09:08:07"


def test_a_clock_that_was_not_set_is_a_default() -> None:
    for text in ("00200303", "1899-12-31", "1970-01-01", "1900-01-01"):
        assert moment(iso_date(text)).status == "default"


@pytest.mark.parametrize(
    ("text", "unit", "wanted"),
    [
        ("49", "years", "49"), ("049Y", "years", "49"), ("49 years", "years", "49"),
        ("18", "MONTHS", "1.5"), ("18 months", "years", "1.5"), ("26", "WEEKS", "0.4983"),
        ("73", "DAYS", "0.1999"), ("5", "HOURS", ""), ("30", "MINUTES", ""), ("300", "years", ""),
        ("-3", "years", ""), ("0", "years", ""), ("NaN", "years", ""), ("1951", "years", ""),
    ],
)  # fmt: skip
def test_ages_are_in_years_whatever_their_unit(text: str, unit: str, wanted: str) -> None:
    assert years(text, unit).value == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("W", "F"), ("weiblich", "F"), ("femenino", "F"), ("Homme", "M"), ("M\u00e4nnlich", "M"),
     ("U", ""), ("O", ""), ("H", "")],
)  # fmt: skip
def test_the_sex_is_read_in_other_languages(text: str, wanted: str) -> None:
    assert sex(text).value == wanted


def test_a_header_of_the_challenges_says_its_date_and_time() -> None:
    text = "A0001 12 500 7500 12-May-2020 12:33:59\nA0001.mat 16+24 1000/mV 16 0 28 -1716 0 I\n"
    facts = wfdb_facts((text + "#Age: 74\n#Sex: Male\n#Dx: 59118001\n").encode(), record="A0001")
    assert facts.acquired.value == "2020-05-12T12:33:59"
    assert (facts.age_years.value, facts.sex.value) == ("74", "M")


def test_a_muse_file_of_twelve_hours_is_in_the_afternoon() -> None:
    text = (
        "<RestingECG><PatientDemographics><DateofBirth>05-02-1951</DateofBirth>"
        "</PatientDemographics><TestDemographics><AcquisitionTime>02:15:07 PM</AcquisitionTime>"
        "<AcquisitionDate>03-04-2020</AcquisitionDate></TestDemographics></RestingECG>"
    )
    facts = muse_facts(text.encode(), record="r")
    assert facts.acquired.value == "2020-03-04T14:15:07"
    assert day_first(facts).acquired.value == "2020-04-03T14:15:07"


def test_an_aecg_may_state_its_time_in_the_series_alone() -> None:
    text = (
        "<AnnotatedECG><effectiveTime><low value=''/></effectiveTime><component><series>"
        "<effectiveTime><low value='20020302091000.000-0500'/></effectiveTime></series>"
        "</component></AnnotatedECG>"
    )
    assert aecg_facts(text.encode(), record="r").acquired.value == "2002-03-02T09:10:00"


def test_dicom_takes_the_day_of_acquisition_and_not_of_the_study() -> None:
    import pydicom

    dataset = pydicom.dcmread(io.BytesIO(dicom_files(make_counts())["r1.dcm"]))
    dataset.StudyDate, dataset.StudyTime = "20200301", "080000"
    dataset.AcquisitionDate, dataset.AcquisitionTime = "20200303", "090807"
    dataset.PatientAge, dataset.PatientSex = "018M", "F"
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    facts = dicom_facts(buffer.getvalue(), record="r")
    assert facts.acquired.value == "2020-03-03T09:08:07"
    assert (facts.age_years.value, facts.sex.value) == ("1.5", "F")
