"""Compare the signals of a store with their digests."""

from collections.abc import Iterator

import numpy as np

from data_modules.store.content import signal_digest
from data_modules.store.read import EcgStore

BLOCK = 256  # records in memory at once: 31 MB of signals


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
