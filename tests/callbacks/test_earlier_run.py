"""A run that replaces another says which of its checkpoints stayed."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from lightning import Trainer
from lightning.pytorch.callbacks import ModelCheckpoint

from lsemvae.callbacks.earlier_run import tell_what_stayed


@pytest.mark.parametrize(
    ("ckpt_path", "overwrite", "told"),
    [(None, True, True), (None, False, False), ("last", True, False)],
)
def test_only_older_checkpoints_of_a_replaced_run_are_told(
    ckpt_path: str | None, overwrite: bool, told: bool,
    tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    for name, seconds in (("epoch=4.ckpt", 100), ("epoch=2-v1.ckpt", 300)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (seconds, seconds))
    kept = ModelCheckpoint(dirpath=tmp_path)
    trainer = Trainer(accelerator="cpu", logger=False, callbacks=[kept], default_root_dir=tmp_path)
    capsys.readouterr()
    tell_what_stayed(trainer, SimpleNamespace(ckpt_path=ckpt_path, overwrite=overwrite), 200.0)
    said = capsys.readouterr().err
    assert ("1 checkpoint of an earlier run stayed" in said) is told
    assert ("epoch=4.ckpt" in said) is told
    assert "epoch=2-v1.ckpt" not in said
