import getpass
import json
import platform
from pathlib import Path

import pytest
import torch
from lightning.pytorch.loggers import CSVLogger

from lsemvae.callbacks import ProvenanceWriter
from lsemvae.core.errors import InputError
from lsemvae.core.sealed_json import read_sealed
from lsemvae.models import LsEmvae
from lsemvae.tasks import Pretrainer
from tests.tiny_batches import LATENT_DIM, N_SAMPLES, TinyData, tiny_batch, tiny_trainer


def test_a_run_says_where_it_came_from_but_not_who_ran_it(tmp_path: Path) -> None:
    logger = CSVLogger(tmp_path, name="", version="")
    task, data = Pretrainer(LsEmvae(N_SAMPLES, LATENT_DIM)), TinyData([], [tiny_batch(2)])
    trainer = tiny_trainer(callbacks=[ProvenanceWriter()], logger=logger)
    trainer.validate(task, datamodule=data, verbose=False)
    assert not (tmp_path / "provenance.json").exists()  # it would say who trained the network
    data = TinyData([tiny_batch(2)], [tiny_batch(2)])
    trainer = tiny_trainer(callbacks=[ProvenanceWriter()], logger=logger, max_epochs=1)
    trainer.fit(task, datamodule=data)
    found = read_sealed(tmp_path / "provenance.json", "fit again", files=["metrics.csv"])
    assert found["versions"]["torch"] == torch.__version__
    log = tmp_path / "metrics.csv"
    log.write_text(log.read_text().replace(".", ".0", 1))
    with pytest.raises(InputError, match=r"metrics\.csv is missing or not as it was written"):
        read_sealed(tmp_path / "provenance.json", "fit again", files=[])
    text = (tmp_path / "provenance.json").read_text()
    written = json.loads(text)
    assert written["versions"]["torch"] == torch.__version__
    assert {"git_commit", "python", "seed", "accelerator"} <= set(written)
    # Equality of values, since a short user name may be part of any word.
    words = {str(value) for value in (*written.values(), *written["versions"].values())}
    assert not {platform.node(), getpass.getuser(), str(Path.home())} & words
