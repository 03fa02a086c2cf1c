"""Cross-validate one method on one task and one set of leads."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from data_modules.cohort.group_words import tell_group_words
from data_modules.cohort.label_columns import tell_label
from data_modules.cohort.quantities import derived_counts
from data_modules.leakage import LeakageCheck, check_leakage, refuse_leaks
from data_modules.rhc_cohort import RhcCohort
from lsemvae.core.errors import InputError
from lsemvae.core.leads import lead_set_name, parse_leads
from lsemvae.core.one_writer import writing_alone
from lsemvae.core.printable import say
from lsemvae.core.provenance import provenance
from lsemvae.core.targets import find_target
from lsemvae.crossval.features import describe_codes
from lsemvae.crossval.fold_runs import run_missing_folds
from lsemvae.crossval.folds import FoldSettings
from lsemvae.crossval.frozen_encoder import fit_to_recordings, read_encoder
from lsemvae.crossval.gather import (
    gather_inner,
    gather_predictions,
    with_intervals,
    write_results,
)
from lsemvae.crossval.permuted import labelled_cohort
from lsemvae.crossval.refused import folds_taken_back_if_refused
from lsemvae.crossval.settings import FEATURES, CvSettings
from lsemvae.models import Pretrained
from lsemvae.models.method import Method, Size
from lsemvae.models.methods import find_method, method_name
from lsemvae.models.own_methods import check_contract


def cross_validate(
    settings: CvSettings,
    cohort: str,
    out: Path,
    *,
    encoder: str | None = None,
    overwrite: bool = False,
    allow_leakage: bool = False,
    feature_folder: Path | None = None,
) -> tuple[Path, dict[str, Any]]:
    """Run the folds that are not finished, gather them, and write what they predict.

    Args:
        settings: of the cross-validation.
        cohort: store of labelled recordings.
        out: folder of results, shared by tasks, methods and leads.
        encoder: checkpoint of the frozen encoder, where the method has one.
        overwrite: run finished folds again.
        allow_leakage: go on although pre-training and test share patients or recordings.
        feature_folder: cache of the encoder's features; OUT/features by default.

    Returns:
        The folder of predictions.csv and metrics.json, and what metrics.json holds.

    Raises:
        InputError: the encoder does not fit, parts share patients, or the folder holds results of
            other settings.
    """
    method, cache = find_method(settings.method), feature_folder or out / FEATURES
    encoder, pretrained = encoder_of(settings, encoder)
    with folds_taken_back_if_refused(settings.folder(out) / "splits.json"):
        data = open_cohort(settings, cohort, out, pretrained)
        if pretrained:
            fit_to_recordings(str(encoder), pretrained, data.ecg_input)
        elif method.own:
            _check_own(method, settings.size, data)
        leakage = _check_leaks(data, encoder, pretrained, allow_leakage)
    if settings.fold_column is not None:
        tell_group_words(data.pool.table, [settings.fold_column])
    for name in settings.target.names:
        tell_label(data.pool.table, name, settings.thresholds)
    folder = settings.folder(out) / method_name(settings.method) / lead_set_name(data.leads)
    wanted = method.pretrained and settings.target.kind != "labels"
    inner = wanted if settings.inner is None else settings.inner
    fold_settings = _fold_settings(settings, data, pretrained, method)
    about = {
        "task": settings.task,
        **method.about(),
        **_about_data(data, pretrained),
        **leakage.about(),
        **asdict(fold_settings),
        "provenance": provenance(),
    }
    with writing_alone(folder):
        run_missing_folds(
            folder, data, fold_settings, encoder=encoder, pretrained=pretrained, inner=inner,
            jobs=settings.jobs, side_by_side=settings.side_by_side, overwrite=overwrite,
            feature_folder=cache,
        )  # fmt: skip
        return folder, _gathered(folder, data, pretrained, cache, about, inner=inner)


def _gathered(
    folder: Path, data: RhcCohort, pretrained: Pretrained | None, cache: Path,
    about: dict[str, Any], *, inner: bool,
) -> dict[str, Any]:  # fmt: skip
    """Write what all folds predict, and return what metrics.json holds."""
    fold_of, target = data.load_splits().fold, find_target(data.task)
    predictions = gather_predictions(folder, fold_of, data.n_folds, target)
    if pretrained:
        predictions = describe_codes(predictions, folder, data, pretrained, cache)
    inner_predictions = gather_inner(folder, fold_of, data.n_folds, target) if inner else None
    if target.kind == "number":
        predictions = with_intervals(predictions, inner_predictions)
    return write_results(folder, predictions, about, inner_predictions, target)


def encoder_of(settings: CvSettings, encoder: str | None) -> tuple[str | None, Pretrained | None]:
    """Return the file of the encoder that the method freezes, and what it holds.

    Args:
        settings: name the method.
        encoder: that was given.

    Raises:
        InputError: it is missing, of another method, or of no use to this one.
    """
    method = find_method(settings.method)
    named = _named_encoder(method, settings.method, encoder)
    return named, _read_encoder(method, settings.method, named)


def _named_encoder(method: Method, name: str, encoder: str | None) -> str | None:
    """Return the encoder that the method names itself, else the one that was given."""
    if method.encoder_file is None:
        return encoder
    if encoder is not None:
        raise InputError(f"{name} names its own encoder and takes no --encoder; leave it out")
    return method.encoder_file


def _read_encoder(method: Method, name: str, encoder: str | None) -> Pretrained | None:
    """Read the encoder of a method that freezes one, and refuse that of another method."""
    if not method.pretrained:
        if method.own and encoder is not None:
            raise InputError(
                f"{name} is trained end to end and takes no --encoder; to freeze a pre-trained "
                "network, name the YAML file of its pre-training with --method"
            )
        if encoder is not None:
            say(f"note: {name} is trained end to end; --encoder {encoder} is not used")
        return None
    return read_encoder(method, name, encoder)


def open_cohort(
    settings: CvSettings, cohort: str, out: Path, pretrained: Pretrained | None
) -> RhcCohort:
    """Open the labelled recordings; their folds are frozen in the task's splits.json."""
    own = pretrained.data.ecg_input.normalisation if pretrained else "record"
    return labelled_cohort(
        cohort,
        settings.task,
        permute_labels=settings.permute_labels,
        n_folds=settings.folds,
        splits=str(settings.folder(out) / "splits.json"),
        thresholds=settings.thresholds,
        leads=list(parse_leads(settings.leads)),
        normalisation=settings.normalisation or own,
        batch_size=settings.batch_size,
        seed=settings.seed,
        distinct_ids=settings.distinct_ids,
        fold_column=settings.fold_column,
    )


def _check_leaks(
    data: RhcCohort, encoder: str | None, pretrained: Pretrained | None, allow: bool
) -> LeakageCheck:
    found = check_leakage(
        data.pool, data.load_splits().fold, encoder=encoder if pretrained else None,
        trained_on=pretrained.data.sha256 if pretrained else "",
    )  # fmt: skip
    refuse_leaks(found.leaks, allow)
    return found


def _check_own(method: Method, size: Size, data: RhcCohort) -> None:
    """Refuse a network of the user's own that could not be trained, before the first fold."""
    if not method.takes(data.leads):
        raise InputError(f"{method.title} does not take the leads {', '.join(data.leads)}")
    with torch.random.fork_rng(devices=[]):
        network = method.build(data.ecg_input, data.leads, size)
        check_contract(network, data.ecg_input, data.leads)


def _fold_settings(
    settings: CvSettings, data: RhcCohort, pretrained: Pretrained | None, method: Method
) -> FoldSettings:
    """Return what decides a fold's result: the settings, and digests of all that is read."""
    return FoldSettings(
        method=method_name(settings.method),
        encoder_sha256=pretrained.file_sha256 if pretrained else None,
        cohort_sha256=data.pool.sha256,
        splits_sha256=data.load_splits().digest(),
        leads=data.leads,
        normalisation=data.normalisation,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        lr=settings.lr,
        focal_alpha=settings.focal_alpha,
        focal_gamma=settings.focal_gamma,
        size=settings.size,
        seed=settings.seed,
        permute_labels=settings.permute_labels,
        **settings.thresholds.as_settings(),
        network=method.described(),
        target=settings.target.described(),
    )


def _about_data(data: RhcCohort, pretrained: Pretrained | None) -> dict[str, Any]:
    """Say what the recordings are, and whether the encoder has seen them."""
    seen = pretrained is not None and data.pool.sha256 in pretrained.data.sha256.split("+")
    if seen:
        say("note: the encoder was pre-trained on these recordings too (without labels)")
    return {
        "data": data.pool.label,
        "derived": _derived(data),
        "synthetic": data.pool.synthetic or bool(pretrained and pretrained.data.synthetic),
        "encoder_saw_these_recordings": seen,
        "scored_epoch": "last",
        "fold_column": data.fold_column,
        "distinct_ids": data.distinct_ids,
    }


def _derived(data: RhcCohort) -> dict[str, int]:
    """Count the records whose label or value rests on a quantity that was not stated."""
    rows = data.pool.table.iloc[data.labelled()["row"]]
    names = find_target(data.task).names
    counts = [derived_counts(rows, name, data.thresholds) for name in names]
    return {way: n for one in counts for way, n in one.items()}
