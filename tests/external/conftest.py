"""A locked model that has learnt nothing, and a synthetic cohort that it has not met."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch

from data_modules.parts import part_of
from data_modules.store.read import EcgStore
from lsemvae.cli import main
from lsemvae.core.leads import LEADS
from lsemvae.deployment.locked_network import LockedNetwork, describe
from lsemvae.deployment.model_file import write_model
from lsemvae.evaluation.tables.case_mix import summarise_cohort
from lsemvae.model_file.description import (
    Description,
    OperatingPoint,
    Recalibration,
    Task,
    ecg_input_of,
)
from lsemvae.model_file.trained_on import TrainedOn
from lsemvae.models.methods import find_method
from lsemvae.tasks.head_task import HeadSettings
from tests.conftest import BEATS


@pytest.fixture(scope="session")
def model(cohort: Path) -> Path:
    """Return a small untrained network that says it was trained on the cohort."""
    store, out = EcgStore(cohort), cohort.with_name("untrained.safetensors")
    table = store.table
    label = (table["mpap_mmhg"] > 20).astype(int)
    description = Description(
        kind="refit", method="resnet1d", networks=[], frozen=False, n_members=1,
        task=Task("detection", "pulmonary hypertension", 20.0, None), leads=LEADS,
        trained_leads=LEADS, fewest_leads=12, unit="mV", normalisation="record",
        signal=store.settings, recalibration=Recalibration(0.3, 4.0),
        points={"youden": OperatingPoint(0.6, 0.8, 0.7), "specificity_90":
                OperatingPoint(0.9, 0.5, 0.9)}, point="youden", uncertainty="none",
        uncertainty_limit=None, withheld_share=0.0, hashes=True, label="training", synthetic=True,
        sources={}, versions={}, card="",
        trained_cohort=summarise_cohort(table, label, label - 0.5),
    )  # fmt: skip
    torch.manual_seed(0)
    ecg_input = ecg_input_of(store.settings, store.unit, "record")
    network = find_method("resnet1d").build(ecg_input, LEADS, "small")
    head = network.own_head() or HeadSettings().build(network.feature_dim(LEADS))
    described = replace(description, networks=describe([network]))
    seen = part_of("training", [table])
    hashes = (seen.members(kind, spelt=True).hashes for kind in TrainedOn._fields)
    write_model(out, LockedNetwork(described, [network], [head]).eval(), TrainedOn(*hashes))
    return out


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the store of another synthetic cohort, with patients of its own and two sites."""
    folder = tmp_path_factory.mktemp("elsewhere")
    size = ["--n_patients", "80", "--n_pretraining_patients", "1", "--seed", "7"]
    assert main(["synthesize", "--out", str(folder), *size]) == 0
    source = folder / "cohort"
    table = pd.read_csv(source / "cohort.csv", dtype=str)
    table["patient_id"] = "other " + table["patient_id"]
    table["site"] = ["north", "south"] * (len(table) // 2)
    table["strain"] = (table["mpap_mmhg"].astype(float) > 20).astype(int)
    table.loc[:2, "mpap_mmhg"] = ""
    table.to_csv(source / "other.csv", index=False)
    files = ["--table", str(source / "other.csv"), "--source", str(source / "records")]
    out = folder / "elsewhere.h5"
    assert main(["prepare", "cohort", *files, "--out", str(out), *BEATS]) == 0
    return out
