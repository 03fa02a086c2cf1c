import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from data_modules.store.read import EcgStore
from lsemvae.cli import main
from lsemvae.commands.predict import open_yes_or_no
from lsemvae.commands.stress import figures_of
from lsemvae.core.leads import LEADS
from lsemvae.evaluation.report.stress import left_out_text
from lsemvae.evaluation.statistics.estimate import undefined
from lsemvae.predicting.labels import label_caution
from lsemvae.stress.grid import STRESSES
from lsemvae.stress.run import Measured, choose, measure
from tests.conftest import error_of


def stress(model: Path, cohort: Path, out: Path, *more: str) -> int:
    return main(["stress", str(model), "--cohort", str(cohort), "--out", str(out), *more])


@pytest.fixture(scope="module")
def found(model: Path, elsewhere: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("stress")
    assert stress(model, elsewhere, out) == 0
    return out


def test_the_first_row_is_what_predict_says(
    found: Path, model: Path, elsewhere: Path, tmp_path: Path
) -> None:
    out = tmp_path / "p.csv"
    assert main(["predict", str(model), str(elsewhere), "--out", str(out)]) == 0
    mpap = EcgStore(elsewhere).table["mpap_mmhg"].to_numpy()
    known = ~np.isnan(mpap)
    expected = roc_auc_score(mpap[known] > 20, pd.read_csv(out)["probability"][known])
    table = pd.read_csv(found / "stress.csv")
    assert table["auroc"][0] == pytest.approx(expected)
    assert list(table.loc[0, ["withheld", "mean_absolute_change"]]) == [0, 0]


def test_every_shift_has_its_doses_or_a_reason(found: Path) -> None:
    numbers = json.loads((found / "stress.json").read_text())
    table = pd.read_csv(found / "stress.csv")
    tried = set(table["shift"][1:])
    assert tried | set(numbers["not_possible"]) == {one.name for one in STRESSES}
    assert numbers["not_possible"]["heart rate higher"].startswith("the store holds median beats")
    assert (table["mean_absolute_change"][1:] > 0).all()
    assert numbers["synthetic"] is True
    assert numbers["leads"] == list(LEADS)
    assert numbers["n_recordings"] == 80


def test_a_larger_dose_moves_the_probability_more(found: Path) -> None:
    table = pd.read_csv(found / "stress.csv").groupby("shift")["mean_absolute_change"]
    for shift in ("baseline wander", "noise of one electrode", "RA and LA exchanged"):
        assert table.get_group(shift).is_monotonic_increasing


def test_a_shift_that_leaves_one_class_says_why_it_has_no_figures() -> None:
    none = undefined("got 6 patients with a positive and 0 with a negative record")
    found = Measured("RA and LA exchanged", 100.0, "% of recordings", none, none, 0.45, 0.08)
    assert figures_of(found) == (
        "AUROC and slope not available (got 6 patients with a positive and 0 with a negative "
        "record), withheld  45%"
    )


def test_the_figure_is_readable_by_a_report_and_says_that_the_model_guesses(found: Path) -> None:
    figure = (found / "stress.svg").read_text()
    assert figure.startswith("<?xml")
    assert "What moves a guess means nothing" in figure


def test_a_change_of_leads_that_the_model_does_not_read_is_not_tried(
    model: Path, elsewhere: Path
) -> None:
    predictor = open_yes_or_no(model, "stress")
    chosen = choose(predictor, str(elsewhere), label=None, n=20, seed=0, allow_trained_on=False)
    chest = [one for one in STRESSES if one.name == "V1 and V2 exchanged"]
    limb_leads_alone = chosen._replace(
        loaded=[one._replace(present=np.arange(12) < 6) for one in chosen.loaded]
    )
    *_, found = measure(predictor, chosen, seed=0, stresses=chest)
    *_, unseen = measure(predictor, limb_leads_alone, seed=0, stresses=chest)
    assert isinstance(found, Measured)
    assert unseen == (chest[0].name, "it changes none of the leads that the model reads")


def test_a_label_of_another_definition_is_the_users_word() -> None:
    assert label_caution("mPAP > 20 mmHg", "mPAP > 20 mmHg") == ""
    assert label_caution("AF = 1", "AFIB = 1") == (
        "The label here is AF = 1; the model was trained for AFIB = 1. That both mean the same is "
        "the user's word."
    )


def test_what_was_left_out_is_counted_by_its_reason() -> None:
    counts = {"trained on": 3, "nearly trained on": 1, "without all six limb leads": 0}
    assert left_out_text(counts) == "Left out: 3 trained on, 1 nearly trained on."
    assert left_out_text({"trained on": 0}) == ""


def test_what_cannot_be_stressed_is_one_line(
    model: Path, cohort: Path, pretraining: Path, elsewhere: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    cases = [
        ((cohort,), "0 recordings are left for the stress table (60 trained on"),
        ((pretraining,), "needs the column 'mpap_mmhg'"),
        ((elsewhere, "--n", "0"), "--n must be at least 20, got 0"),
        ((elsewhere, "--label", "strain"), "is defined by pressures"),
    ]
    for (store, *more), line in cases:
        assert stress(model, store, tmp_path, *more) == 2
        assert line in error_of(capsys)
    (tmp_path / "stress.svg").write_text("mine")
    assert stress(model, elsewhere, tmp_path) == 2
    assert "did not write it" in error_of(capsys)


def test_recordings_of_the_training_are_taken_with_a_warning(
    model: Path, cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stress(model, cohort, tmp_path, "--allow_trained_on", "--n", "20") == 0
    assert "only the changes mean anything" in capsys.readouterr().out
    assert json.loads((tmp_path / "stress.json").read_text())["trained_on"] is True
