"""Tell what a run that goes on changes of the run that it goes on with."""

from collections.abc import Iterator
from typing import Any

from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_only

from lsemvae.core.errors import InputError
from lsemvae.core.printable import say

OF_OPTIMISER = ("model.lr", "model.weight_decay", "model.betas")
"""Settings that an optimiser has in its state, so that another value would have no effect."""
OF_TRAINER = (
    "accumulate_grad_batches", "callbacks", "gradient_clip_algorithm", "gradient_clip_val",
    "limit_train_batches", "overfit_batches", "precision",
)  # fmt: skip
WITHOUT_EFFECT = (
    "data.num_workers", "data.store", "model.compile_loss", "model.encoder", "model.leads",
    "model.shard_optimiser",
)  # fmt: skip
"""Paths, which say nothing of what lies there, and how a run is computed."""
WRITERS = ("ModelCheckpoint", "ReconstructionWriter", "ProvenanceWriter", "PredictionWriter")


class SameSettings(Callback):
    """Keep in checkpoints what decides the weights, and compare it where a run goes on.

    What changes is told. What could not change is refused: an optimiser goes on with the learning
    rate, weight decay and betas in its state.

    Args:
        settings: of a subcommand of LightningCLI, as its parser dumps them.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = deciding(settings)
        self._trains = False

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Add the recordings, which a data module may just have made, and the processes."""
        self._settings["recordings"] = recordings_of(getattr(trainer, "datamodule", None))
        self._settings["processes"] = trainer.world_size

    def state_dict(self) -> dict[str, Any]:
        """Return the settings by name."""
        return {"settings": self._settings}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Compare with the settings of the checkpoint.

        Raises:
            InputError: a setting differs that cannot take effect.
        """
        before, now = state_dict["settings"], self._settings
        changed = [
            (name, now.get(name), before.get(name))
            for name in sorted({*before, *now})
            if now.get(name) != before.get(name)
        ]
        for name, new, old in changed:
            if name in OF_OPTIMISER:
                raise InputError(
                    f"{name} is {new}, but a run that goes on keeps the optimiser of its "
                    f"checkpoint, where it is {old}; give --{name}={old}, or begin a run of its "
                    "own without --ckpt_path"
                )
        for name, new, old in changed:
            rank_zero_only(say)(
                f"note: this run goes on with another {name}: {_short(new)}, before {_short(old)}"
            )

    def on_train_batch_start(self, *_: Any) -> None:
        """Note that something was left to train."""
        self._trains = True

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Say so where nothing was."""
        if trainer.ckpt_path and not self._trains:
            rank_zero_only(say)(
                f"note: nothing was trained: {trainer.ckpt_path} is the end of a run of "
                f"{trainer.current_epoch} epochs and trainer.max_epochs is {trainer.max_epochs}; "
                "raise it to train on"
            )


def recordings_of(data: object) -> str:
    """Return the digest of what a data module reads, empty where it is none of ours."""
    return str(getattr(getattr(data, "pool", None), "sha256", ""))


def deciding(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that decide the weights, each by its dotted name.

    Args:
        settings: with `model`, `data`, `trainer` and `seed_everything`.
    """
    trainer = settings.get("trainer") or {}
    chosen = {
        "model": settings.get("model"),
        "data": settings.get("data"),
        "trainer": {name: trainer.get(name) for name in OF_TRAINER},
        "seed_everything": settings.get("seed_everything"),
    }
    return {name: value for name, value in _flat("", chosen) if name not in WITHOUT_EFFECT}


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield dotted names and values; a class among its settings counts by its own name."""
    if isinstance(value, dict) and "class_path" in value:
        yield name, value["class_path"]
        value = value.get("init_args") or {}
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}" if name else key, inner)
    elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
        for one in value:
            kind = str(one.get("class_path", "")).rpartition(".")[2]
            if kind not in WRITERS:
                yield from _flat(f"{name}.{kind}", one)
    else:
        yield name, value


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:28]}...{text[-28:]}"
