"""Find ids that stand for several people: of two sexes, or of ages a lifetime apart."""

import pandas as pd

from data_modules.cohort.quantity_checks import rows
from data_modules.reading.text_cells import SEX
from lsemvae.core.counted import counted
from lsemvae.core.findings import Finding

_MOST_YEARS = 20  # between the first and the last recording of a patient


def two_sexes(table: pd.DataFrame) -> list[Finding]:
    """Find ids that stand for several people."""
    if "sex" not in table:
        return []
    word = table["sex"].replace("", None).dropna().astype(str)
    sex = word.map(lambda one: SEX.get(one.casefold(), one)).reindex(table.index)
    several = sex.groupby(table["patient_id"]).transform("nunique") > 1
    if not several.any():
        return []
    n = table["patient_id"][several].nunique()
    text = (
        f"{counted(n, 'patient has', 'patients have')} recordings of two sexes: is each id that of "
        "one person?"
    )
    return [Finding("two sexes", rows(several), text)]


def two_ages(table: pd.DataFrame) -> list[Finding]:
    """Find ids whose recordings lie further apart in age than a study lasts."""
    if "age_years" not in table:
        return []
    ages = pd.to_numeric(table["age_years"], errors="coerce").groupby(table["patient_id"])
    several = (ages.transform("max") - ages.transform("min")) > _MOST_YEARS
    if not several.any():
        return []
    n = table["patient_id"][several].nunique()
    text = (
        f"{counted(n, 'patient has', 'patients have')} recordings of ages more than "
        f"{_MOST_YEARS} years apart: is each id that of one person?"
    )
    return [Finding("two ages", rows(several), text)]
