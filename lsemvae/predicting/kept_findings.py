"""Read what `prepare` found in the recordings of a store, from the list beside it."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from data_modules.store.mark import quarantine_list, quarantined
from lsemvae.core.errors import InputError

if TYPE_CHECKING:
    from data_modules.store.read import EcgStore

Findings = dict[str, list[tuple[str, str]]]

DOUBTFUL = ("limb_leads_inconsistent", "leads_scaled_separately")
"""Findings that withhold a result."""


def kept_findings(store: "EcgStore") -> Findings:
    """Return reason codes and messages of the accepted recordings of a store, by record.

    Raises:
        InputError: the store says that it holds doubtful recordings, and the list beside it is not
            there or names others, so that nobody knows which results to withhold.
    """
    file = quarantine_list(store.path)
    found = _listed(store.path)
    named = Counter(code for codes in found.values() for code in {code for code, _ in codes})
    told = store.reasons.get("warnings", {})
    for code in DOUBTFUL:
        if named[code] != told.get(code, 0):
            seen = f"names {named[code]}" if file.is_file() else "is not there"
            raise InputError(
                f"{store.named}: {code}, which withholds a result, was found in "
                f"{told.get(code, 0)} of its recordings, and {file.name}, which says in which, "
                f"{seen}; copy the list that `lsemvae prepare` wrote, or prepare again"
            )
    return found


def _listed(store: Path) -> Findings:
    found: Findings = {}
    for row in quarantined(store):
        if row["outcome"] != "rejected":
            found.setdefault(row["record"], []).append((row["code"], row["message"]))
    return found
