"""Describe a store in its own attributes, with a digest over them."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lsemvae.core.leads import LEADS

FINGERPRINT = "fingerprint"
COUNTS_PER_UNIT = 1000  # 1 uV where the unit is mV, finer than any ADC step
Hashes = npt.NDArray[np.uint64]
Parts = dict[str, npt.NDArray[Any]]
"""Datasets beside the signals, by name, in the order in which they are hashed."""


class StoreDescription(NamedTuple):
    """What a store says about itself; the meanings are those of `EcgStore`."""

    sampling_rate_hz: float
    n_samples: int
    unit: str
    label: str
    settings: dict[str, Any]
    source: str = ""
    made_by: str = ""


def content_attributes(
    description: StoreDescription,
    *,
    n_listed: int,
    synthetic: bool,
    reasons: dict[str, dict[str, int]],
) -> dict[str, Any]:
    """Return the attributes that the digest covers: all but those of the layout.

    Args:
        description: of the store.
        n_listed: recordings in the list that was converted.
        synthetic: whether any recording says that it is synthetic.
        reasons: how many recordings were `rejected` and had `warnings`, by reason code.
    """
    return {
        **description._asdict(),
        "sampling_rate_hz": float(description.sampling_rate_hz),
        "settings": json.dumps(description.settings, sort_keys=True),
        "leads": ",".join(LEADS),
        "synthetic": synthetic,
        "listed": n_listed,
        "reasons": json.dumps(reasons, sort_keys=True),
    }


def content_digest(attributes: dict[str, Any], parts: Parts) -> str:
    """Return the SHA-256 of attributes and table; the table holds the signals' digests."""
    found = hashlib.sha256(json.dumps(attributes, sort_keys=True).encode())
    for name, values in parts.items():
        found.update(f"{name} {values.dtype.str} {values.shape}".encode())
        found.update(np.ascontiguousarray(values).data.cast("B"))
    return found.hexdigest()


def signal_digest(ecg: npt.NDArray[np.int16]) -> str:
    """Return the first 16 digits of the SHA-256 of a recording's counts (12, T)."""
    return hashlib.sha256(np.ascontiguousarray(ecg, dtype="<i2").data).hexdigest()[:16]


def patient_hashes(ids: Iterable[str]) -> Hashes:
    """Return a number for each patient id, (N,), from which nobody can read the id."""
    digests = (hashlib.blake2b(name.encode(), digest_size=8).digest() for name in ids)
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def signal_hashes(digests: Iterable[str]) -> Hashes:
    """Return the digests of `signal_digest`, 16 hexadecimal digits each, as numbers, (N,)."""
    return np.frombuffer(bytes.fromhex("".join(digests)), dtype=">u8").astype(np.uint64)
