"""Read patient and acquisition from ISHNE and Kardia files."""

import struct

from data_modules.reading.formats.ishne import parse_header
from data_modules.reading.formats.kardia_json import parse_kardia
from data_modules.reading.stored.dates import after_iso_date, calendar_date, iso_date
from data_modules.reading.stored.facts import (
    StoredFacts,
    identifier,
    measurements,
    moment,
    plain,
    sex,
)

_PACED = {1: "pacemaker", 2: "pacemaker, single chamber, unipolar",
          3: "pacemaker, dual chamber, unipolar", 4: "pacemaker, single chamber, bipolar",
          5: "pacemaker, dual chamber, bipolar"}  # fmt: skip


def ishne_facts(content: bytes, *, record: str) -> StoredFacts:
    """Read the header of an ISHNE file; its code of a pacemaker becomes a statement.

    Raises:
        RecordError: the header is cut off or contradicts itself.
    """
    parse_header(content, record=record)
    born, taken, clock = (struct.unpack_from("<3h", content, at) for at in (132, 138, 150))
    code, pacemaker = (struct.unpack_from("<h", content, at)[0] for at in (128, 230))
    return StoredFacts(
        "ISHNE",
        patient_id=identifier(_text(content, 108, 20)),
        acquired=moment(calendar_date(*taken[::-1]), "{:02d}:{:02d}:{:02d}".format(*clock)),
        sex=sex({1: "M", 2: "F"}.get(code)),
        birth_date=moment(calendar_date(*born[::-1])),
        device=plain(_text(content, 232, 40)),
        statements=(_PACED[pacemaker],) if pacemaker in _PACED else (),
    )


def _text(content: bytes, place: int, size: int) -> str:
    return content[place : place + size].split(b"\0")[0].decode("latin-1")


def kardia_facts(content: bytes, *, record: str) -> StoredFacts:
    """Read a Kardia recording; the time is that of the place that its offset names.

    Raises:
        RecordError: it is no JSON object.
    """
    found = parse_kardia(content, record=record)
    recorded, device = str(found.get("recordedAt") or ""), found.get("deviceInfo")
    said = plain(str(found.get("algorithmDetermination") or ""))
    model = device.get("hardwareType") if isinstance(device, dict) else None
    return StoredFacts(
        "Kardia JSON",
        patient_id=identifier(str(found.get("patientID") or "")),
        acquired=moment(iso_date(recorded), after_iso_date(recorded)),
        device=plain(f"AliveCor {model}" if model else ""),
        statements=(said.value,) if said.value else (),
        measured=measurements([("machine_heart_rate_bpm", str(found.get("heartRate")))]),
    )
