"""Find out which lead a foreign file's signal is, by its name alone."""

import re
from functools import lru_cache

from lsemvae.core.errors import InputError
from lsemvae.core.leads import canonical_lead

# What makers write around a lead's name: `Lead II`, `ECG lead II`, `EKG V1`, `MDC_ECG_LEAD_aVR`
# (ISO 11073-10101, in HL7 aECG), `Lead I (Einthoven)` (DICOM).
_AROUND = re.compile(
    r"(?:MDC[ _]ECG[ _]LEAD[ _]|(?:ECG|EKG)[ _-]?(?:LEAD)?[ _-]?|LEAD[ _-]?)?"
    r"(?P<lead>[A-Z]+\d?)(?: ?\(EINTHOVEN\))?"
)
# IEC 60601-2-25 writes C1..C6 for the chest leads; some European makers write DI, DII, DIII.
_ALIASES = {f"C{k}": f"V{k}" for k in range(1, 7)} | {"DI": "I", "DII": "II", "DIII": "III"}
MAX_NAME = 60


@lru_cache(maxsize=4096)
def known_lead(name: str) -> str | None:
    """Return the canonical lead that a signal's name means, None where it means none.

    A name with a minus sign (`-aVR`, of Cabrera's order) is the inverted lead and no known one;
    `MLII` is another electrode position.

    Args:
        name: the signal's name, any case.
    """
    match = _AROUND.fullmatch(name.strip().upper()) if len(name) <= MAX_NAME else None
    if match is None:
        return None
    try:
        return canonical_lead(_ALIASES.get(match["lead"], match["lead"]))
    except InputError:
        return None
