"""Write folders of finished cross-validations with simulated predictions, without training."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lsemvae.core.leads import lead_set_name, parse_leads
from lsemvae.crossval.gather import write_results
from lsemvae.evaluation.projection import project, write_projection
from lsemvae.evaluation.report.verify import splits_digest
from lsemvae.models.methods import METHODS

N_FOLDS = 3
INNER_SHARE = 3  # every third record of a training part


def write_run(
    out: Path, labelled: pd.DataFrame, *, task: str = "detection", method: str = "ls_emvae",
    leads: int = 12, cohort_sha256: str = "c" * 64, seed: int = 0, **about: Any,
) -> Path:  # fmt: skip
    """Write a run as `lsemvae cv` does and return its folder.

    Args:
        out: folder above the tasks.
        labelled: columns record, patient_id, label, one record for each patient.
        task: of the run.
        method: of the run.
        leads: 12 or 6.
        cohort_sha256: of the store.
        seed: of the predictions.
        about: what else metrics.json says.
    """
    rng = np.random.default_rng(seed)
    table = labelled.reset_index(drop=True)
    table["fold"] = table.groupby("label").cumcount() % N_FOLDS
    log_odds = 1.2 * table["label"] - 0.6 + rng.normal(size=len(table))
    table["probability"] = 1 / (1 + np.exp(-log_odds))
    inner = pd.concat(
        [table[table["fold"] != fold].iloc[::INNER_SHARE].assign(fold=fold)
         for fold in range(N_FOLDS)], ignore_index=True,
    )  # fmt: skip
    table["uncertainty"] = rng.normal(size=len(table))
    names = parse_leads(leads)
    folder = out / task / method / lead_set_name(names)
    folder.mkdir(parents=True)
    fold_of = dict(zip(table["record"], table["fold"].tolist(), strict=True))
    (out / task / "splits.json").write_text(json.dumps({"fold": fold_of}))
    settings = {
        "task": task, "data": "simulated", "synthetic": True, "leads": names, "method": method,
        "encoder_saw_these_recordings": False, "scored_epoch": "last", "leaks": [],
        "pretraining_compared": True, "encoder_sha256": "e" * 64, "cohort_sha256": cohort_sha256,
        "splits_sha256": splits_digest(fold_of), "mpap_threshold_mmhg": 20.0,
        "pawp_threshold_mmhg": 15.0, "normalisation": "record", "epochs": 50, "batch_size": 32,
        "lr": 1e-4, "focal_alpha": 0.25, "focal_gamma": 2.0, "size": "paper", "seed": 0,
        "provenance": {"git_commit": "abc", "versions": {"numpy": "2"}},
        **(METHODS[method].about() if method in METHODS else {}),
    }  # fmt: skip
    write_projection(folder, project(rng.normal(size=(len(table), 4)), table["record"]))
    write_results(folder, table, {**settings, **about}, inner)
    return folder


def labelled_patients(n_patients: int = 120, seed: int = 0) -> pd.DataFrame:
    """Return patients with one record each and a label."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "record": [f"r{number:03}" for number in range(n_patients)],
            "patient_id": [f"p{number:03}" for number in range(n_patients)],
            "label": (rng.random(n_patients) < 0.6).astype(float),
        }
    )
