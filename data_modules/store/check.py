"""Compare a store with its own digests."""

from collections.abc import Iterator

import numpy as np

from data_modules.store.content import (
    StoreDescription,
    content_attributes,
    content_digest,
    signal_digest,
)
from data_modules.store.read import EcgStore

BLOCK = 256  # records in memory at once: 31 MB of signals


def table_is_whole(store: EcgStore) -> bool:
    """Tell whether table, flags and description are those that the store's digest was made of."""
    names = ["row", "present", "columns", *(f"table/{i}" for i in range(len(store.columns)))]
    description = StoreDescription(
        store.sampling_rate_hz, store.n_samples, store.unit, store.label, store.settings,
        store.source, store.made_by,
    )  # fmt: skip
    attributes = content_attributes(
        description,
        n_listed=store.plan.n_listed,
        synthetic=store.synthetic,
        reasons=store.reasons,
    )
    return content_digest(attributes, {name: store.part(name) for name in names}) == store.sha256


def changed_signals(store: EcgStore) -> Iterator[list[str]]:
    """Hash the stored signals, a block of records at a time.

    Yields:
        Names of the records of the block whose signals are not those that were written.

    Raises:
        InputError: a shard is missing, cut short, or of another store.
    """
    written, record = store.column("signal_sha256"), store.column("record")
    for start in range(0, len(store), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(store)))
        found = [signal_digest(ecg).encode() for ecg in store.read(rows)]
        wrong = rows[np.array(found) != written[rows]]
        yield [record[row].decode("utf-8") for row in wrong]
