"""What a reader of an external validation has to know."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data_modules.signals.likeness import as_counts, fingerprints
from data_modules.signals.near_marks import near_marks
from data_modules.store.read import EcgStore
from lsemvae.cli import main
from lsemvae.deployment.model_file import read_model, write_model
from lsemvae.external.performance import cautions
from lsemvae.model_file.trained_on import NOBODY
from lsemvae.predicting.outcome import NEARLY_TRAINED_ON, judged_row
from lsemvae.predicting.sources import Loaded


def evidence_of(patients: list[str], codes: list[str]) -> Any:
    return SimpleNamespace(
        events=(200, 200), knows_patients=True, label="PH", near=[],
        site=None, subgroups=[],
        measures={"auroc": SimpleNamespace(value=0.9, low=0.85, high=0.95)},
        model=SimpleNamespace(task=SimpleNamespace(label="PH")),
        table=pd.DataFrame({"code": codes, "patient_id": patients}),
    )  # fmt: skip


def test_one_patient_under_two_spellings_is_told() -> None:
    (text,) = cautions(evidence_of(["7", "P1", "007"], ["", "", ""]))
    assert text.startswith("1 patient whose id is written in several ways: '7' = '007'.")


@pytest.mark.parametrize(("n_known", "said"), [(0, ""), (1, "1 recording was withheld"),
                                               (47, "47 recordings were withheld")])  # fmt: skip
def test_patients_with_ids_of_the_training_are_counted_with_the_way_out(
    n_known: int, said: str
) -> None:
    """Another hospital numbers its patients from 1, too."""
    codes = ["trained_on"] * n_known + ["uncertain", ""]
    evidence = evidence_of([f"P{i + 1}" for i in range(len(codes))], codes)
    found = [text for text in cautions(evidence) if "withheld" in text]
    assert len(found) == bool(said)
    assert all(text.startswith(said) and "--patient_prefix" in text for text in found)


def test_recordings_that_are_nearly_those_of_the_training_are_named() -> None:
    evidence = evidence_of(["a", "b"], ["", ""])
    evidence.near = ["r7"]
    (text,) = cautions(evidence)
    assert text.startswith("1 recording is nearly the same as one of the model's training")
    assert "(r7)" in text


def test_a_copy_of_a_recording_of_the_training_has_a_result_and_a_finding(
    model: Path, elsewhere: Path
) -> None:
    store, described = EcgStore(elsewhere), read_model(model).network.description
    ecg, rate = store.read([0, 1]), store.sampling_rate_hz
    marks = as_counts(fingerprints((0.8 * ecg[:1]).astype(np.int16), sampling_rate_hz=rate))
    seen = NOBODY._replace(near=near_marks(marks, store.present[:1]))
    rows = [
        judged_row("r", Loaded(one, there, [], "0" * 16), described, seen, 12)
        for one, there in zip(ecg, store.present, strict=False)
    ]
    assert [(row.outcome, row.findings) for row in rows] == [
        ("result", NEARLY_TRAINED_ON), ("result", ""),
    ]  # fmt: skip


def test_a_site_in_two_spellings_is_told() -> None:
    evidence = evidence_of(["a", "b", "c", "d"], [""] * 4)
    evidence.table["hospital"] = ["North", "north"] * 2
    evidence.site, evidence.subgroups = "hospital", ["hospital", "sex"]
    (text,) = cautions(evidence)
    assert text.startswith("hospital writes 1 group in several ways: 'North' = 'north'")


def test_predict_names_the_recordings_that_are_nearly_those_of_the_training(
    model: Path, elsewhere: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, locked = EcgStore(elsewhere), read_model(model)
    assert store.fingerprint is not None
    marks = near_marks(store.fingerprint[:1], store.present[:1])
    seen = tmp_path / "m.safetensors"
    write_model(seen, locked.network, locked.trained_on._replace(near=marks))
    out = ["--out", str(tmp_path / "p.csv")]
    assert main(["predict", str(seen), str(elsewhere), *out]) == 0
    record = store.table["record"][0]
    said = " ".join(capsys.readouterr().out.split())
    assert "1 recording is nearly the same as one of the model's training" in said
    assert f"({record})" in said
