"""Share between the tests of `prepare mimic-rhc` the files of one patient."""

import pytest
from catheter_tables import A
from mimic_files import MimicFiles


@pytest.fixture
def files() -> MimicFiles:
    """One patient: a wedge at noon, pressures from 10:30 on, an ECG the day before."""
    made = MimicFiles()
    made.pressures(A, "10 10:30", 90, 60, 45)
    made.pressures(A, "10 11:00", 40, 26, 18)
    made.pressures(A, "10 12:00", 50, 30, 20)
    made.pressures(A, "10 13:00", 44, 31, 25)
    made.read(A, "10 12:00", "pawp", 14)
    made.patient(A)
    made.ecg(A, "09 12:00", 1)
    return made
