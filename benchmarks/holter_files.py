"""Write small ISHNE and Kardia files, byte by byte, for tests and torture."""

import json
import struct
from binascii import crc_hqx
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lsemvae.core.leads import LEADS, LIMB_LEADS

NV_PER_COUNT = 5000  # 5 uV, as in the files of all other kinds
ISHNE_CODES = {name: 5 + place for place, name in enumerate(LEADS)}
KARDIA_KEYS = {"I": "leadI", "II": "leadII", "III": "leadIII", "aVR": "AVR", "aVL": "AVL",
               "aVF": "AVF"}  # fmt: skip


def ishne_files(
    counts: npt.NDArray[np.int16], leads: Sequence[str] = LEADS, *, rate: float = 250,
    first: str = "", last: str = "", identity: str = "", free: str = "a remark", paced: int = 0,
) -> dict[str, bytes]:  # fmt: skip
    """Return an ISHNE file of a woman born on 2 May 1951, taken on 3 March 2020 at 09:08:07."""
    n_leads, block = len(leads), free.encode("latin-1")
    unused = [0] * (12 - n_leads)
    header = b"".join([
        struct.pack("<4i", len(block), counts.shape[1], 522, 522 + len(block)),
        struct.pack("<h", 1),
        *(text.encode("latin-1").ljust(size, b"\0")
          for text, size in ((first, 40), (last, 40), (identity, 20))),
        struct.pack("<2h", 2, 0),
        struct.pack("<12h", 2, 5, 1951, 3, 3, 2020, 4, 3, 2020, 9, 8, 7),
        struct.pack("<h", n_leads),
        struct.pack("<12h", *(ISHNE_CODES[name] for name in leads), *(-9 for _ in unused)),
        struct.pack("<12h", *(1 for _ in leads), *(-9 for _ in unused)),
        struct.pack("<12h", *(NV_PER_COUNT for _ in leads), *(-9 for _ in unused)),
        struct.pack("<h", paced), b"digital".ljust(40, b"\0"), struct.pack("<h", round(rate)),
        bytes(80 + 80 + 88),
    ])  # fmt: skip
    checksum = struct.pack("<H", crc_hqx(header + block, 0xFFFF))
    return {"r1.ecg": b"ISHNE1.0" + checksum + header + block + counts.T.astype("<i2").tobytes()}


def kardia_files(
    counts: npt.NDArray[np.int16], leads: Sequence[str] = LIMB_LEADS, *, rate: float = 250,
    identity: str = "", note: str = "",
) -> dict[str, bytes]:  # fmt: skip
    """Return a Kardia recording of 3 March 2020 at 09:08:07."""
    samples = {KARDIA_KEYS[name]: row for name, row in zip(leads, counts.tolist(), strict=True)}
    raw = {"frequency": rate, "mainsFrequency": 50, "amplitudeResolution": NV_PER_COUNT,
           "samples": samples}  # fmt: skip
    found = {
        "id": "0000", "patientID": identity, "note": note, "heartRate": 61.5,
        "recordedAt": "2020-03-03T09:08:07Z", "algorithmDetermination": "normal",
        "deviceInfo": {"hardwareType": "Triangle"}, "data": {"raw": raw},
    }  # fmt: skip
    return {"r1.json": json.dumps(found).encode()}
