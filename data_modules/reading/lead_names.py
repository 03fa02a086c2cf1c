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
    r"|(?:ECG|EKG)[ _:-]?(?:LEAD)?[ _:-]?|(?:LEAD|ABLEITUNG|ABL\.?|DERIVATION|DERIVACION"
    r"|DERIVAZIONE|DERIVACAO)[ _:-]?)?"
    r"(?P<lead>AV[ _.-]?[RLF]|V[ _-]?0?\d|[A-Z]+[ _]?\d?)"
    r"(?: ?\((?:EINTHOVEN|GOLDBERGER|WILSON)\)|, AUGMENTED VOLTAGE, (?:RIGHT|LEFT|FOOT)"
    r"|[ _-](?:REF|WCT|ECG|EKG))?"
)
_IN_BRACKETS = re.compile(
    r"(?P<name>.*[^\s_])[\s_]*(?:\((?P<round>[^()]*)\)|\[(?P<square>[^\[\]]*)\]|\{(?P<curly>[^{}]*)\})"
)
_AFTER_SLASH = re.compile(r"(?P<name>.*\S)\s*[/,]\s*(?P<unit>\S+)")
_AFTER_BLANK = re.compile(r"(?P<name>.*[^\s_])[ _]+(?P<unit>[munUN\u03bc][vV](?:olts?)?)")
# what R makes of `II (mV)`
_AFTER_POINTS = re.compile(r"(?P<name>[^.]*[^.\s])\.{1,2}(?P<unit>[munUN\u03bc]?[vV](?:olts?)?)")
# Letters of Cyrillic and Greek keyboards that look like those of lead names, and mean nothing else.
_LOOKALIKES = str.maketrans(
    {"\u0406": "I", "\u0456": "I", "\u04c0": "I", "\u0399": "I", "\u03b9": "I", "\u0410": "A",
     "\u0430": "A", "\u0391": "A", "\u03b1": "A", "\u0421": "C", "\u0441": "C", "\u0474": "V",
     "\u0475": "V"}
)  # fmt: skip
# IEC 60601-2-25 writes C1..C6 for the chest leads; makers of Romance languages and of the Turkish
# write DI or D1 for I (derivation).
_ALIASES = {f"C{k}": f"V{k}" for k in range(1, 7)}
_ALIASES |= {"LI": "I", "LII": "II", "LIII": "III", "L1": "I", "L2": "II", "L3": "III"}
_ALIASES |= {f"V0{k}": f"V{k}" for k in range(1, 7)}
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
    plain = unicodedata.normalize("NFKC", name).strip(" \t\r\n\"'\0:;.")
    for pattern in (_IN_BRACKETS, _AFTER_SLASH, _AFTER_BLANK, _AFTER_POINTS):
        found = pattern.fullmatch(plain)
        unit = next((part for part in found.groups()[1:] if part), "") if found else ""
        if found and mv_per_unit(unit) is not None:
            return SignalName(_lead(found["name"]), unit)
        if found and (lead := _lead(found["name"])) is not None and lead == _lead(unit):
            return SignalName(lead, None)  # `C1 (V1)`
    return SignalName(_lead(plain), None)


def known_lead(name: str) -> str | None:
    """Return the canonical lead that a signal's name means, None where it means none."""
    return read_name(name).lead


def _lead(name: str) -> str | None:
    letters = unicodedata.normalize("NFD", name.strip().translate(_LOOKALIKES))
    bare = "".join(sign for sign in letters if not unicodedata.combining(sign))
    match = _AROUND.fullmatch(bare.upper())
    if match is None:
        return None
    bare = re.sub("[ _.-]", "", match["lead"])
    try:
        return canonical_lead(_ALIASES.get(bare, bare))
    except InputError:
        return None
