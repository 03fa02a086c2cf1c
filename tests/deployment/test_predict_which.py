"""Each result is of the recording that it names, and what is doubtful is told."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from lsemvae.cli import main
from lsemvae.predicting import run
from tests.conftest import BEATS, error_of

N_RECORDS = 3


@pytest.fixture(scope="module")
def new_store(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store of three patients of whom the second has leads I and II exchanged."""
    folder = tmp_path_factory.mktemp("new")
    source = folder / "records"
    source.mkdir()
    table = pd.read_csv(recordings / "cohort/cohort.csv").head(N_RECORDS)
    for record in table["record"]:
        for suffix in (".hea", ".dat"):
            shutil.copy(recordings / f"cohort/records/{record}{suffix}", source)
    header = source / f"{table['record'][1]}.hea"
    lines = header.read_text().splitlines()
    lines[1:3] = [f"{lines[1].removesuffix(' I')} II", f"{lines[2].removesuffix(' II')} I"]
    header.write_text("\n".join(lines) + "\n")
    table.to_csv(folder / "cohort.csv", index=False)
    out = folder / "new.h5"
    assert main(["prepare", "cohort", "--table", str(folder / "cohort.csv"), "--source",
                 str(source), "--out", str(out), *BEATS]) == 0  # fmt: skip
    return out


def predict(model: Path, *more: str | Path) -> int:
    return main(["predict", str(model), *map(str, more), "--allow_trained_on"])


def test_two_recordings_of_one_name_are_refused(
    model: Path, cohort: Path, new_store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "p.csv"
    assert predict(model, cohort, new_store, "--out", out) == 2
    assert f"named ecg00001, of {cohort} and of {new_store}" in error_of(capsys)
    again = new_store.parent / ".." / new_store.parent.name / new_store.name
    assert predict(model, new_store, again, "--out", out) == 0
    assert len(pd.read_csv(out)) == N_RECORDS


def test_a_store_without_the_list_of_its_doubtful_recordings_is_refused(
    model: Path, cohort: Path, new_store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, moved = tmp_path / "p.csv", tmp_path / "moved.h5"
    assert predict(model, new_store, "--out", out) == 0
    assert pd.read_csv(out)["code"].fillna("").tolist() == ["", "limb_leads_inconsistent", ""]
    shutil.copy(new_store, moved)
    assert predict(model, moved, "--out", tmp_path / "q.csv") == 2
    assert "found in 1 of its recordings, and moved.h5.quarantine.csv" in error_of(capsys)
    listed = Path(f"{moved}.quarantine.csv")
    shutil.copy(f"{cohort}.quarantine.csv", listed)
    assert predict(model, moved, "--out", tmp_path / "q.csv") == 2
    assert "names 0; copy the list" in error_of(capsys)
    shutil.copy(f"{new_store}.quarantine.csv", listed)
    assert predict(model, moved, "--out", tmp_path / "q.csv") == 0
    assert (tmp_path / "q.csv").read_text() == out.read_text()
    assert not (tmp_path / "q.csv.journal").exists()


def test_a_stopped_run_does_not_go_on_with_other_recordings_of_the_same_names(
    model: Path, cohort: Path, new_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def stopped(*_: object) -> None:
        raise OSError(28, "No space left on device")

    out = tmp_path / "p.csv"
    with monkeypatch.context() as patch:
        patch.setattr(run, "write_rows", stopped)
        assert predict(model, new_store, "--out", out) == 2
        assert "start again to go on" in error_of(capsys)
    assert predict(model, cohort, "--out", out) == 2
    assert "the prediction of ecg00001, which has changed since" in error_of(capsys)
    record = new_store.parent / "records/ecg00001"
    assert predict(model, record, "--out", out) == 2
    assert "the prediction of ecg00001, which is not asked for now" in error_of(capsys)
    assert predict(model, new_store, record, "--out", out) == 0
    assert pd.read_csv(out)["recording"].tolist()[:1] == ["ecg00001"]
    assert len(pd.read_csv(out)) == N_RECORDS + 1


def test_a_gain_that_is_far_off_is_a_finding(model: Path, new_store: Path, tmp_path: Path) -> None:
    source, out = new_store.parent / "records", tmp_path / "p.csv"
    for factor in (1, 0.1):
        shutil.copy(source / "ecg00003.dat", tmp_path)
        header = (source / "ecg00003.hea").read_text()
        (tmp_path / "ecg00003.hea").write_text(header.replace("1000.0(0)", f"{1000 / factor}(0)"))
        assert predict(model, tmp_path / "ecg00003", "--out", out) == 0
        found = pd.read_csv(out)["findings"][0].split()
        assert ("gain_doubtful" in found) == (factor == 0.1)
