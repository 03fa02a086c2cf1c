"""Give commands values that no option can take: one line, exit code 2, nothing written."""

from pathlib import Path

import pandas as pd
import pytest

from data_modules.cohort.splits import load_or_make_splits
from lsemvae.cli import main
from lsemvae.core.errors import InputError
from lsemvae.predicting.run import Options
from tests.conftest import error_of


@pytest.mark.parametrize("command", [["table1", "--cohort"], ["check", "cohort", "--store"]])
@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("mpap_threshold_mmhg", "-1", "must be above 0 and below 150, got -1"),
        ("pawp_threshold_mmhg", "1e20", "must be above 0 and below 80, got 1e+20"),
        ("pvr_threshold_wu", "0", "must be above 0 and below 60, got 0"),
        ("out", "a\0b", "holds a NUL character"),
    ],
)
def test_a_threshold_that_makes_all_alike_is_refused(
    cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch, command: list[str], option: str, value: str, expected: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main([*command, str(cohort), f"--{option}={value}"]) == 2
    assert expected in error_of(capsys)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("out", [".", "/", ".."])
def test_a_table_needs_a_name_and_not_a_folder(
    cohort: Path, out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["table1", "--cohort", str(cohort), f"--out={out}"]) == 2
    assert "names a folder; name the files in it without ending" in error_of(capsys)


@pytest.mark.parametrize("option", ["n_patients", "n_pretraining_patients"])
@pytest.mark.parametrize("value", ["0", "-1", "99999999999999999999"])
def test_impossible_numbers_of_patients_write_nothing(
    option: str, value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "s"
    assert main(["synthesize", "--out", str(out), f"--{option}={value}"]) == 2
    assert option in error_of(capsys)
    assert not out.exists()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("lr", "9" * 400),
        ("seed", "99999999999"),
        ("seed", str(2**32)),
        ("mpap_threshold_mmhg", "9" * 40),
    ],
)
def test_a_whole_number_that_nothing_takes_names_its_option(
    cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, value: str
) -> None:
    given = ["--cohort", str(cohort), "--out", str(tmp_path / "o"), f"--{option}={value}"]
    assert main(["cv", *given]) == 2
    assert f"--{option} may be " in error_of(capsys)
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("cv --task nope", "task 'nope' needs the column 'nope'"),
        ("cv --task phenotype,nope", "task 'nope' needs the column 'nope'"),
        ("cv --task mpap_mmhg --permute_labels 3", "shuffles the labels of a yes or no"),
        ("cv --jobs 5000", "jobs is 5000, and each is a process"),
        ("cv --seeds 1", "seeds must be >= 2 for a spread, got 1"),
        ("cv --seeds 3 --references", "do not go together"),
        ("cv --method mvae", "method mvae needs --encoder"),
        ("cv --focal_alpha 2", "--focal_alpha, --focal_gamma: focal loss needs alpha in [0, 1]"),
        ("cv --focal_gamma .inf", "--focal_alpha, --focal_gamma: focal loss needs alpha in [0"),
        ("table1 nowhere.h5", "there is no store nowhere.h5 (looked for in "),
        ("cv --encoder nowhere.ckpt", "there is no encoder nowhere.ckpt"),
        ("cv --method resnet1d --fold_column f", "the demo's cohort has no column 'f'"),
        ("benchmark --tasks nope", "task 'nope' needs the column 'nope'"),
        ("benchmark --leads [7]", "leads must be 12, 6"),
        ("benchmark --folds 1", "folds must be >= 2, got 1"),
        ("benchmark --jobs 0", "jobs must be 1 or more, or -1 for one for each core; got 0"),
        ("benchmark --jobs 5000", "jobs is 5000, and each is a process"),
        ("benchmark --epochs 0", "epochs must be >= 1, got 0"),
        ("benchmark --pretrain_epochs 0", "pretrain_epochs must be >= 1, got 0"),
        ("benchmark --pretrain nowhere.h5", "there is no store nowhere.h5"),
        ("benchmark --fold_column f", "the demo's cohort has no column 'f'"),
    ],
)
def test_what_cannot_run_is_refused_before_minutes_go_into_the_demo_cohort(
    arguments: str, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(arguments.split()) == 2
    assert expected in error_of(capsys)
    assert list(tmp_path.iterdir()) == []


def test_folds_of_another_cohort_are_refused_before_the_demo_trains_an_encoder(
    cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    others = pd.DataFrame({"record": [*"abcd"], "patient_id": [*"abcd"], "label": [0, 1] * 2})
    (tmp_path / "cv/detection").mkdir(parents=True)
    frozen = tmp_path / "cv/detection/splits.json"
    load_or_make_splits(str(frozen), others, task="detection", n_folds=2)
    monkeypatch.setattr("lsemvae.commands.demo.demo_cohort", lambda: str(cohort))
    monkeypatch.setattr("lsemvae.commands.demo.demo_encoder", lambda: pytest.fail("it trains"))
    assert main(["cv", "--out", str(tmp_path / "cv")]) == 2
    assert "splits.json was frozen for something else" in error_of(capsys)


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("out", "", "--out needs a value, got ''"),
        ("source", " ", "--source needs a value, got ' '"),
        ("label", "x\udcff", r"--label is not written in UTF-8, got b'x\xff'; write it in UTF-8"),
        ("label", "x\x1b[31m", r"--label holds a control character, got 'x\x1b[31m'"),
        ("dask", "nowhere", "no Dask scheduler answers at nowhere"),
    ],
)
def test_an_odd_text_is_refused_and_no_folder_is_left(
    recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, value: str,
    expected: str,
) -> None:  # fmt: skip
    study = recordings / "cohort"
    given = {
        "table": str(study / "cohort.csv"),
        "source": str(study / "records"),
        "out": str(tmp_path / "new/folder/store.h5"),
        option: value,
    }
    assert main(["prepare", "cohort", *(f"--{name}={text}" for name, text in given.items())]) == 2
    assert expected in error_of(capsys)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("n", [-1, 0, 13])
def test_fewest_leads_that_no_recording_can_miss_or_have_are_refused(n: int) -> None:
    with pytest.raises(InputError, match=rf"--fewest_leads must be in 1\.\.12, got {n}"):
        Options(fewest_leads=n)
