"""Time the loader up to the card's memory."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.gpu_step import wait
from benchmarks.loading import BATCH, make_signals, write_layouts
from data_modules.dataset import EcgDataset, EcgPool
from data_modules.epoch_batches import batch_loader
from lsemvae.core.leads import LEADS


def measure_loaders(
    folder: Path, n_records: int, workers: Sequence[int], device: str
) -> list[dict[str, Any]]:
    """Read a synthetic store in shuffled batches, verified, and move each to the device."""
    place = folder / "loader"
    place.mkdir()
    store = write_layouts(place, make_signals(n_records))["store"]
    dataset = EcgDataset(EcgPool([str(store)]), np.arange(n_records), leads=LEADS)
    rows = []
    for number in workers:
        loader = batch_loader(dataset, min(BATCH, n_records), shuffle=True, num_workers=number)
        for _ in loader:  # starts the workers, touches every page
            pass
        start = time.perf_counter()
        for batch in loader:
            batch.ecg.to(device, non_blocking=True)
        wait(device)
        rate = n_records / (time.perf_counter() - start)
        rows.append({"workers": number, "records_per_s": rate})
    return rows
