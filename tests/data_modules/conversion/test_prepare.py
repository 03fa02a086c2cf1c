"""`prepare`: from files to a store and a quarantine list, whatever the files are like."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import data_modules.store.shards
from benchmarks.recording_files import WRITERS, make_counts
from data_modules.conversion.prepare import prepare_cohort, prepare_mimic
from data_modules.conversion.quarantine import ConversionSummary
from data_modules.signals.settings import SignalSettings
from data_modules.store.read import EcgStore
from lsemvae.cli import main
from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS, LIMB_LEADS, lead_indices
from tests.conftest import error_of
from tests.data_modules.conftest import MIMIC_ORDER, WriteRecord, make_ecg_mv

UNFILTERED = SignalSettings(low_hz=None, high_hz=None)


def quarantine(summary: ConversionSummary) -> list[list[str]]:
    with summary.quarantine.open(newline="") as file:
        return list(csv.reader(file))


@pytest.fixture
def mixed(write_record: WriteRecord, tmp_path: Path) -> Path:
    """Four recordings: sound, another sound, one flat lead, damaged; and one that is not there."""
    flat = make_ecg_mv()
    flat[7] = 0
    write_record("s/1")
    write_record("s/2", -2 * make_ecg_mv())
    write_record("s/3", flat)
    write_record("s/4", data=lambda raw: raw[::-1])
    rows = ["record,patient_id,mpap_mmhg", "4,d,1", "1,a,2", "5,e,3", "3,007,4", "2,b,"]
    (tmp_path / "t.csv").write_text("\n".join(rows))
    return tmp_path


def prepare(folder: Path, out: str = "o.h5", *, jobs: int = 1) -> ConversionSummary:
    return prepare_cohort(
        str(folder / "t.csv"), str(folder / "s"), str(folder / out), signal=UNFILTERED, jobs=jobs
    )


def test_good_recordings_are_stored_and_bad_ones_end_nothing(
    mixed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = prepare(mixed)
    assert (summary.listed, summary.accepted, summary.with_warnings) == (5, 3, 1)
    assert summary.rejected == {"checksum_mismatch": 1, "file_missing": 1}
    assert summary.warnings == {"lead_flat": 1}
    store = EcgStore(mixed / "o.h5")
    assert store.table["record"].tolist() == ["1", "3", "2"]
    assert store.table["patient_id"].tolist() == ["a", "007", "b"]
    np.testing.assert_array_equal(store.table["mpap_mmhg"], [2, 4, np.nan])
    np.testing.assert_allclose(store.read([2])[0], -2000 * make_ecg_mv(), atol=1.01)
    assert (store.label, store.unit, store.settings["low_hz"]) == ("t", "mV", None)
    assert not store.present[1, 7]
    assert store.present.sum() == 35
    printed = capsys.readouterr().out
    assert "3 of 5 recordings accepted, 1 of them with warnings" in printed
    assert "checksum_mismatch 1, file_missing 1" in printed


def test_patients_get_a_prefix_that_is_asked_for(mixed: Path) -> None:
    files = [str(mixed / "t.csv"), str(mixed / "s"), str(mixed / "p.h5")]
    prepare_cohort(*files, patient_prefix="CLINIC-", signal=UNFILTERED)
    patients = EcgStore(mixed / "p.h5").table["patient_id"]
    assert patients.tolist() == ["CLINIC-a", "CLINIC-007", "CLINIC-b"]
    for prefix in ("7-", "=", "a,b"):
        with pytest.raises(InputError, match="begins with a letter"):
            prepare_cohort(*files, patient_prefix=prefix, signal=UNFILTERED)


def test_the_quarantine_list_names_record_outcome_and_reason(mixed: Path) -> None:
    header, *rows = quarantine(prepare(mixed))
    assert header == ["record", "outcome", "code", "message", "remedy"]
    assert [row[:3] for row in rows] == [
        ["4", "rejected", "checksum_mismatch"],
        ["5", "rejected", "file_missing"],
        ["3", "accepted_with_warnings", "lead_flat"],
    ]
    assert "V2" in rows[2][3]


def test_two_processes_write_the_same_bytes_as_one(
    mixed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_modules.store.shards, "MIN_ROWS", 2)
    prepare(mixed, "one.h5")
    prepare(mixed, "two.h5", jobs=2)
    assert (mixed / "one.h5").read_bytes() == (mixed / "two.h5").read_bytes()


def test_a_run_without_a_usable_recording_keeps_the_old_files(mixed: Path) -> None:
    prepare(mixed)
    before = everything(mixed)
    (mixed / "t.csv").write_text("record,patient_id\n4,d\n5,e\n")
    with pytest.raises(
        InputError, match=r"none of the 2 recordings was usable \(checksum_mismatch.*failed.csv"
    ):
        prepare(mixed)
    failed = mixed / "o.h5.failed.csv"
    assert [line.split(",")[0] for line in failed.read_text().splitlines()] == ["record", "4", "5"]
    failed.unlink()
    (mixed / "t.csv").write_bytes(before[mixed / "t.csv"])
    assert everything(mixed) == before


def test_records_of_another_folder_name_it(
    write_record: WriteRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_record("files/1")
    (tmp_path / "other").mkdir()
    for record, source, meant in (
        ("1", tmp_path, tmp_path / "files"),
        ("files/1", tmp_path / "files", tmp_path),
    ):
        (tmp_path / "t.csv").write_text(f"record,patient_id\n{record},a\n")
        given = [str(tmp_path / "t.csv"), "--source", str(source), "--out", str(tmp_path / "o.h5")]
        assert main(["prepare", "cohort", *given]) == 2
        assert error_of(capsys).endswith(f"; it lies below {meant}: --source {meant}")


def everything(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_leads_are_stored_by_name_from_mimic_order(
    write_record: WriteRecord, tmp_path: Path
) -> None:
    stored = make_ecg_mv()[lead_indices(MIMIC_ORDER)]
    write_record("files/p1/s2/2", stored, leads=MIMIC_ORDER, comment="synthetic ECG, seed 1")
    write_record("files/p1/s3/3")
    (tmp_path / "record_list.csv").write_text(
        "subject_id,study_id,file_name,ecg_time,path\n"
        "001,2,2,2180-01-01 10:00:00,files/p1/s2/2\n"
        "001,3,3,2180-01-02 10:00:00,files/p1/s3/3\n"
    )
    out = tmp_path / "m.h5"
    prepare_mimic(str(tmp_path), str(out), signal=UNFILTERED)
    store = EcgStore(out)
    assert list(store.table) == ["record", "patient_id", "study_id", "ecg_time", "signal_sha256"]
    assert store.table["patient_id"].tolist() == ["001", "001"]
    assert store.table["study_id"].tolist() == ["2", "3"]
    assert store.synthetic
    first, second = store.read([0, 1])
    np.testing.assert_array_equal(first, second)
    assert store.table["signal_sha256"].nunique() == 1
    prepare_mimic(str(tmp_path), str(out), signal=UNFILTERED, limit=1)
    assert len(EcgStore(out)) == 1


def test_a_list_with_names_in_capitals_is_read_and_one_without_paths_is_named(
    write_record: WriteRecord, tmp_path: Path
) -> None:
    write_record("files/p1/s2/2")
    listing, out = tmp_path / "record_list.csv", str(tmp_path / "m.h5")
    listing.write_text(
        ",SUBJECT_ID,STUDY_ID,ECG_TIME,PATH\n0,1.0,2.0,2180-01-01 10:00:00,files/p1/s2/2\n"
    )
    prepare_mimic(str(tmp_path), out, signal=UNFILTERED)
    assert list(EcgStore(out).table)[:4] == ["record", "patient_id", "study_id", "ecg_time"]
    assert EcgStore(out).table[["patient_id", "study_id"]].values.tolist() == [["1", "2"]]
    listing.write_text("subject_id,study_id\n1,2\n")
    with pytest.raises(InputError, match="lacks the columns path; it has subject_id, study_id"):
        prepare_mimic(str(tmp_path), out, signal=UNFILTERED)


def test_recordings_of_arbitrary_amplitude_say_so(
    write_record: WriteRecord, tmp_path: Path
) -> None:
    write_record("s/1", gain="1000(0)/NU")
    (tmp_path / "t.csv").write_text("record,patient_id\n1,1\n")
    paths = [str(tmp_path / name) for name in ("t.csv", "s", "o.h5")]
    with pytest.raises(InputError, match="unit_unknown 1"):
        prepare_cohort(*paths)  # type: ignore[arg-type]
    prepare_cohort(paths[0], paths[1], paths[2], amplitude="arbitrary", label="z-scored")
    store = EcgStore(paths[2])
    assert (store.unit, store.label, store.synthetic) == ("NU", "z-scored", False)


def test_wrong_arguments_are_named_before_anything_is_read(mixed: Path) -> None:
    with pytest.raises(InputError, match="there is no folder"):
        prepare_cohort(str(mixed / "t.csv"), str(mixed / "no"), str(mixed / "o.h5"))
    with pytest.raises(InputError, match="jobs must be 1 or more"):
        prepare(mixed, jobs=0)
    with pytest.raises(InputError, match="jobs is 9000, and each is a process"):
        prepare(mixed, jobs=9000)
    with pytest.raises(InputError, match="cannot be made"):
        prepare(mixed, "t.csv/o.h5")
    with pytest.raises(InputError, match=r"holds no record_list.csv"):
        prepare_mimic(str(mixed), str(mixed / "o.h5"))
    (mixed / "record_list.csv").write_text("subject_id,path\n1,s/1\n")
    with pytest.raises(InputError, match="limit must be 1 or more"):
        prepare_mimic(str(mixed), str(mixed / "o.h5"), limit=0)
    assert not (mixed / "o.h5").exists()


@pytest.mark.parametrize(
    ("module", "heavy"),
    [("prepare", ("torch", "scipy", "pandas", "h5py")), ("convert", ("torch", "lightning"))],
)
def test_commands_start_without_heavy_imports(module: str, heavy: tuple[str, ...]) -> None:
    code = (
        f"import sys, data_modules.conversion.{module}; "
        f"print([n for n in {heavy} if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_implausible_pressures_are_told_and_kept(
    mixed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (mixed / "t.csv").write_text("record,patient_id,mpap_mmhg,pawp_mmhg\n1,a,20,30\n")
    assert prepare(mixed).accepted == 1
    assert "row 2: pawp_mmhg 30 exceeds mpap_mmhg 20" in capsys.readouterr().out


def test_a_cohort_may_mix_kinds_of_files(write_record: WriteRecord, tmp_path: Path) -> None:
    write_record("s/0", leads=["x", *LEADS[1:]])
    records = ["0"]
    for number, (record, leads, writer) in enumerate(WRITERS.values()):
        folder = tmp_path / "s" / str(number)
        folder.mkdir()
        for name, content in writer(make_counts(leads), leads).items():
            (folder / name).write_bytes(content)
        records.append(f"{number}/{record}")
    write_record("s/short", make_ecg_mv(1000))
    rows = [f"{record},{number}" for number, record in enumerate([*records, "short", "1/none.xml"])]
    (tmp_path / "t.csv").write_text("\n".join(["record,patient_id", *rows]))
    summary = prepare(tmp_path)
    assert summary.accepted == len(records)
    limb = [tuple(leads) == LIMB_LEADS for _, leads, _ in WRITERS.values()]
    # 6 s in a store of 10 s; the first record lacks lead I, which follows from the others
    assert summary.warnings == {
        "padded": len(WRITERS), "lead_missing": 1 + sum(limb), "limb_leads_derived": 1,
        "signals_ignored": 1,
        # one ECG in every kind of file that holds twelve leads, under patients of its own
        "signal_repeated": len(WRITERS) - sum(limb),
    }  # fmt: skip
    outcomes = {tuple(row[:3]) for row in quarantine(summary)}
    assert ("short", "skipped", "too_short") in outcomes
    assert ("1/none.xml", "rejected", "file_missing") in outcomes
    store = EcgStore(tmp_path / "o.h5")
    np.testing.assert_array_equal(store.present.all(1), [True, *np.invert(limb)])
    assert store.present[:, :6].all()
    stored = store.read(list(range(1, len(records))))
    stored[limb, 6:] = stored[0, 6:]  # not there
    np.testing.assert_allclose(stored, np.broadcast_to(stored[:1], stored.shape), atol=3)
