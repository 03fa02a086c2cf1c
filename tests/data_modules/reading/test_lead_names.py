"""A signal is a lead only if its name says so, however makers write it."""

import pytest

from data_modules.reading.lead_names import known_lead, read_name
from data_modules.reading.units import mv_per_unit


@pytest.mark.parametrize(
    ("written", "lead"),
    [
        ("I", "I"), ("ii", "II"), ("AVR", "aVR"), ("avl", "aVL"), ("v1", "V1"), (" V6 ", "V6"),
        ("Lead II", "II"), ("LEAD-aVF", "aVF"), ("ECG I", "I"), ("EKG V3", "V3"),
        ("ECG lead II", "II"), ("MDC_ECG_LEAD_aVR", "aVR"), ("Lead I (Einthoven)", "I"),
        ("C4", "V4"), ("DIII", "III"), ("V 1", "V1"), ("MDC_ECG_LEAD_V1", "V1"), ("II:", "II"),
        ("Ableitung II", "II"), ("Abl. aVR", "aVR"), ("D\u00e9rivation V3", "V3"),
        ("Derivaci\u00f3n III", "III"), ("C1 (V1)", "V1"), ("V2/C2", "V2"),
        ("\u0406\u0406", "II"), ("\u0399", "I"), ("\u0430VR", "aVR"), ("\u04213", "V3"),
    ],
)  # fmt: skip
def test_makers_spellings_are_known(written: str, lead: str) -> None:
    assert known_lead(written) == lead


@pytest.mark.parametrize(
    "written",
    [
        "",
        "-aVR",
        "MLII",
        "MV1",
        "V",
        "V7",
        "V3R",
        "vx",
        "ECG",
        "ECG 1",
        "PLETH",
        "1",
        "I I",
        "I-II",
        "II (I)",
        "V1 (C2)",
        "VR",
        "LL",
        "ll",
        "l",
        "x" * 99,
    ],
)
def test_other_positions_and_inverted_leads_are_unknown(written: str) -> None:
    assert known_lead(written) is None


@pytest.mark.parametrize(
    ("written", "lead", "unit"),
    [
        ("II (mV)", "II", "mV"), ("II [uV]", "II", "uV"), ("Lead V1/mV", "V1", "mV"),
        ("'aVR'", "aVR", None), ("I-REF", "I", None), ("ECG V6-Ref", "V6", None),
        ("D1", "I", None), ("MDC_ECG_ELEC_POTL_II", "II", None), ("V 3", "V3", None),
        ("aVR, augmented voltage, right", "aVR", None), ("\u2161", "II", None),
        ("II_uV", "II", "uV"), ("V1 mV", "V1", "mV"), ("I V", None, None), ("aVR_V", None, None),
        ("II (filtered)", None, None), ("I (MV)", None, None), ("D4", None, None),
    ],
)  # fmt: skip
def test_names_carry_units_and_references(written: str, lead: str | None, unit: str | None) -> None:
    assert read_name(written) == (lead, unit)


@pytest.mark.parametrize(
    ("unit", "size"),
    [
        ("mV", 1), ("mv", 1), ("V", 1e3), ("v", 1e3), ("uV", 1e-3), ("UV", 1e-3), ("nV", 1e-6),
        ("\u00b5V", 1e-3), ("\u03bcV", 1e-3), ("MICROVOLTS", 1e-3), ("microvolt", 1e-3),
        ("Millivolts", 1), ("volts", 1e3), ("[uV]", 1e-3), ("MV", None), ("Mv", None),
        ("microV", 1e-3), ("milli-volts", 1), ("micro V", 1e-3), ("MVolt", None),
        ("NU", None), ("", None), ("kV", None), (None, None),
    ],
)  # fmt: skip
def test_units_that_could_be_two_sizes_are_unknown(unit: str | None, size: float | None) -> None:
    assert mv_per_unit(unit) == size
