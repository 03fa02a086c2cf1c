"""Files that would unfold without measure or lead elsewhere: one line, nothing of it is read."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from openpyxl import Workbook

from data_modules.cohort import csv_cells, workbook
from data_modules.reading.read import read_recording
from data_modules.reading.reasons import RecordError
from data_modules.store.read import EcgStore
from lsemvae.cli import main
from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS
from lsemvae.models.checkpoint import load_pretrained
from tests.conftest import error_of

DEPTH = 10_000


def shared(levels: int) -> list[Any]:
    """Return a list of 4 ** levels values that takes as many objects as there are levels."""
    values: list[Any] = ["a"]
    for _ in range(levels):
        values = [values] * 4
    return values


def endless() -> list[Any]:
    values: list[Any] = []
    values.extend([values] * 4)
    return values


def network(content: dict[str, Any], **arguments: Any) -> None:
    kept = content["lsemvae_network"]
    kept["init_args"] = kept["init_args"] | arguments


CHECKPOINTS: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "shared lists": (lambda content: content.update(more=shared(40)), "unfold to more than"),
    "a list in itself": (lambda content: content.update(more=endless()), "or are endless"),
    "weights without bytes": (
        lambda content: content["state_dict"].update(a=torch.zeros(1).expand(10**12)),
        "its weight a is larger than the file",
    ),
    "weights that are numbers": (
        lambda content: content.update(state_dict={"a": 1}), "its weight 'a' is a int"
    ),
    "weights in a list": (lambda content: content.update(state_dict=[1]), "weights are a list"),
    "a word that it does not know": (
        lambda content: network(content, feature=10**9), "1000000000 is none of mixture_mean"
    ),
    "no class": (lambda content: content.update(lsemvae_network=[]), "names no network of a class"),
    "a number for a digest": (
        lambda content: content["MimicEcg"].update(sha256=5), "does not say as this program does"
    ),
    "a band of three ends": (
        lambda content: content["MimicEcg"].update(ecg_input=(100.0, 120, (1, 2, 3), "record")),
        "does not say as this program does",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CHECKPOINTS)
def test_a_checkpoint_that_nobody_trained_is_one_line(
    encoder: Path, tmp_path: Path, case: str
) -> None:
    change, said = CHECKPOINTS[case]
    content = torch.load(encoder, weights_only=True)
    change(content)
    torch.save(content, tmp_path / "odd.ckpt")
    with pytest.raises(InputError, match=said) as error:
        load_pretrained(str(tmp_path / "odd.ckpt"))
    assert str(tmp_path / "odd.ckpt") in str(error.value)


def test_a_compressed_checkpoint_is_not_unpacked(encoder: Path, tmp_path: Path) -> None:
    file = tmp_path / "small.ckpt"
    with (
        zipfile.ZipFile(encoder) as given,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        for name in given.namelist():
            made.writestr(name, bytes(1 << 24) if "/data/0" in name else given.read(name))
    with pytest.raises(InputError, match=r"small\.ckpt would unpack to [0-9,]+ bytes"):
        load_pretrained(str(file))


def linked(file: h5py.File, elsewhere: Path) -> None:
    file["ecg"] = h5py.ExternalLink(str(elsewhere), "/ecg")


def raw_elsewhere(file: h5py.File, elsewhere: Path) -> None:
    file.create_dataset("ecg", (1, 10, 12), "u1", external=[(str(elsewhere), 0, 120)])


def virtual(file: h5py.File, elsewhere: Path) -> None:
    layout = h5py.VirtualLayout((1, 5000, 12), "f4")
    layout[0] = h5py.VirtualSource(str(elsewhere), "ecg", (5000, 12))
    file.create_virtual_dataset("ecg", layout)


def round_about(file: h5py.File, _: Path) -> None:
    file["ecg"] = h5py.SoftLink("/ecg")


def one_chunk(file: h5py.File, _: Path) -> None:
    file.create_dataset("ecg", (9, 10**8, 12), "f4", chunks=(1, 4 * 10**7, 12), compression=1)


def endless_row(file: h5py.File, _: Path) -> None:
    file.create_dataset("ecg", (9, 3 * 10**9, 12), "f8")


@pytest.mark.parametrize(
    "make", [linked, raw_elsewhere, virtual, round_about, one_chunk, endless_row]
)
def test_an_array_file_opens_no_other_file_and_unpacks_no_more_than_a_recording(
    make: Callable[[h5py.File, Path], None], tmp_path: Path
) -> None:
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as other:
        other["ecg"] = np.ones((1, 5000, 12), np.float32)
    source = tmp_path / "source"
    source.mkdir()
    with h5py.File(source / "a.hdf5", "w") as file:
        make(file, secret)
    stated = {"leads": LEADS, "sampling_rate_hz": 500, "unit": "mV", "variable": "ecg"}
    (source / "layout.json").write_text(json.dumps(stated))
    with pytest.raises(RecordError) as error:
        read_recording(source, "a.hdf5#0", amplitude="calibrated")
    assert error.value.code in ("file_invalid", "header_limit")


def test_a_store_opens_no_other_file(cohort: Path, tmp_path: Path) -> None:
    bad, other = tmp_path / "bad.h5", tmp_path / "other.h5"
    bad.write_bytes(cohort.read_bytes())
    other.write_bytes(cohort.read_bytes())
    with h5py.File(bad, "r+") as file:
        del file["present"]
        file["present"] = h5py.ExternalLink(str(other), "/present")
    with pytest.raises(InputError, match=r"bad\.h5 is damaged \('present' is a link to elsewhere"):
        EcgStore(bad)


def test_a_workbook_that_unpacks_to_too_much_or_reaches_too_far_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    book = Workbook()
    book.active.append(["record", "patient_id"])
    book.active["XFD9"] = "far"
    book.save(tmp_path / "t.xlsx")
    check = ["check", "cohort", "--table", str(tmp_path / "t.xlsx")]
    monkeypatch.setattr(workbook, "MOST_CELLS", 10_000)
    assert main(check) == 2
    assert "the sheet 'Sheet' has more than" in error_of(capsys)
    monkeypatch.setattr(workbook, "MOST_UNPACKED", 1000)
    assert main(check) == 2
    assert "t.xlsx unpacks to" in error_of(capsys)


@pytest.mark.parametrize(
    ("limit", "content", "said"),
    [
        ("MOST_COLUMNS", "a," * 300 + "\n", "a row of 301 cells"),
        ("MOST_ROWS", "record,patient_id\n" + "a,b\n" * 300, "more than 100 rows"),
        ("MOST_ROWS", "record,patient_id\n" + "\n" * 300, "more than 100 rows"),
        ("MOST_BYTES", "record,patient_id\n" + "a,b\n" * 300, "has 1,218 bytes"),
    ],
)
def test_a_table_without_end_is_refused(
    limit: str, content: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(csv_cells, limit, 100)
    (tmp_path / "t.csv").write_text(content)
    assert main(["check", "cohort", "--table", str(tmp_path / "t.csv")]) == 2
    assert f"t.csv has {said}" in (line := error_of(capsys)) or said in line


@pytest.mark.parametrize("text", ["[" * DEPTH + "]" * DEPTH, '{"a":' * DEPTH + "1" + "}" * DEPTH])
@pytest.mark.parametrize("name", ["r.csv.layout.json", "k.json"])
def test_json_without_bottom_is_no_recording(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("1,2\n" * 50)
    (tmp_path / name).write_text(text if name[0] == "r" else f'{{"recordedAt":1,"raw":{text}}}')
    record = name.removesuffix(".layout.json")
    with pytest.raises(RecordError, match="nests too deep"):
        read_recording(tmp_path, record, amplitude="calibrated")


def test_metrics_without_bottom_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "cv/detection/ls_emvae/12L"
    run.mkdir(parents=True)
    (run / "predictions.csv").write_text("record\n")
    (run / "metrics.json").write_text("[" * DEPTH)
    assert main(["report", str(tmp_path / "cv"), "--out", str(tmp_path / "r")]) == 2
    assert f"{run / 'metrics.json'} is cut or damaged" in error_of(capsys)


def test_xml_of_attributes_alone_costs_nothing(tmp_path: Path) -> None:
    many = " ".join(f'a{i}="1"' for i in range(400_001))
    (tmp_path / "a.xml").write_text(f"<RestingECG {many}/>")
    with pytest.raises(RecordError, match="400000 attributes"):
        read_recording(tmp_path, "a.xml", amplitude="calibrated")
