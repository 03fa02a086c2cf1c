"""From a hospital's exports and workbook to a store, as the command line goes."""

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.hospital import write_hospital
from benchmarks.study import commands, found_tokens, wrong_counts
from data_modules.cohort.flow import flow_of_store, read_flow
from data_modules.store.read import EcgStore
from lsemvae.cli import main


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hospital")
    write_hospital(folder, n_files=60)
    for command in commands(folder, "none")[:2]:
        assert main(command) == 0
    return folder


def test_the_flow_is_what_was_planted(hospital: Path) -> None:
    assert wrong_counts(hospital) == []


def test_no_planted_identity_is_in_a_file_that_a_command_wrote(hospital: Path) -> None:
    tokens = (hospital / "tokens.txt").read_text().splitlines()
    assert len(tokens) > 400
    assert found_tokens(tokens, hospital / "study") == []
    assert found_tokens(tokens[:9], hospital / "exports")  # they are there to be found


def test_the_store_carries_the_flow_to_its_own_records(hospital: Path) -> None:
    flow = read_flow(flow_of_store(hospital / "study/cohort.h5"))
    assert flow.synthetic
    assert flow.rules == (hospital / "rules.yaml").read_text()
    assert flow.steps[-1].text == "recordings in the store"
    assert flow.steps[-1].n == len(pd.read_csv(hospital / "study/cohort.csv"))


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


def test_a_store_is_not_made_with_another_key(hospital: Path, tmp_path: Path) -> None:
    command = commands(hospital, "none")[1]
    command[command.index("--key") + 1] = str(tmp_path / "other_key")
    assert main(command) == 2


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
