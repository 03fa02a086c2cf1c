"""Code in a TorchScript file runs when it is loaded; what could reach a file is refused before."""

import zipfile
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from lsemvae.core.errors import InputError
from lsemvae.models.torchscript_file import check_torchscript
from tests.models.test_foreign import ForeignEncoder, N, write_adapter

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")


class Usual(nn.Module):
    """Operators that take texts which are choices, and a message."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv1d(12, 4, 3, padding="same"), nn.GELU(), nn.LSTM(N, 3))

    def forward(self, ecg: Tensor) -> Tensor:
        if ecg.shape[1] != 12:
            raise ValueError(f"expected 12 leads, got {ecg.shape[1]}")
        given = torch.div(ecg, 2, rounding_mode="floor")
        return torch.einsum("blt,blt->bl", given, given) + self.body(ecg)[0].sum()


@pytest.fixture
def usual(tmp_path: Path) -> Path:
    file = tmp_path / "weights"
    torch.jit.script(Usual().eval()).save(str(file))
    return file


def with_code(file: Path, line: str) -> None:
    """Put a line in front of the code of a saved graph."""
    with zipfile.ZipFile(file) as packed:
        parts = {one: packed.read(one) for one in packed.namelist()}
    with zipfile.ZipFile(file, "w") as packed:
        for name, content in parts.items():
            packed.writestr(name, line.encode() + content if name.endswith(".py") else content)


def test_what_a_network_usually_calls_is_let_through(usual: Path) -> None:
    check_torchscript(usual)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("torch.save(x, 'f')\n", "calls save"),
        ("torch.  save (x, 'f')\n", "calls save"),
        ("torch. # that\n save(x, 'f')\n", "calls save"),
        ("y = ops.aten.from_file('f', True, 4)\n", "calls from_file"),
        ("ops.mine.run(x)\n", "calls ops.mine"),
        ("__torch__.torch.classes.dist_c10d.Store()\n", "calls torch.classes.dist_c10d"),
    ],
)
def test_code_that_could_do_more_than_compute_is_refused(
    usual: Path, line: str, named: str
) -> None:
    with_code(usual, line)
    with pytest.raises(InputError, match=named):
        check_torchscript(usual)


@pytest.mark.parametrize("how", ["comment", "twice", "old", "cut", "no code"])
def test_a_file_whose_code_nobody_can_tell_is_refused(usual: Path, how: str) -> None:
    if how == "cut":
        usual.write_bytes(usual.read_bytes()[:-30])
    elif how == "no code":
        with zipfile.ZipFile(usual, "w") as packed:
            packed.writestr("weights/data.pkl", b"")
    else:
        with zipfile.ZipFile(usual, "a") as packed:
            packed.comment = b"c" if how == "comment" else b""
            names = {"twice": packed.namelist()[0], "old": "weights/model.json"}
            packed.NameToInfo.clear()  # where zipfile looks whether a name is there
            packed.writestr(names.get(how, "other"), b"")
    with pytest.raises(InputError, match="cannot be opened as torchscript"):
        check_torchscript(usual)


class Writes(nn.Module):
    """Write what it is given over a file."""

    def forward(self, ecg: Tensor) -> Tensor:
        torch.save(ecg, "PLACE")
        return ecg.abs().mean(-1)


def test_an_adapter_writes_over_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    adapter = write_adapter(tmp_path, "torchscript")
    torch.jit.script(Writes()).save(str(tmp_path / "weights"))
    with pytest.raises(InputError, match="calls save"):
        ForeignEncoder(N, str(adapter))
    assert not (tmp_path / "PLACE").exists()
