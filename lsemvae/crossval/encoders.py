"""Pre-train the encoder of a method from its experiment file, once."""

import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from data_modules.dataset import EcgPool
from lsemvae.core.experiments import experiment, read_experiment
from lsemvae.core.leads import LEADS
from lsemvae.core.made_with import refuse_other_settings
from lsemvae.core.sealed_json import read_json, write_json
from lsemvae.core.types import EcgInput
from lsemvae.models.method import Method, Size
from lsemvae.models.methods import find_method
from lsemvae.runtime.own_classes import class_path

SETTINGS, FINISHED = "settings.json", "finished"


@dataclass(frozen=True)
class PretrainSettings:
    """What a benchmark asks of every pre-training alike.

    Attributes:
        stores: recordings, as files made by `lsemvae prepare`.
        size: of the networks.
        epochs: None for what the experiment file says.
        batch_size: None for what the experiment file says.
        lr: None for what the experiment file says.
        num_workers: loader processes; None for what the experiment file says.
        seed: of weights, shuffling and noise.
    """

    stores: tuple[str, ...]
    size: Size = "paper"
    epochs: int | None = None
    batch_size: int | None = None
    lr: float | None = None
    num_workers: int | None = None
    seed: int = 0


def encoder_file(folder: Path) -> Path:
    """Return the checkpoint that `pretrain_encoder` leaves in a folder."""
    return folder / "checkpoints/last.ckpt"


def pretrain_encoder(method: str, folder: Path, settings: PretrainSettings) -> Path:
    """Pre-train the encoder of a method on every recording of the stores, unless that is done.

    An interrupted run goes on from its last checkpoint.

    Args:
        method: one that is pre-trained.
        folder: of this encoder.
        settings: of all encoders.

    Returns:
        The checkpoint.

    Raises:
        InputError: the folder holds an encoder made with other settings, or a file is missing.
    """
    from lsemvae.lightning_cli import run_lightning

    chosen, record = fit_settings(method, settings), described(method, settings)
    known = folder / SETTINGS
    if known.is_file():
        refuse_other_settings(
            f"{folder} holds an encoder that was pre-trained differently",
            read_json(known, f"remove {folder} to pre-train it again"), record,
            "choose another --out, or remove that folder to pre-train it again",
        )  # fmt: skip
    checkpoint = encoder_file(folder)
    if not is_pretrained(folder):
        write_json(known, record)
        where = {
            "data.init_args.store": json.dumps(list(settings.stores)),
            "trainer.default_root_dir": str(folder),
            "trainer.logger.init_args.save_dir": str(folder),
        }
        if checkpoint.is_file():
            where["ckpt_path"] = str(checkpoint)
        flags = [
            part for name, value in {**chosen, **where}.items() for part in (f"--{name}", value)
        ]
        config = str(experiment(find_method(method).experiment))
        run_lightning(["fit", "--config", config, *flags], others_follow=True)
        (folder / FINISHED).touch()
    return checkpoint


def is_pretrained(folder: Path) -> bool:
    """Tell whether the pre-training of a folder has come to its end."""
    return (folder / FINISHED).is_file() and encoder_file(folder).is_file()


def described(method: str, settings: PretrainSettings) -> dict[str, Any]:
    """Return everything that decides what an encoder becomes, ready for JSON."""
    with torch.device("meta"), warnings.catch_warnings(action="ignore"):
        network = find_method(method).build(_ecg_input(settings), LEADS, settings.size)
    own = find_method(method).described()
    return {
        "method": method,
        **({"own": own} if own else {}),
        "network": json.loads(json.dumps(network.init_args)),
        "experiment": read_experiment(find_method(method).experiment),
        "settings": fit_settings(method, settings),
        "data": EcgPool(list(settings.stores)).sha256,
    }


def _ecg_input(settings: PretrainSettings) -> EcgInput:
    return EcgPool(list(settings.stores)).ecg_input


def fit_settings(method: str, settings: PretrainSettings) -> dict[str, str]:
    """Return what is asked of `lsemvae fit` beyond the experiment file, by option."""
    chosen = find_method(method)
    network = {
        "class_path": _class_path(chosen),
        "init_args": chosen.network_args(_ecg_input(settings), LEADS, settings.size),
    }
    given: dict[str, Any] = {
        "model.init_args.network": json.dumps(network),
        "model.init_args.lr": settings.lr,
        "data.init_args.val_fraction": 0.0,
        "data.init_args.batch_size": settings.batch_size,
        "data.init_args.num_workers": settings.num_workers,
        "trainer.max_epochs": settings.epochs,
        "trainer.enable_progress_bar": "false",
        "trainer.enable_model_summary": "false",
        "seed_everything": settings.seed,
    }
    return {name: str(value) for name, value in given.items() if value is not None}


def _class_path(method: Method) -> str:
    return class_path(method.network) if method.own else method.class_path
