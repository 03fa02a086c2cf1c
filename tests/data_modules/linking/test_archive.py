"""An archive without a table: patients from inside the files, and no identity in any result."""

import contextlib
import io
from pathlib import Path

import pytest

from benchmarks.holter_files import ishne_files, kardia_files
from benchmarks.recording_files import (
    EIGHT,
    aecg_files,
    dicom_files,
    edf_files,
    make_counts,
    muse_files,
    philips_files,
    scp_files,
    wfdb_files,
)
from benchmarks.study import found_tokens
from data_modules.store.read import EcgStore
from lsemvae.cli import main
from lsemvae.core.leads import LIMB_LEADS
from tests.conftest import ROOT, tiny_network

SIGNAL = ["--signal.sampling_rate_hz", "100", "--signal.duration_s", "6",
          "--signal.min_duration_s", "5"]  # fmt: skip


def tokens(kind: str) -> list[str]:
    """Return 30 planted words; the first is the patient's id."""
    return [f"{kind}q{number:02d}zz" for number in range(30)]


def _xml(raw: bytes, end: str, more: str, encoding: str) -> bytes:
    return raw.decode(encoding).replace(end, more + end).encode(encoding)


def _muse(words: list[str]) -> dict[str, bytes]:
    rest = " ".join(words[1:])
    text = (f"<PatientDemographics><PatientID>{words[0]}</PatientID>"
            f"<PatientLastName>{rest}</PatientLastName></PatientDemographics>")  # fmt: skip
    file = muse_files(make_counts(EIGHT))["r1.xml"]
    return {"a.xml": _xml(file, "</RestingECG>", text, "latin-1")}


def _philips(words: list[str]) -> dict[str, bytes]:
    text = (f"<patient><generalpatientdata><patientid>{words[0]}</patientid><name><lastname>"
            f"{' '.join(words[1:])}</lastname></name></generalpatientdata></patient>")  # fmt: skip
    file = philips_files(make_counts())["r1.xml"]
    return {"a.xml": _xml(file, "</restingecgdata>", text, "utf-16")}


def _aecg(words: list[str]) -> dict[str, bytes]:
    text = (f'<componentOf><trialSubject><id extension="{words[0]}"/><name>{" ".join(words[1:])}'
            "</name></trialSubject></componentOf>")  # fmt: skip
    return {"a.xml": _xml(aecg_files(make_counts())["r1.xml"], "</AnnotatedECG>", text, "utf-8")}


def _dicom(words: list[str]) -> dict[str, bytes]:
    pydicom = pytest.importorskip("pydicom")
    found = pydicom.dcmread(io.BytesIO(dicom_files(make_counts())["r1.dcm"]))
    found.PatientID, found.PatientName = words[0], words[1]
    found.PatientComments = " ".join(words[1:])
    buffer = io.BytesIO()
    found.save_as(buffer)
    return {"a.dcm": buffer.getvalue()}


def _edf(words: list[str]) -> dict[str, bytes]:
    raw = edf_files(make_counts())["r1.edf"]
    head = f"{words[0]} F 02-MAY-1951 {'_'.join(words[1:5])}".ljust(80)[:80]
    rec = f"Startdate 01-JAN-2020 {'_'.join(words[5:8])} X X".ljust(80)[:80]
    return {"a.edf": raw[:8] + (head + rec).encode() + raw[168:192] + b"EDF+C".ljust(44)
            + raw[236:]}  # fmt: skip


def _wfdb(words: list[str]) -> dict[str, bytes]:
    files = wfdb_files(make_counts())
    note = f"#<subject_id>: {words[0]}\n# {' '.join(words[1:])}\n".encode()
    return {"r1.hea": files["r1.hea"] + note, "r1.dat": files["r1.dat"]}


def _scp(words: list[str]) -> dict[str, bytes]:
    # tags: 2 id, 0 and 1 names, 20 and 21 physicians, 30 free text
    texts = dict(zip((2, 0, 1, 20, 21, 30), [*words[:5], " ".join(words[5:])], strict=True))
    patient = {tag: text.encode() + b"\0" for tag, text in texts.items()}
    return {"a.scp": scp_files(make_counts(), patient=patient)["r1.scp"]}


def _ishne(words: list[str]) -> dict[str, bytes]:
    names = {"identity": words[0], "first": words[1], "last": words[2]}
    return {"a.ecg": ishne_files(make_counts(), free=" ".join(words[3:]), **names)["r1.ecg"]}


def _kardia(words: list[str]) -> dict[str, bytes]:
    note = " ".join(words[1:])
    found = kardia_files(make_counts(LIMB_LEADS), identity=words[0], note=note)
    return {"a.json": found["r1.json"]}


PLANTED = {
    "muse": _muse, "philips": _philips, "aecg": _aecg, "dicom": _dicom, "edf": _edf,
    "wfdb": _wfdb, "scp": _scp, "ishne": _ishne, "kardia": _kardia,
}  # fmt: skip


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write one recording in each format, in a folder named after its patient, and a broken one."""
    folder = tmp_path_factory.mktemp("exports")
    for kind, write in PLANTED.items():
        home = folder / f"{tokens(kind)[2]}"
        home.mkdir()
        for name, content in write(tokens(kind)).items():
            (home / name).write_bytes(content)
            if name != "r1.hea":
                (home / f"{tokens(kind)[3]}.{name[-3:]}").write_bytes(content[:2000])
    return folder


@pytest.fixture(scope="module")
def store(exports: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the archive's store; beside it lie all that was printed, and a run that W&B logged."""
    out = tmp_path_factory.mktemp("out")
    key, store = out.parent / "archive_key", out / "a.h5"
    command = ["prepare", "archive", "--source", str(exports), "--out", str(store)]
    with (
        (out / "printed.txt").open("w") as printed,
        contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed),
        contextlib.chdir(out),
    ):  # fmt: skip
        assert main([*command, "--key", str(key), *SIGNAL]) == 0
        assert main(
            ["fit", "--config", str(ROOT / "experiments/pretrain/ls_emvae_wandb.yaml"),
             *tiny_network(n_samples=600), "--data.init_args.store", str(store),
             "--data.init_args.num_workers", "0", "--data.init_args.batch_size", "4",
             "--trainer.max_epochs", "1", "--trainer.default_root_dir", str(out),
             "--trainer.logger.save_dir", str(out)]
        ) == 0  # fmt: skip
    assert list(out.rglob("run-*.wandb"))
    return store


def test_patients_are_taken_from_inside_the_files(store: Path) -> None:
    opened = EcgStore(str(store))
    assert len(opened) == len(PLANTED)
    assert opened.table["patient_id"].nunique() == len(PLANTED)


@pytest.mark.parametrize("kind", list(PLANTED))
def test_no_word_planted_in_a_format_is_in_a_result(kind: str, exports: Path, store: Path) -> None:
    assert found_tokens(tokens(kind)[:3], exports)
    assert found_tokens(tokens(kind), store.parent) == []


def test_the_patients_of_a_study_can_be_left_out(
    exports: Path, store: Path, tmp_path: Path
) -> None:
    EcgStore(str(store)).table[["patient_id"]].head(2).to_csv(tmp_path / "x.csv", index=False)
    key = store.parent.parent / "archive_key"
    more = ["--out", str(tmp_path / "b.h5"), "--key", str(key)]
    more += ["--exclude", str(tmp_path / "x.csv"), *SIGNAL]
    assert main(["prepare", "archive", "--source", str(exports), *more]) == 0
    assert len(EcgStore(str(tmp_path / "b.h5"))) == len(PLANTED) - 2


def test_patients_to_leave_out_of_whom_none_is_there_are_refused(
    exports: Path, store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With another key, or with true ids, the study's patients stayed in without a word."""
    key, listed = store.parent.parent / "archive_key", tmp_path / "x.csv"
    more = ["--out", str(tmp_path / "b.h5"), "--key", str(key), "--exclude", str(listed)]
    for names, step in (("1012\n1013", "give the cohort.csv of"), (f"h{0:016x}", "--key")):
        listed.write_text(f"patient_id\n{names}\n")
        assert main(["prepare", "archive", "--source", str(exports), *more]) == 2
        text = " ".join(capsys.readouterr().err.split())
        assert "no patient of" in text
        assert step in text
    assert not (tmp_path / "b.h5").exists()


def test_an_archive_of_which_nothing_is_left_says_how_many_for_which_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "exports"
    source.mkdir()
    for name, content in wfdb_files(make_counts()).items():
        (source / name).write_bytes(content)
    more = ["--out", str(tmp_path / "stores/a.h5"), "--key", str(tmp_path / "key")]
    assert main(["prepare", "archive", "--source", str(source), *more]) == 2
    assert "is left: 1 does not say whose it is, 0 are excluded" in capsys.readouterr().err


def test_the_store_is_not_put_among_the_exports(
    exports: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(exports.rglob("*"))
    more = ["--source", str(exports), "--out", str(exports / "deep/a.h5")]
    assert main(["prepare", "archive", *more]) == 2
    assert "name a folder beside it with --out" in capsys.readouterr().err
    assert sorted(exports.rglob("*")) == before
