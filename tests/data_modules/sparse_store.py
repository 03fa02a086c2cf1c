"""Write stores of any size that take no room: their signals are holes of the file system."""

from pathlib import Path

import numpy as np
import pandas as pd

from data_modules.store.content import StoreDescription, signal_digest
from data_modules.store.shards import plan_shards, shards_root, write_shard
from data_modules.store.write import Accepted, write_store

SETTINGS = {"low_hz": 0.5, "high_hz": 40.0, "powerline_hz": None, "segment": "record"}


def write_sparse_store(
    path: Path, *, n_records: int, n_samples: int = 5000, label: str = "sparse", seed: int = 0
) -> Path:
    """Write a store with the table of MIMIC-IV-ECG, five records of a patient, and zero signals."""
    plan = plan_shards(n_records, n_samples)
    folder = shards_root(path) / "sparse"
    folder.mkdir(parents=True)
    for number in range(plan.n_shards):
        write_shard(folder, number, key="sparse", shape=plan.shape(number), blocks=[])
    rng = np.random.default_rng(seed)
    study = 40_000_000 + np.arange(n_records)
    patient = (10_000_000 + rng.integers(0, n_records // 5 + 2, n_records)).astype(str)
    frame = pd.DataFrame(
        {
            "record": [
                f"files/p{p[:4]}/p{p}/s{s}/{s}" for p, s in zip(patient, study, strict=True)
            ],
            "patient_id": patient,
            "study_id": study.astype(str),
            "ecg_time": "2180-07-23 08:44:00",
            "signal_sha256": signal_digest(np.zeros((12, n_samples), np.int16)),
        }
    )
    present = np.ones((n_records, 12), dtype=np.bool_)
    present[:, 8] = rng.random(n_records) > 0.01
    accepted = Accepted(frame, np.arange(n_records), present, synthetic=True, reasons={})
    description = StoreDescription(500.0, n_samples, "mV", label, SETTINGS)
    write_store(path, folder, accepted, plan=plan, description=description)
    return path
