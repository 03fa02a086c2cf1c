"""Train and test one fold of a cross-validation with fresh objects."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader, Dataset

from data_modules.dataset import EcgDataset
from data_modules.epoch_batches import batch_loader
from data_modules.rhc_cohort import RhcCohort
from lsemvae.callbacks import HashedCheckpointIO, PredictionWriter
from lsemvae.core.errors import InputError
from lsemvae.core.files import file_sha256
from lsemvae.core.made_with import refuse_other_settings
from lsemvae.core.printable import say
from lsemvae.core.sealed_json import read_json, write_json
from lsemvae.core.targets import target_of
from lsemvae.core.tasks import Thresholds
from lsemvae.core.types import EcgInput, FeatureBatch, Names
from lsemvae.crossval.features import Features
from lsemvae.models.method import Method, Size
from lsemvae.models.methods import find_method
from lsemvae.models.own_methods import kept_method
from lsemvae.runtime.cpu_matmul import settle_float32_products
from lsemvae.runtime.fold_seed import seed_fold
from lsemvae.runtime.quiet import silence_lightning
from lsemvae.tasks import Classifier, FocalSettings, LabelsClassifier, Regressor
from lsemvae.tasks.head_task import HeadTask

FINISHED = "finished.json"
FILES, OUTPUTS = "files", ("predictions.csv", "last.ckpt")


@dataclass(frozen=True)
class FoldSettings:
    """Everything that decides the result of a fold; a finished fold keeps it beside its results.

    Attributes:
        method: see `lsemvae.models.methods`.
        encoder_sha256: of the frozen encoder, None where the method has none.
        cohort_sha256: of the store.
        splits_sha256: of the folds.
        mpap_threshold_mmhg: pulmonary hypertension is mPAP above this.
        pawp_threshold_mmhg: post-capillary is PAWP above this.
        leads: lead names.
        normalisation: of the amplitudes.
        epochs: paper section 3: 50.
        batch_size: paper section 3: 32.
        lr: paper section 3: 1e-4.
        focal_alpha: weight of the positive class in the loss.
        focal_gamma: focusing exponent of the loss.
        size: of a network that is trained end to end.
        seed: the fold's number is added to it.
        permute_labels: seed of the shuffle where labels mean nothing on purpose, else None.
        pvr_threshold_wu: a vascular resistance above this is raised.
        estimate_mpap: a missing mPAP was estimated from sPAP and dPAP.
        network: what `Method.described` says of a network of the user's own, else None.
        target: what `Target.described` says of a number or of several labels, else None.
    """

    method: str
    encoder_sha256: str | None
    cohort_sha256: str
    splits_sha256: str
    mpap_threshold_mmhg: float
    pawp_threshold_mmhg: float
    leads: tuple[str, ...]
    normalisation: str
    epochs: int
    batch_size: int
    lr: float
    focal_alpha: float
    focal_gamma: float
    size: Size
    seed: int
    permute_labels: int | None = None
    pvr_threshold_wu: float = Thresholds.pvr_wu
    estimate_mpap: bool = False
    network: dict[str, Any] | None = None
    target: dict[str, Any] | None = None

    @property
    def thresholds(self) -> Thresholds:
        """What defined the labels."""
        return Thresholds.of_settings(asdict(self))


def method_of(settings: FoldSettings) -> Method:
    """Return the method that a fold was trained with."""
    if settings.network is None:
        return find_method(settings.method)
    return kept_method(settings.method, settings.network)


def is_finished(folder: Path, settings: FoldSettings) -> bool:
    """Tell whether a fold has been run with these settings.

    Raises:
        InputError: it has been run with others.
    """
    found = read_finished(folder)
    if found is None:
        return False
    refuse_other_settings(
        f"{folder} was run with other settings", Thresholds().as_settings() | found,
        asdict(settings),
        f"choose another --out, or {run_again(run_folder(folder))}",
    )  # fmt: skip
    digests = found.get(FILES) or dict.fromkeys(OUTPUTS)
    spoilt = [name for name, digest in digests.items() if not _is_whole(folder / name, digest)]
    if spoilt:
        say(f"note: {folder / spoilt[0]} is missing or changed; this part is run again")
    return not spoilt


def read_finished(folder: Path) -> dict[str, Any] | None:
    """Return what a finished part of a cross-validation keeps; None where it is not finished."""
    file = folder / FINISHED
    if not file.exists():
        return None
    try:
        return read_json(file, "this part is run again", needs=("method",))
    except InputError as error:
        say(f"note: {error}")
        return None


def _is_whole(file: Path, digest: str | None) -> bool:
    return file.is_file() and digest in (None, file_sha256(file))


def part_folder(folder: Path, fold: int, inner: bool = False) -> Path:
    """Return the folder of a fold, or of the inner part of its training part."""
    return folder / f"fold_{fold}" / ("inner" if inner else "")


def run_folder(part: Path) -> Path:
    """Return the folder of the cross-validation that a part belongs to."""
    return part.parents[1] if part.name == "inner" else part.parent


def run_again(run: Path) -> str:
    """Say how all folds are run anew: `cv` has a switch for it, `benchmark` has none."""
    return f"remove {run} to run all its folds again, as `lsemvae cv --overwrite` does"


def run_fold(
    folder: Path, data: RhcCohort, settings: FoldSettings, *, encoder: str | None,
    features: Features | None,
) -> None:  # fmt: skip
    """Train on the other folds, predict the held-out one, write predictions.csv, log, head.

    Args:
        folder: of this fold.
        data: with its `fold` set.
        settings: of the cross-validation.
        encoder: checkpoint of the frozen encoder.
        features: (N, F) of every recording of the store where the encoder is frozen.
    """
    keep_quiet()
    settle_float32_products()
    (folder / FINISHED).unlink(missing_ok=True)
    seed_fold(settings.seed, data.fold)
    data.setup("fit")
    task = fold_task(settings, encoder, data.ecg_input)
    task.made_for = data.made_for_fold
    if isinstance(task, Regressor):
        task.take_scale(torch.from_numpy(data.train_set.label))
    trainer = fold_trainer(folder, settings.epochs, frozen=features is not None)
    if features is None:
        trainer.fit(task, datamodule=data)
        (measured,) = trainer.test(task, datamodule=data, verbose=False)
    else:
        train = feature_set(data.train_set, features)
        held_out = held_out_batch(data, features)
        trainer.fit(task, batch_loader(train, settings.batch_size, shuffle=True), held_out)
        (measured,) = trainer.test(task, held_out, verbose=False)
    keep_fold(folder, data, settings, trainer, measured)


def fold_trainer(folder: Path, epochs: int, *, frozen: bool) -> lightning.Trainer:
    """Return the Trainer of a fold, which writes metrics.csv and predictions.csv into its folder.

    Args:
        folder: of the fold.
        epochs: of the training.
        frozen: whether only a head is trained, which a CPU does as fast.
    """
    return head_trainer(
        epochs,
        frozen=frozen,
        logger=CSVLogger(folder, name="", version=""),
        callbacks=[PredictionWriter(str(folder / "predictions.csv"))],
        plugins=[HashedCheckpointIO()],
    )


def head_trainer(epochs: int, *, frozen: bool, **more: Any) -> lightning.Trainer:
    """Return the Trainer of a head or a network, in a fold or on all patients, that says nothing.

    Args:
        epochs: of the training.
        frozen: whether only a head is trained.
        more: what it writes; nothing where `logger` is False.
    """
    return lightning.Trainer(
        max_epochs=epochs,
        accelerator="cpu" if frozen else "auto",
        devices=1,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        log_every_n_steps=1,
        **more,
    )


def keep_fold(
    folder: Path, data: RhcCohort, settings: FoldSettings, trainer: lightning.Trainer,
    measured: Mapping[str, float],
) -> None:  # fmt: skip
    """Write the checkpoint of a tested fold, say how it did, and call it finished."""
    trainer.save_checkpoint(folder / "last.ckpt", weights_only=True)
    part = f"fold {data.fold}{', inner part' if folder.name == 'inner' else ''}"
    say(f"{part}: " + ", ".join(f"{k} {v:.3f}" for k, v in measured.items()))
    kept = {**asdict(settings), FILES: {name: file_sha256(folder / name) for name in OUTPUTS}}
    write_json(folder / FINISHED, kept)


def keep_quiet() -> None:
    """Leave out what Lightning says about every Trainer; a line per fold is enough here."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    silence_lightning()


def fold_task(settings: FoldSettings, encoder: str | None, ecg_input: EcgInput) -> HeadTask:
    """Build what a fold trains.

    Args:
        settings: of the fold.
        encoder: checkpoint of the frozen encoder, None where the method has none.
        ecg_input: what the recordings are.
    """
    leads = list(settings.leads)
    method = method_of(settings)
    network = None if method.pretrained else method.build(ecg_input, leads, settings.size)
    frozen, feature = (None, None) if network else (encoder, method.feature)
    target = target_of({"target": settings.target})
    if target.kind == "number":
        return Regressor(network, frozen, feature=feature, leads=leads, lr=settings.lr)
    focal = FocalSettings(settings.focal_alpha, settings.focal_gamma)
    if target.kind == "labels":
        return LabelsClassifier(
            network, frozen, labels=list(target.names), feature=feature, leads=leads, focal=focal,
            lr=settings.lr,
        )  # fmt: skip
    return Classifier(
        network, frozen, feature=feature, leads=leads, focal=focal, lr=settings.lr
    )  # fmt: skip


class FeatureDataset(Dataset[FeatureBatch]):
    """Features in memory, in whole batches."""

    def __init__(
        self, features: Features, label: Features, record: Names, patient_id: Names
    ) -> None:
        self.features, self.label = torch.from_numpy(features), torch.from_numpy(label)
        self.record, self.patient_id = record, patient_id

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self.label)

    def __getitems__(self, positions: list[int]) -> FeatureBatch:
        """Return a whole batch."""
        return FeatureBatch(
            self.features[positions],
            self.label[positions],
            self.record[positions],
            self.patient_id[positions],
        )

    def __getitem__(self, position: int) -> FeatureBatch:
        """Return one record as a batch of one."""
        return self.__getitems__([position])


def feature_set(part: EcgDataset, features: Features) -> FeatureDataset:
    """Return the features of a part of a store, of whose recordings `features` has a row each."""
    return FeatureDataset(features[part.indices], part.label, part.record, part.patient_id)


def held_out_batch(data: RhcCohort, features: Features) -> DataLoader[Any]:
    """Return the features of the held-out part in one batch."""
    held_out = feature_set(data.held_out, features)
    return batch_loader(held_out, len(held_out))
