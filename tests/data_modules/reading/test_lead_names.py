"""A signal is a lead only if its name says so, however makers write it."""

import pytest

from data_modules.reading.lead_names import known_lead


@pytest.mark.parametrize(
    ("written", "lead"),
    [
        ("I", "I"), ("ii", "II"), ("AVR", "aVR"), ("avl", "aVL"), ("v1", "V1"), (" V6 ", "V6"),
        ("Lead II", "II"), ("LEAD-aVF", "aVF"), ("ECG I", "I"), ("EKG V3", "V3"),
        ("ECG lead II", "II"), ("MDC_ECG_LEAD_aVR", "aVR"), ("Lead I (Einthoven)", "I"),
        ("C4", "V4"), ("DIII", "III"),
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
        "x" * 99,
    ],
)
def test_other_positions_and_inverted_leads_are_unknown(written: str) -> None:
    assert known_lead(written) is None
