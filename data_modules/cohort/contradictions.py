"""Find columns of a table that contradict one another, before anything is trained on them."""

from collections.abc import Collection

import pandas as pd

from data_modules.cohort.catheter_days import exchanged_dates
from data_modules.cohort.derived_columns import derived_contradictions
from data_modules.cohort.group_words import group_word_findings
from data_modules.cohort.label_columns import label_contradictions
from data_modules.cohort.odd_columns import odd_columns
from data_modules.cohort.sexes import check_sexes
from data_modules.cohort.two_people import two_ages, two_sexes
from lsemvae.core.findings import Finding
from lsemvae.core.tasks import Thresholds


def contradictions(
    table: pd.DataFrame, thresholds: Thresholds, *, compared: Collection[str] = ()
) -> list[Finding]:
    """Return what columns say against one another, and codes that could mean two things.

    Args:
        table: one row for each recording, columns as in `cohort_table`.
        thresholds: that define the tasks.
        compared: columns of labels that are compared with their definition elsewhere.
    """
    return [
        *check_sexes(table),
        *two_sexes(table),
        *two_ages(table),
        *odd_columns(table),
        *group_word_findings(table),
        *exchanged_dates(table),
        *label_contradictions(table, thresholds, names={*map(str, table)} - {*compared}),
        *derived_contradictions(table),
    ]
