"""Compare the subjects that headers name with the patients of the table."""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_modules.cohort.identity import plain_ids

# "<subject_id>: 10000032" or "subject_id 10000032", also among other fields of one comment line.
_SUBJECT = re.compile(r"(?:^|[\s<])(?:subject|patient)[_ ]id>?\s*[:=]?\s*([\w.-]+)", re.IGNORECASE)
MAX_CHARACTERS = 64
SAME_IDS = 0.5  # share of headers that agree, from which on the table has the ids of its source


class SubjectDoubts(NamedTuple):
    """Recordings whose header names somebody else than the table.

    Attributes:
        others: messages by the recording's position in the list.
        renamed: whether the table has ids of its own: fewer than half of the headers agree.
    """

    others: dict[int, str]
    renamed: bool


def stated_subject(comments: Iterable[str]) -> str:
    """Return whom the comments of a header name, empty where they name nobody."""
    found = (_SUBJECT.search(comment) for comment in comments)
    return next((match[1] for match in found if match), "")[:MAX_CHARACTERS]


def compare_subjects(
    stated: npt.NDArray[Any], patients: pd.Series, *, own_ids: bool
) -> SubjectDoubts:
    """Find the recordings whose header names somebody else than the table.

    Where fewer than half of the headers agree, the table may have given its patients new ids. Then
    one id must stand for one subject, and one subject for one id.

    Args:
        stated: subjects by the headers (N,), empty where a header names nobody.
        patients: ids by the table, of the N recordings.
        own_ids: whether the table may have ids of its own.
    """
    known = np.flatnonzero(stated != "")
    if not len(known):
        return SubjectDoubts({}, renamed=False)
    pairs = pd.DataFrame(
        {
            "header": plain_ids(pd.Series(stated[known])).to_numpy(),
            "table": plain_ids(patients.iloc[known]).to_numpy(),
        },
        index=known,
    )
    equal = pairs["header"] == pairs["table"]
    renamed = own_ids and float(equal.mean()) < SAME_IDS
    wrong = _many_to_one(pairs) if renamed else ~equal
    others = {
        int(at): f"the header names the subject {stated[at]}, the table the patient "
        f"{patients.iloc[at]}"
        for at in known[wrong.to_numpy()]
    }
    return SubjectDoubts(others, renamed=renamed)


def _many_to_one(pairs: pd.DataFrame) -> "pd.Series[bool]":
    """Say which rows belong to an id of several subjects, or to a subject of several ids."""
    subjects = pairs.groupby("table")["header"].transform("nunique")
    ids = pairs.groupby("header")["table"].transform("nunique")
    return (subjects > 1) | (ids > 1)
