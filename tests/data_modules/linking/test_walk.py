"""From a hospital's exports and workbook to the report, as the command line goes."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from benchmarks import study
from benchmarks.hospital import write_hospital
from benchmarks.study import commands, found_tokens, wrong_counts
from data_modules.cohort.flow import flow_of_store, read_flow
from data_modules.store.read import EcgStore
from lsemvae.cli import main
from lsemvae.core.pseudonyms import pseudonym
from tests.held import unheld_files
from tests.killed import KILLED, contents, killed_at


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the walk; its study/log.txt holds all that the commands printed."""
    folder = tmp_path_factory.mktemp("hospital")
    write_hospital(folder, n_files=40)
    (folder / "study").mkdir()
    short = ["--folds", "2", "--epochs", "1", "--inner", "false"]
    with (
        (folder / "study/log.txt").open("w") as log,
        contextlib.redirect_stdout(log), contextlib.redirect_stderr(log),
    ):  # fmt: skip
        assert [main(one) for one in commands(folder, "public", *short)] == [0] * 4
    return folder


@pytest.fixture
def paper(hospital: Path) -> dict[str, Any]:
    """Return the end of the report: flow and methods."""
    found = json.loads((hospital / "study/report/report.json").read_text())
    facts: dict[str, Any] = found["sections"]["paper"]["facts"]
    return facts


def test_the_flow_is_what_was_planted(hospital: Path) -> None:
    assert wrong_counts(hospital) == []


def test_no_planted_identity_is_in_a_file_that_a_command_wrote(hospital: Path) -> None:
    tokens = (hospital / "tokens.txt").read_text().splitlines()
    assert len(tokens) > 300
    assert found_tokens(tokens, hospital / "study") == []
    assert found_tokens(tokens[:9], hospital / "exports")  # they are there to be found


@pytest.mark.parametrize(
    ("text", "n_found"), [("loss 0.40431489", 0), ("id 40431489", 1), ("id 0040431489, 0.5", 1),
                          ("0.40431489 of 40431489", 1), ("a.40431489", 1)],
)  # fmt: skip
def test_digits_of_a_fraction_are_no_identity(tmp_path: Path, text: str, n_found: int) -> None:
    (tmp_path / "a.csv").write_text(text)
    assert len(found_tokens(["40431489"], tmp_path)) == n_found


def test_the_store_carries_the_flow_to_its_own_records(hospital: Path) -> None:
    flow = read_flow(flow_of_store(hospital / "study/cohort.h5"))
    assert flow.synthetic
    assert flow.rules == (hospital / "rules.yaml").read_text()
    assert flow.steps[-1].text == "recordings in the store"
    assert flow.steps[-1].n == len(pd.read_csv(hospital / "study/cohort.csv"))


def test_the_report_ends_with_the_flow_that_was_planted(
    hospital: Path, paper: dict[str, Any]
) -> None:
    truth = json.loads((hospital / "truth.json").read_text())
    told = {step["text"]: step["n"] for step in paper["steps"]}
    told |= {one["reason"]: one["n"] for step in paper["steps"] for one in step["excluded"]}
    assert {text: told.get(text, 0) for text in truth} == truth
    drawn = (hospital / "study/report/figures/flow.svg").read_text()
    n_cohort = truth["recordings of the cohort"]
    assert drawn.count(f"n = {n_cohort}") == 3  # cohort, store, analysis
    assert paper["rules"] == (hospital / "rules.yaml").read_text()


def test_the_methods_name_encoder_and_window(hospital: Path, paper: dict[str, Any]) -> None:
    told = " ".join(paper["methods"])
    metrics = next((hospital / "study/runs").rglob("metrics.json"))
    assert json.loads(metrics.read_text())["encoder_sha256"] in told
    assert "at most 30 days before or after" in told
    assert "SYNTHETIC" in told


def test_the_recorders_measurements_are_compared(hospital: Path) -> None:
    page = (hospital / "study/report/index.html").read_text()
    assert "logistic regression on age, sex, machine measurements" in page


def test_shifted_dates_keep_their_interval(hospital: Path) -> None:
    cohort = pd.read_csv(hospital / "study/cohort.csv", parse_dates=["ecg_date", "rhc_date"])
    days = (cohort["ecg_date"] - cohort["rhc_date"]).dt.days
    assert days.equals(cohort["days_from_rhc"])


def test_each_exception_says_what_to_do(hospital: Path) -> None:
    listed = pd.read_csv(hospital / "study/exceptions.csv")
    assert listed["next_step"].notna().all()
    assert listed["who"].str.match(r"row \d+$|file h[0-9a-f]{16}$").all()


def test_an_id_is_not_guessed_but_the_option_is_named(hospital: Path, tmp_path: Path) -> None:
    command = commands(hospital, "none")[0]
    command[command.index("--out") + 1] = str(tmp_path / "strict")
    command[command.index("--ids.leading_zeros") + 1] = "false"
    assert main(command) == 2
    listed = pd.read_csv(tmp_path / "strict/exceptions.csv")
    assert listed["next_step"].str.contains("--ids.leading_zeros true", regex=False).any()


def test_the_key_may_not_lie_among_the_results(hospital: Path, tmp_path: Path) -> None:
    command = commands(hospital, "none")[0]
    command[command.index("--key") + 1] = command[command.index("--out") + 1] + "/key"
    assert main(command) == 2


@pytest.mark.parametrize("place", [".", "study", "../exports/deep/study"])
def test_results_are_not_put_among_the_exports(
    hospital: Path, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = commands(hospital, "none")[0]
    command[command.index("--out") + 1] = str(hospital / "exports" / place)
    before = contents(hospital / "exports")
    assert main(command) == 2
    assert "name a folder beside it with --out" in capsys.readouterr().err
    assert contents(hospital / "exports") == before


def test_a_store_is_not_made_with_another_key(hospital: Path, tmp_path: Path) -> None:
    command = commands(hospital, "none")[1]
    other = tmp_path / "other_key"
    other.write_bytes(bytes(range(32)))
    other.chmod(0o600)
    command[command.index("--key") + 1] = str(other)
    assert main(command) == 2


def test_a_table_of_link_that_is_read_as_files_names_the_missing_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = pseudonym("record a", bytes(32))
    (tmp_path / "exports").mkdir()
    table = tmp_path / "cohort.csv"
    table.write_text(f"record,patient_id\n{name},{pseudonym('patient p', bytes(32))}\n")
    given = ["--table", str(table), "--source", str(tmp_path / "exports")]
    assert main(["prepare", "cohort", *given, "--out", str(tmp_path / "s.h5")]) == 2
    assert f"such as {name}; add --pseudonyms, and the --key" in capsys.readouterr().err
    key = tmp_path / "keys/mistyped"
    more = ["--out", str(tmp_path / "stores/s.h5"), "--pseudonyms", "--key", str(key)]
    assert main(["prepare", "cohort", *given, *more]) == 2
    assert f"there is no key {key}" in capsys.readouterr().err
    assert not key.exists()


@pytest.mark.parametrize("step", [8, 11])
def test_a_link_that_was_killed_is_done_by_the_next_one_alone(
    step: int, hospital: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = commands(hospital, "none")[0]
    command[command.index("--out") + 1] = str(tmp_path)
    assert killed_at(step, command) == KILLED
    assert unheld_files(command, monkeypatch) == []
    made = ("cohort.csv", "exceptions.csv", "flow.json")
    assert contents(tmp_path) == {name: (hospital / "study" / name).read_bytes() for name in made}


def test_a_table_that_was_changed_has_no_flow(
    hospital: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("cohort.csv", "flow.json"):
        (tmp_path / name).write_bytes((hospital / "study" / name).read_bytes())
    lines = (tmp_path / "cohort.csv").read_text().splitlines(keepends=True)
    (tmp_path / "cohort.csv").write_text("".join(lines[:-1]))
    command = commands(hospital, "none")[1]
    command[command.index("--table") + 1] = str(tmp_path / "cohort.csv")
    command[command.index("--out") + 1] = str(tmp_path / "cohort.h5")
    assert main(command) == 0
    assert "was changed" in capsys.readouterr().out
    assert not flow_of_store(tmp_path / "cohort.h5").exists()


def test_a_studys_patients_are_left_out_of_the_archive(hospital: Path, tmp_path: Path) -> None:
    more = ["--key", str(hospital / "key"), "--out", str(tmp_path / "archive.h5"),
            "--exclude", str(hospital / "study/cohort.csv"),
            "--signal.sampling_rate_hz", "100"]  # fmt: skip
    assert main(["prepare", "archive", "--source", str(hospital / "exports"), *more]) == 0
    own = set(EcgStore(str(tmp_path / "archive.h5")).table["patient_id"])
    assert own
    assert not own & set(pd.read_csv(hospital / "study/cohort.csv")["patient_id"])


def test_ctrl_c_between_the_commands_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(study, "write_hospital", interrupted)
    assert study.main(["--out", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "interrupted; what is finished is kept\n"
