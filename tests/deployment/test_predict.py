import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_modules.store.read import EcgStore
from lsemvae.cli import main
from lsemvae.command_table import lightning_target
from lsemvae.core.one_writer import writing_alone
from lsemvae.deployment.model_file import read_model
from lsemvae.predicting import run
from lsemvae.predicting.outcome import is_known
from lsemvae.predicting.sources import Loaded
from tests.conftest import BEATS, error_of


@pytest.fixture
def records(recordings: Path) -> Path:
    return recordings / "cohort/records"


def predict(model: Path, *more: str | Path) -> int:
    return main(["predict", str(model), *map(str, more)])


def test_loose_files_get_the_probability_of_the_store(
    model: Path, cohort: Path, records: Path, tmp_path: Path
) -> None:
    files, store = tmp_path / "files.csv", tmp_path / "store.csv"
    assert predict(model, records, "--out", files, "--allow_trained_on") == 0
    assert predict(model, cohort, "--out", store, "--allow_trained_on") == 0
    one, two = pd.read_csv(files), pd.read_csv(store)
    assert (one["outcome"] == "result").all()
    assert [Path(name).name for name in one["recording"]] == list(two["recording"])
    np.testing.assert_allclose(one["probability"], two["probability"], atol=1e-6)
    assert ((one["probability"] >= one["threshold"]) == (one["decision"] == 1)).all()
    assert one["findings"].str.contains("synthetic").all()


def test_recordings_and_patients_of_the_training_are_withheld(
    model: Path, cohort: Path, records: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "p.csv"
    assert predict(model, records / "ecg00001.hea", cohort, "--out", out) == 2
    assert "none of 61 recordings gave a result" in error_of(capsys)
    rows = pd.read_csv(out)
    assert set(rows["code"]) == {"trained_on"}
    assert rows["probability"].isna().all()


def test_a_patient_of_the_training_is_known_by_another_recording(model: Path, cohort: Path) -> None:
    seen, patient = read_model(model).trained_on, EcgStore(cohort).table["patient_id"].iloc[0]
    new = Loaded(np.empty(0, np.int16), np.empty(0, bool), (), "0" * 16, patient)
    assert is_known(new, seen)
    assert is_known(new._replace(patient=f" {patient.lower()}"), seen)
    assert not is_known(new._replace(patient="nobody"), seen)
    assert not is_known(new._replace(patient=None), seen)


def test_a_stopped_run_goes_on_where_it_was(
    model: Path, cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    whole, out = tmp_path / "whole.csv", tmp_path / "p.csv"
    assert predict(model, cohort, "--out", whole, "--allow_trained_on") == 0
    score, calls = run.score_block, []

    def stopped(*arguments: object) -> object:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return score(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(run, "score_block", stopped)
        assert predict(model, cohort, "--out", out, "--allow_trained_on") == 130
    journal = tmp_path / "p.csv.journal"
    with journal.open("a") as file:
        file.write('["torn')
    assert not out.exists()
    assert predict(model, cohort, "--out", out, "--allow_trained_on", "--fewest_leads", "1") == 2
    assert "of other options" in error_of(capsys)
    assert predict(model, cohort, "--out", out, "--allow_trained_on") == 0
    assert "going on: 32 recordings of 60" in capsys.readouterr().out
    assert out.read_text() == whole.read_text()
    assert not journal.exists()


def test_a_full_disk_keeps_what_is_predicted(
    model: Path, cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lsemvae.predicting.output.sync_file", full)
    out = tmp_path / "p.csv"
    assert predict(model, cohort, "--out", out, "--allow_trained_on") == 2
    error = error_of(capsys)
    assert "No space left" in error
    assert "p.csv.journal" in error
    assert not out.exists()
    assert len((tmp_path / "p.csv.journal").read_text().splitlines()) == 61


def test_a_folder_with_a_file_that_is_no_ecg_gives_results_and_an_error_row(
    model: Path, records: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "mixed", tmp_path / "p.json"
    folder.mkdir()
    for suffix in (".hea", ".dat"):
        shutil.copy(records / f"ecg00001{suffix}", folder)
    (folder / "notes.txt").write_text("no ECG")
    pictures = tmp_path / "pictures"
    more = ["--allow_trained_on", "--pictures", pictures]
    assert predict(model, folder, "--out", out, *more) == 0
    found = json.loads(out.read_text())
    assert found["model"]["synthetic"] is True
    assert [row["outcome"] for row in found["predictions"]] == ["result", "error"]
    assert found["predictions"][1]["code"] == "file_missing"  # a text file might be a table
    assert len(found["predictions"][0]["leads"]) == 12
    (picture,) = pictures.iterdir()
    capsys.readouterr()
    assert predict(model, folder, "--out", out, *more) == 0
    assert f"note: 1 earlier picture is replaced in {pictures}" in capsys.readouterr().err
    picture.write_bytes(b"\x89PNG mine")
    assert predict(model, folder, "--out", out, *more) == 2
    assert f"cannot write {picture}: it exists and this command did not" in error_of(capsys)
    assert picture.read_bytes() == b"\x89PNG mine"


def test_bad_input_is_one_line(
    model: Path, cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty, text = tmp_path / "empty", tmp_path / "a.txt"
    empty.mkdir()
    text.write_text("no ECG at all")
    out = tmp_path / "p.csv"
    cases = [
        ((model, empty), "holds no file"),
        ((model, text), "error (file_missing)"),
        ((model, tmp_path / "missing.xml"), "there is no recording"),
        ((model, tmp_path / "missing.npy#3"), "there is no recording"),
        ((model.parent, text), f"`lsemvae lock {model.parent} --cohort"),
        ((tmp_path / "none.safetensors", text), "there is no model"),
        ((text, text), "is no model of lsemvae"),
        ((model, text, "--out", tmp_path / "p.xlsx"), "must end in .csv or .json"),
        ((model, text, "--amplitude", "arbitrary"), "trained on recordings in mV"),
        ((model, text, "--point", "best"), "no operating point 'best'"),
    ]
    for given, line in cases:
        where = () if "--out" in given else ("--out", out)
        assert predict(given[0], *given[1:], *where) == 2
        assert line in error_of(capsys)


def test_recordings_that_are_not_there_cost_no_earlier_table(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "p.csv"
    out.write_text("recording,outcome,code\n")
    assert predict(model, tmp_path / "nowhere", "--out", out) == 2
    assert out.read_text() == "recording,outcome,code\n"


def test_a_damaged_model_is_noticed(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = bytearray(model.read_bytes())
    content[-5] ^= 1
    damaged = tmp_path / "m.safetensors"
    damaged.write_bytes(content)
    assert predict(damaged, model) == 2
    assert "is damaged" in error_of(capsys)


def test_a_store_with_other_settings_is_refused(
    model: Path, recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = recordings / "mimic", tmp_path / "other.h5"
    signal = ["--signal.sampling_rate_hz", "100", "--limit", "1"]
    assert main(["prepare", "mimic", "--source", str(source), "--out", str(out), *signal]) == 0
    capsys.readouterr()
    assert predict(model, out, "--out", tmp_path / "p.csv") == 2
    error = error_of(capsys)
    assert f"(head against {out}: " in error
    assert "segment median_beat against record" in error


def test_a_store_of_another_unit_is_refused(
    model: Path, recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = recordings / "cohort", tmp_path / "other.h5"
    files = ["--table", str(source / "cohort.csv"), "--source", str(source / "records")]
    more = ["--amplitude", "arbitrary", *BEATS]
    assert main(["prepare", "cohort", *files, "--out", str(out), *more]) == 0
    capsys.readouterr()
    assert predict(model, out, "--out", tmp_path / "p.csv") == 2
    assert "unit mV against NU" in error_of(capsys)


def test_pictures_of_recordings_with_like_names_are_kept_apart(
    model: Path, records: Path, tmp_path: Path
) -> None:
    for folder in ("a/b", "A", "a"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    for to in ("a/b/ecg00001", "a/b_ecg00001", "A/b_ecg00001"):
        for suffix in (".hea", ".dat"):
            text = (records / f"ecg00001{suffix}").read_bytes()
            (tmp_path / f"{to}{suffix}").write_bytes(
                text.replace(b"ecg00001", Path(to).name.encode())
            )
    pictures = tmp_path / "pictures"
    more = ["--allow_trained_on", "--pictures", pictures]
    named = [tmp_path / "a", tmp_path / "A"]
    assert predict(model, *named, "--out", tmp_path / "p.csv", *more) == 0
    names = [file.name.casefold() for file in pictures.iterdir()]
    assert len(names) == len(set(names)) == 3


@pytest.mark.parametrize(
    ("arguments", "theirs"),
    [
        (["m.safetensors", "a.xml"], False),
        (["m.safetensors", "a.xml", "--config", "x"], False),
        (["--model", "m.safetensors", "--recordings", "[a]"], False),
        (["--help"], False),
        (["--config", "a.yaml"], True),
        (["--config=a.yaml", "--ckpt_path", "x"], True),
        (["--trainer.max_epochs", "1", "--data.store", "x"], True),
    ],
)
def test_predict_with_a_configuration_is_lightnings(arguments: list[str], theirs: bool) -> None:
    assert (lightning_target("predict", arguments) is not None) == theirs


@pytest.mark.parametrize("name", ["mine.csv", "mine.json", "mine.safetensors", "mine.onnx"])
def test_nothing_that_somebody_else_wrote_is_replaced(
    model: Path, study: Path, cohort: Path, encoder: Path, tmp_path: Path, name: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    mine = tmp_path / name
    mine.write_text("patient_id,mpap_mmhg\n" + "1,20\n" * 20)
    before, out = mine.read_bytes(), ["--out", str(mine)]
    locking = ["lock", str(study), "--cohort", str(cohort), "--encoder", str(encoder), *out]
    command = {
        ".safetensors": locking,
        ".onnx": ["export", str(model), *out],
    }.get(mine.suffix, ["predict", str(model), str(cohort), *out])
    assert main(command) == 2
    assert f"cannot write {mine}: it exists" in error_of(capsys)
    assert mine.read_bytes() == before


def test_a_model_that_replaces_another_says_so(
    study: Path, cohort: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "m.safetensors"
    files = ["--cohort", str(cohort), "--encoder", str(encoder), "--out", str(out)]
    for _ in range(2):
        assert main(["lock", str(study), *files, "--withhold", "0"]) == 0
    before = read_model(out).digest
    assert "replaced another" not in capsys.readouterr().err
    assert main(["lock", str(study), *files, "--point", "specificity_90"]) == 0
    note = f"note: {out} replaced another result, of "
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith(note)]
    assert len(told) == 1
    assert told[0].endswith(f", SHA-256 {before[:8]}…")


def test_predict_takes_no_file_for_the_folder_of_its_pictures(
    model: Path, cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken, out = tmp_path / "taken", tmp_path / "p.csv"
    taken.write_text("mine")
    arguments = ["predict", str(model), str(cohort), f"--pictures={taken}", f"--out={out}"]
    assert main(arguments) == 2
    assert f"--pictures takes a folder, and {taken} is none" in error_of(capsys)
    assert list(tmp_path.iterdir()) == [taken]


def test_pictures_of_two_models_do_not_meet_in_one_folder(
    model: Path, cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, pictures = tmp_path / "p.csv", tmp_path / "pictures"
    arguments = ["predict", str(model), str(cohort), "--allow_trained_on", f"--out={out}"]
    with writing_alone(pictures):
        assert main([*arguments, f"--pictures={pictures}"]) == 2
    assert f"another process writes into {pictures}" in error_of(capsys)
    assert not list(tmp_path.iterdir())
