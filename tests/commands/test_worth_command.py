import json
from pathlib import Path

import pandas as pd
import pytest
import torch

from data_modules.store.read import EcgStore
from lsemvae.cli import main
from lsemvae.core.sealed_json import write_json
from lsemvae.evaluation.report.blocks import Picture, Table, Text
from lsemvae.evaluation.report.evidence import Evidence, RunEvidence
from lsemvae.evaluation.report.worth import worth_section
from lsemvae.evaluation.runs import read_cv_run
from tests.conftest import cv, error_of
from tests.held import unheld_files

QUICK = ["--folds", "3", "--twins", "2", "--draws", "2", "--fractions", "[1,0.5]", "--epochs", "2"]


def words(cohort: Path, encoder: Path, out: Path, *more: str) -> list[str]:
    arguments = ["--cohort", str(cohort), "--encoder", f'["{encoder}"]', "--out", str(out)]
    return ["worth", *arguments, *QUICK, *more]


def worth(cohort: Path, encoder: Path, out: Path, *more: str) -> int:
    return main(words(cohort, encoder, out, *more))


def test_worth_writes_a_table_a_curve_and_one_sentence_per_lead_set(
    cohort: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert worth(cohort, encoder, tmp_path) == 0
    said, told = capsys.readouterr()
    for number in (1, 2, 3):
        assert f"detection, 12L, {number} of 3: " in told
    assert "1 of 3: features of 1 encoder, 2 untrained twins" in told
    for leads in ("12L", "6L"):
        folder = tmp_path / "detection/worth" / leads
        table = pd.read_csv(folder / "references.csv")
        assert set(table["row"]) == {
            "pretrained", "untrained", "random_convolutions", "pca", "larger_class",
        }  # fmt: skip
        assert set(table["head"]) == {"linear_probe", "mlp"}
        twins = table[(table["row"] == "untrained") & (table["fraction"] == 0.5)].iloc[0]
        assert (twins["n_seeds"], twins["n_draws"]) == (2, 2)
        assert twins["difference_low"] < twins["difference"] < twins["difference_high"]
        content = json.loads((folder / "references.json").read_text())
        assert content["statement"] in said.replace("\n", " ") or content["statement"] in said
        assert "SYNTHETIC" in content["statement"]
        assert content["settings"]["probe"]["strengths"] == [0.003, 0.03, 0.3]
        assert (folder / "label_curve.svg").read_text().startswith("<?xml")


def test_the_publications_head_has_label_curves_where_they_are_asked_for(
    cohort: Path, encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = words(cohort, encoder, tmp_path, "--leads", "[6]", "--mlp_fractions", "[1,0.5]")
    assert not {"references.csv", "label_curve.svg"} & {*unheld_files(asked, monkeypatch)}
    table = pd.read_csv(tmp_path / "detection/worth/6L/references.csv")
    mine = table[(table["head"] == "mlp") & (table["row"] == "untrained")]
    assert mine[["fraction", "n_seeds", "n_draws"]].to_numpy().tolist() == [[1, 2, 1], [0.5, 2, 2]]


def test_the_folds_of_a_column_are_taken_as_they_are(
    cohort: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quick = ["--leads", "[6]", "--mlp", "false", "--twins", "1", "--fractions", "[1]"]
    of_sex = [*quick, "--fold_column", "sex"]
    assert worth(cohort, encoder, tmp_path, *of_sex) == 2
    assert "the table has 2 folds for task 'detection'; give --folds 2" in error_of(capsys)
    assert worth(cohort, encoder, tmp_path, *of_sex, "--folds", "2") == 0
    frozen = json.loads((tmp_path / "detection/splits.json").read_text())["fold"]
    sex = EcgStore(cohort).table.set_index("record")["sex"]
    assert {(sex[record], fold) for record, fold in frozen.items()} == {("F", 0), ("M", 1)}


def test_what_is_measured_is_not_measured_again_unless_asked_differently(
    cohort: Path, encoder: Path, tmp_path: Path
) -> None:
    only = ["--leads", "[6]", "--mlp", "false"]
    assert worth(cohort, encoder, tmp_path, *only) == 0
    file = tmp_path / "detection/worth/6L/references.csv"
    before = file.stat().st_mtime_ns
    assert worth(cohort, encoder, tmp_path, *only) == 0
    assert file.stat().st_mtime_ns == before
    assert worth(cohort, encoder, tmp_path, *only, "--strengths", "[0.1]") == 0
    assert file.stat().st_mtime_ns != before


def test_references_of_another_form_of_the_same_recordings(
    cohort: Path, encoder: Path, pretraining: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    only = ["--leads", "[6]", "--mlp", "false"]
    assert worth(cohort, encoder, tmp_path, *only) == 0
    file = tmp_path / "detection/worth/6L/references.csv"
    before = pd.read_csv(file)
    assert worth(cohort, encoder, tmp_path, *only, "--references_on", str(cohort)) == 0
    pd.testing.assert_frame_equal(pd.read_csv(file), before)
    kept = sorted((tmp_path / "features/scores").glob("*.npz"))
    assert len(kept) == 5 * 2  # rows x shares of the labels
    capsys.readouterr()
    assert worth(cohort, encoder, tmp_path, *only, "--references_on", str(pretraining)) == 2
    assert "recordings of" in error_of(capsys)


def test_several_encoders_show_the_spread_of_their_seeds_and_each_counts_once(
    cohort: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = torch.load(encoder, weights_only=True)
    weights = checkpoint["state_dict"].values()
    for number, weight in enumerate(one for one in weights if one.is_floating_point()):
        noise = torch.randn(weight.shape, generator=torch.Generator().manual_seed(number))
        weight.add_(0.05 * noise)
    second = tmp_path / "second.ckpt"
    torch.save(checkpoint, second)
    few = ["--leads", "[6]", "--mlp", "false", "--fractions", "[1]", "--twins", "1"]
    both = ["--encoder", f'["{encoder}","{second}"]', *few]
    assert worth(cohort, encoder, tmp_path, *both) == 0
    content = json.loads((tmp_path / "detection/worth/6L/references.json").read_text())
    (pretrained,) = [row for row in content["rows"] if row["row"] == "pretrained"]
    assert pretrained["sd_seeds"] > 0
    spread = f"2 pre-trainings, standard deviation over their seeds {pretrained['sd_seeds']:.3f}"
    assert spread in content["statement"]
    assert "what the encoder was pre-trained on is not known" in content["statement"]
    twice = ["--encoder", f'["{encoder}","{encoder}"]', *few]
    capsys.readouterr()
    assert worth(cohort, encoder, tmp_path / "twice", *twice) == 2
    assert "two of the encoders are the same file" in error_of(capsys)
    for name, stated in checkpoint.items():
        if isinstance(stated, dict) and "ecg_input" in stated:
            checkpoint[name] = {**stated, "sha256": "0" * 64}
    torch.save(checkpoint, second)
    assert worth(cohort, encoder, tmp_path / "other", *both) == 2
    assert "encoders of different pre-training recordings" in error_of(capsys)


def test_folds_are_those_of_cv_in_the_same_folder(
    cohort: Path, encoder: Path, tmp_path: Path
) -> None:
    assert cv(cohort, encoder, tmp_path) == 0
    before = (tmp_path / "detection/splits.json").read_text()
    assert worth(cohort, encoder, tmp_path, "--leads", "[12]", "--mlp", "false") == 0
    assert (tmp_path / "detection/splits.json").read_text() == before


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--fractions", "[0.5]"], "--fractions must be in (0, 1] and hold 1"),
        (["--mlp_fractions", "[0.5]"], "--mlp_fractions must be in (0, 1] and hold 1"),
        (
            ["--twins", "0", "--draws", "0"],
            "--twins must be >= 1, got 0; --draws must be >= 1, got 0",
        ),
        (["--strengths", "[0]"], "strengths must be > 0"),
        (["--folds", "1"], "folds must be >= 2"),
        (["--tasks", "[IRBBB]"], "needs the column 'IRBBB'"),
        (["--encoder", "[]"], "name one checkpoint at least"),
        (["--references_on", "nowhere.h5"], "nowhere.h5"),
    ],
)
def test_bad_request_is_one_line(
    cohort: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    arguments: list[str], expected: str,
) -> None:  # fmt: skip
    assert worth(cohort, encoder, tmp_path, *arguments) == 2
    assert expected in error_of(capsys)
    assert not list(tmp_path.rglob("*.json"))  # nor folds, which a next call would have to keep


def test_cv_puts_references_beside_its_metrics_and_the_report_shows_them(
    cohort: Path, encoder: Path, tmp_path: Path
) -> None:
    assert cv(cohort, encoder, tmp_path, "--leads", "6", "--references", "true") == 0
    folder = tmp_path / "detection/ls_emvae/6L"
    content = json.loads((folder / "references.json").read_text())
    assert content["settings"]["mlp"]["epochs"] == 2
    evidence = Evidence("", [RunEvidence(read_cv_run(folder), {})])
    section = worth_section(evidence)
    text, table, picture = section.blocks
    assert isinstance(text, Text)
    assert text.text == content["statement"]
    assert isinstance(table, Table)
    assert "SYNTHETIC" in table.caption
    (row,) = [r for r in table.rows if r[:3] == ["linear probe", "10 %", "larger class"]]
    assert row[3].startswith("0.500")
    assert isinstance(picture, Picture)
    assert picture.name == "label_curve_detection_ls_emvae_6L"
    content["encoders_sha256"] = ["other"]
    write_json(folder / "references.json", content)
    (said,) = worth_section(evidence).blocks
    assert isinstance(said, Text)
    assert "is of another encoder_sha256" in said.text


def test_references_of_a_network_trained_end_to_end_are_refused(
    cohort: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    method = ["--method", "multimodal_cnn", "--references", "true"]
    assert cv(cohort, encoder, tmp_path, *method) == 2
    assert "--references judges a frozen encoder" in error_of(capsys)


@pytest.mark.parametrize("task", ["mpap_mmhg", "detection,pre_capillary"])
def test_a_task_that_is_no_yes_or_no_is_refused_before_anything_is_read(
    task: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        worth(tmp_path / "none.h5", tmp_path / "none.ckpt", tmp_path, "--tasks", f'["{task}"]') == 2
    )
    assert f"`lsemvae worth` takes tasks with a yes or no, {task} is none" in error_of(capsys)
