"""Find out which lead a foreign file's signal is, by its name alone."""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from data_modules.reading.units import mv_per_unit
from lsemvae.core.errors import InputError
from lsemvae.core.leads import canonical_lead

# What makers write around a lead's name: `Lead II`, `ECG lead II`, `EKG V1`, `MDC_ECG_LEAD_aVR`
# (ISO 11073-10101, in HL7 aECG), `Lead I (Einthoven)` and `aVR, augmented voltage, right` (DICOM,
# PS3.16 CID 3001), `II-REF` and `V1-WCT` (EDF: the electrode or terminal that it is measured
# against).
_AROUND = re.compile(
    r"(?:MDC[ _]ECG[ _](?:LEAD|ELEC[ _]POTL)[ _]"
    r"|(?:ECG|EKG)[ _:-]?(?:LEAD)?[ _:-]?|LEAD[ _:-]?)?"
    r"(?P<lead>[A-Z]+[ _]?\d?)"
    r"(?: ?\((?:EINTHOVEN|GOLDBERGER|WILSON)\)|, AUGMENTED VOLTAGE, (?:RIGHT|LEFT|FOOT)"
    r"|[ _-](?:REF|WCT))?"
)
_IN_BRACKETS = re.compile(r"(?P<name>.*\S)\s*(?:\((?P<round>[^()]*)\)|\[(?P<square>[^\[\]]*)\])")
_AFTER_SLASH = re.compile(r"(?P<name>.*\S)\s*[/,]\s*(?P<unit>\S+)")
# IEC 60601-2-25 writes C1..C6 for the chest leads; makers of Romance languages and of the Turkish
# write DI or D1 for I (derivation).
_ALIASES = {f"C{k}": f"V{k}" for k in range(1, 7)}
_ALIASES |= {"DI": "I", "DII": "II", "DIII": "III", "D1": "I", "D2": "II", "D3": "III"}
MAX_NAME = 60


class SignalName(NamedTuple):
    """What a signal's name says: the canonical lead and the unit, None where it says none."""

    lead: str | None
    unit: str | None


@lru_cache(maxsize=4096)
def read_name(name: str) -> SignalName:
    """Take a signal's name apart.

    A name with a minus sign (`-aVR`, of Cabrera's order) is the inverted lead and no known one;
    `MLII` is another electrode position.

    Args:
        name: the signal's name, any case, perhaps with its unit: `II (mV)`, `II [uV]`, `II/mV`.
    """
    if len(name) > MAX_NAME:
        return SignalName(None, None)
    # roman numerals of one character and wide letters become plain ones
    plain = unicodedata.normalize("NFKC", name).strip(" \t\r\n\"'\0")
    for pattern in (_IN_BRACKETS, _AFTER_SLASH):
        found = pattern.fullmatch(plain)
        unit = next((part for part in found.groups()[1:] if part), "") if found else ""
        if found and mv_per_unit(unit) is not None:
            return SignalName(_lead(found["name"]), unit)
    return SignalName(_lead(plain), None)


def known_lead(name: str) -> str | None:
    """Return the canonical lead that a signal's name means, None where it means none."""
    return read_name(name).lead


def _lead(name: str) -> str | None:
    match = _AROUND.fullmatch(name.strip().upper())
    if match is None:
        return None
    bare = re.sub("[ _]", "", match["lead"])
    try:
        return canonical_lead(_ALIASES.get(bare, bare))
    except InputError:
        return None
