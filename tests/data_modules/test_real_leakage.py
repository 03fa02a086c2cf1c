"""Copies of public recordings are recognised in another format and order of leads."""

import csv
from pathlib import Path

import pandas as pd

from data_modules.conversion.prepare import prepare_cohort, prepare_mimic
from data_modules.leakage import find_leaks
from data_modules.parts import part_of
from data_modules.signals.settings import SignalSettings
from data_modules.store.read import EcgStore
from tests.data_modules.conftest import Unpack

ANY_LEADS = SignalSettings(min_leads=1)


def test_copies_are_found_by_their_signals(unpack: Unpack, tmp_path: Path) -> None:
    copies = unpack("mimic_shaped/mimic_shaped_60.tar.xz") / "mimic_shaped_60"
    with (copies / "fixture_truth.csv").open(newline="") as file:
        truth = {row["study_id"]: row for row in csv.DictReader(file)}
    originals = unpack("cinc2011/seta_dev.tar.xz")
    names = sorted(row["source_record"] for row in truth.values())
    table = pd.DataFrame({"record": names, "patient_id": names})
    table.to_csv(tmp_path / "table.csv", index=False)
    listed, own = str(tmp_path / "table.csv"), str(tmp_path / "originals.h5")
    prepare_mimic(str(copies), str(tmp_path / "copies.h5"), signal=ANY_LEADS)
    prepare_cohort(listed, str(originals), own, signal=ANY_LEADS)
    copied, original = (EcgStore(tmp_path / f"{n}.h5").table for n in ("copies", "originals"))
    (leak,) = find_leaks([part_of("originals", [original]), part_of("copies", [copied])])
    study = copied["record"].str.rpartition("/")[2]
    unaltered = study.map(lambda name: not truth[name]["planted"])
    assert leak.kind == "signal"  # the ids of the copies are invented
    assert leak.n == unaltered.sum() == 49
    # what a fault was planted in is another signal: the digest is no measure of likeness
    assert (~unaltered).sum() == 6
