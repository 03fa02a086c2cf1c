"""What a disk or a copy has changed in a store is noticed by whatever reads it."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data_modules.dataset import EcgPool
from data_modules.store.content import signal_digest
from data_modules.store.read import EcgStore
from lsemvae.cli import main
from lsemvae.core.errors import InputError
from tests.conftest import ROOT, error_of, tiny_network


def test_a_flipped_bit_of_a_signal_stops_the_training_that_reads_it(
    pretraining: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The record is named, whichever leads are trained on."""
    store = EcgStore(pretraining)
    signal = store.read([0])[0].tobytes()
    content = bytearray(pretraining.read_bytes())
    place = content.index(signal)
    content[place + len(signal) - 1] ^= 64  # in V6
    flipped = tmp_path / "flipped.h5"
    flipped.write_bytes(content)
    common = ["--config", str(ROOT / "experiments/demo/pretrain.yaml"), *tiny_network(),
              "--data.init_args.batch_size", "8", "--trainer.max_epochs", "1",
              "--trainer.enable_progress_bar", "false"]  # fmt: skip
    for leads in ("12", "6"):
        run = tmp_path / leads
        assert main(
            ["fit", *common, "--data.init_args.store", str(flipped), "--data.init_args.leads",
             leads, "--trainer.default_root_dir", str(run),
             "--trainer.logger.init_args.save_dir", str(run)]
        ) == 2  # fmt: skip
        said = error_of(capsys)
        assert f"record {store.table['record'][0]} are not those that were written" in said
        assert "copy the store again" in said.lower()


@pytest.mark.parametrize("command", ["table1", "check cohort", "cv"])
def test_a_flipped_bit_of_a_pressure_stops_whatever_asks_for_it(
    command: str, cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = bytearray(cohort.read_bytes())
    pressures = EcgStore(cohort).column("mpap_mmhg").tobytes()
    content[content.index(pressures) + 7] ^= 1  # an exponent: 25 mmHg is 5e-76
    changed = tmp_path / "changed.h5"
    changed.write_bytes(content)
    options = {"table1": ["--cohort", str(changed), "--out", str(tmp_path / "t")],
               "check cohort": ["--store", str(changed)],
               "cv": ["--cohort", str(changed), "--method", "resnet1d", "--size", "small",
                      "--out", str(tmp_path / "cv")]}  # fmt: skip
    assert main([*command.split(), *options[command]]) == 2
    assert "changed.h5: the table is not the one that was written" in error_of(capsys)


@pytest.mark.parametrize("part", [b"TREE", b"SNOD", b"HEAP"])
def test_a_damaged_part_of_the_file_format_is_one_line(
    part: bytes, cohort: Path, tmp_path: Path
) -> None:
    """The HDF5 library has an error of its own for each."""
    content = bytearray(cohort.read_bytes())
    content[content.index(part, 512)] ^= 4
    changed = tmp_path / "changed.h5"
    changed.write_bytes(content)
    with pytest.raises(InputError, match=r"is damaged .*prepare it again"):
        EcgStore(changed).table  # noqa: B018 (reading is what is tested)


def test_a_record_is_hashed_once_and_by_each_process_for_itself(
    pretraining: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[int] = []

    def digest(ecg: Any) -> str:
        hashed.append(1)
        return signal_digest(ecg)

    monkeypatch.setattr("data_modules.store.read.signal_digest", digest)
    pool = EcgPool([str(pretraining)])
    for _ in range(2):
        pool.read(np.array([1, 0, 1]), [0, 5])
    assert len(hashed) == 2
    pickle.loads(pickle.dumps(pool)).read(np.array([0]), [3])
    assert len(hashed) == 3
