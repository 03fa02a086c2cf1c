"""`lsemvae cv`: cross-validate a method on a task and a set of leads."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lsemvae.core.errors import InputError
from lsemvae.core.leads import lead_set_name, parse_leads

if TYPE_CHECKING:
    from data_modules.rhc_cohort import RhcCohort
    from lsemvae.crossval.folds import FoldSettings
    from lsemvae.models import Pretrained

Size = Literal["paper", "small"]  # as in lsemvae.models.methods, which --help should not import


def cross_validate(
    task: str = "detection",
    leads: int | str | list[str] = 12,
    *,
    method: str = "ls_emvae",
    cohort: str | None = None,
    encoder: str | None = None,
    folds: int = 5,
    epochs: int = 50,
    batch_size: int = 32,
    lr: float = 1e-4,
    focal_alpha: float = 0.25,
    focal_gamma: float = 2.0,
    normalisation: Literal["millivolt", "record", "lead"] | None = None,
    mpap_threshold_mmhg: float = 20.0,
    pawp_threshold_mmhg: float = 15.0,
    size: Size = "paper",
    inner: bool | None = None,
    seed: int = 0,
    jobs: int = 1,
    out: str = "runs/cv",
    overwrite: bool = False,
    allow_leakage: bool = False,
    permute_labels: int | None = None,
    references: bool = False,
) -> None:
    """Cross-validate a method by patient and write its predictions and metrics.

    Folds are drawn once per task, frozen in OUT/TASK/splits.json and shared by all methods and
    leads. A finished fold is not run again. The reported fold score is that of the last epoch.

    Args:
        task: detection, phenotype, or any column of 0 and 1 in the cohort's table.
        leads: 12, 6 (the limb leads), or names such as I,II,V1.
        method: a row of Table 2 or of the ablations, see docs/models.md; those that are pre-trained
            take the frozen encoder from --encoder, the others are trained end to end.
        cohort: store made by `lsemvae prepare cohort`; the demo's synthetic cohort by default.
        encoder: checkpoint of a pre-trained network; with the demo's cohort, the demo's LS-EMVAE by
            default.
        folds: number of folds.
        epochs: training epochs per fold.
        batch_size: recordings per step.
        lr: learning rate of AdamW.
        focal_alpha: weight of the positive class in the focal loss.
        focal_gamma: focusing exponent of the focal loss.
        normalisation: of the amplitudes; a frozen encoder's own by default, else record.
        mpap_threshold_mmhg: pulmonary hypertension is mPAP above this (20 or 25 are in use).
        pawp_threshold_mmhg: post-capillary is PAWP above this (12, 15 or 18 are in use).
        size: of a network trained end to end: the publication's, or small for a laptop.
        inner: predict a fifth of every training part too, by a model trained on the rest of it:
            what operating points, calibration and settings may be chosen on. By default where the
            encoder is frozen; elsewhere it doubles the time.
        seed: of folds and training.
        jobs: folds trained at the same time.
        out: folder of results.
        overwrite: run finished folds again.
        allow_leakage: go on although pre-training and test share patients or recordings.
        permute_labels: seed of a shuffle of the labels between patients, for training and test. The
            run has nothing to learn, so an AUROC above chance means that it saw its test records;
            the report says which. Results go to OUT/TASK-permuted-SEED.
        references: compare the frozen encoder with its untrained twins, random convolutions and
            PCA, with all labels and with few, as `lsemvae worth` does; writes references.csv,
            references.json and label_curve.svg beside metrics.json.
    """
    chosen = parse_leads(leads)
    _check_options(task=task, folds=folds, epochs=epochs, batch_size=batch_size, lr=lr, seed=seed,
                   jobs=jobs)  # fmt: skip
    from data_modules.cohort.labels import Thresholds
    from data_modules.leakage import check_leakage, refuse_leaks
    from lsemvae.commands.demo import demo_cohort, demo_encoder
    from lsemvae.core.provenance import provenance
    from lsemvae.crossval.features import describe_codes
    from lsemvae.crossval.folds import FoldSettings, run_missing_folds
    from lsemvae.crossval.gather import (
        gather_inner,
        gather_predictions,
        write_results,
    )
    from lsemvae.crossval.permuted import labelled_cohort
    from lsemvae.models import check_same_input, load_pretrained
    from lsemvae.models.methods import find_method

    chosen_method = find_method(method)
    needs_encoder = chosen_method.pretrained
    if cohort is None:
        cohort = demo_cohort()
        print(f"No cohort given: using the demo's SYNTHETIC one, {cohort}")
        if method == "ls_emvae" and encoder is None:
            encoder = demo_encoder()
    _check_references(references, method, needs_encoder)
    pretrained = None
    if needs_encoder:
        if encoder is None:
            raise InputError(f"method {method} needs --encoder, a pre-trained checkpoint")
        pretrained = load_pretrained(encoder)
        chosen_method.check_encoder(pretrained.network, pretrained.data.ecg_input, encoder)
        normalisation = normalisation or pretrained.data.ecg_input.normalisation
    shuffled = "" if permute_labels is None else f"-permuted-{permute_labels}"
    task_folder = Path(out) / f"{task}{shuffled}"
    data = labelled_cohort(
        cohort,
        task,
        permute_labels=permute_labels,
        n_folds=folds,
        splits=str(task_folder / "splits.json"),
        thresholds=Thresholds(mpap_threshold_mmhg, pawp_threshold_mmhg),
        leads=list(chosen),
        normalisation=normalisation or "record",
        batch_size=batch_size,
        seed=seed,
    )
    if pretrained:
        check_same_input(str(encoder), pretrained.data.ecg_input, data.ecg_input)
    splits = data.load_splits()
    leakage = check_leakage(
        data.pool, splits.fold, encoder=encoder if pretrained else None,
        trained_on=pretrained.data.sha256 if pretrained else "",
    )  # fmt: skip
    refuse_leaks(leakage.leaks, allow_leakage)
    folder = task_folder / method / lead_set_name(chosen)
    settings = FoldSettings(
        method=method,
        encoder_sha256=pretrained.sha256 if pretrained else None,
        cohort_sha256=data.pool.sha256,
        splits_sha256=splits.digest(),
        mpap_threshold_mmhg=mpap_threshold_mmhg,
        pawp_threshold_mmhg=pawp_threshold_mmhg,
        leads=data.leads,
        normalisation=data.normalisation,
        epochs=epochs,
        batch_size=batch_size,
        lr=lr,
        focal_alpha=focal_alpha,
        focal_gamma=focal_gamma,
        size=size,
        seed=seed,
        permute_labels=permute_labels,
    )
    inner = needs_encoder if inner is None else inner
    run_missing_folds(
        folder, data, settings, encoder=encoder, pretrained=pretrained, inner=inner, jobs=jobs,
        overwrite=overwrite, feature_folder=Path(out) / "features",
    )  # fmt: skip
    predictions = gather_predictions(folder, splits.fold, folds)
    if pretrained:
        predictions = describe_codes(predictions, folder, data, pretrained, Path(out) / "features")
    seen = pretrained is not None and data.pool.sha256 in pretrained.data.sha256.split("+")
    if seen:
        print("note: the encoder was pre-trained on these recordings too (without labels)")
    about = {
        "task": task,
        "data": data.pool.label,
        "synthetic": data.pool.synthetic or bool(pretrained and pretrained.data.synthetic),
        "encoder_saw_these_recordings": seen,
        "scored_epoch": "last",
        **leakage.about(),
        **asdict(settings),
        "provenance": provenance(),
    }
    inner_predictions = gather_inner(folder, splits.fold, folds) if inner else None
    print_table(write_results(folder, predictions, about, inner_predictions), folder)
    _compare_with_references(
        pretrained if references else None, data, folder, settings, cache=Path(out) / "features",
        jobs=jobs, overwrite=overwrite,
    )  # fmt: skip


def _check_references(references: bool, method: str, needs_encoder: bool) -> None:
    if references and not needs_encoder:
        raise InputError(
            f"--references judges a frozen encoder, method {method} is trained end to end; leave "
            "it out"
        )


def _compare_with_references(
    pretrained: "Pretrained | None", data: "RhcCohort", folder: Path, settings: "FoldSettings", *,
    cache: Path, jobs: int, overwrite: bool,
) -> None:  # fmt: skip
    """Measure what pre-training was worth, if asked to, with the head's schedule of the run."""
    if pretrained is None:
        return
    from lsemvae.commands.worth import show
    from lsemvae.heads.mlp import MlpSettings
    from lsemvae.references.probing import ProbeSettings
    from lsemvae.references.study import StudySettings, study
    from lsemvae.tasks import FocalSettings

    focal = FocalSettings(settings.focal_alpha, settings.focal_gamma)
    head = MlpSettings(
        settings.epochs, settings.batch_size, settings.lr, focal=focal, seed=settings.seed
    )
    compared = StudySettings(ProbeSettings(seed=settings.seed), head)
    found = study([pretrained], data, folder, cache, compared, jobs=jobs, overwrite=overwrite)
    show(found, folder)


def _check_options(task: str, **numbers: float) -> None:
    """Report every option that is out of range at once."""
    least = {"folds": 2, "epochs": 1, "batch_size": 1, "seed": 0, "jobs": 1}
    wrong = [
        f"{name} must be >= {least[name]}, got {number}"
        for name, number in numbers.items()
        if name in least and number < least[name]
    ]
    if not numbers["lr"] > 0:
        wrong.append(f"lr must be > 0, got {numbers['lr']}")
    if task in ("", "features") or task.startswith(".") or {"/", "\\"} & set(task):
        wrong.append(f"task {task!r} cannot name a result folder; rename the column in the table")
    if wrong:
        raise InputError("; ".join(wrong))


def print_table(metrics: dict[str, Any], folder: Path) -> None:
    """Print the metrics of a cross-validation, with the label of the data."""
    from rich.console import Console
    from rich.table import Table

    data = f"{metrics['data']}{' (SYNTHETIC)' if metrics['synthetic'] else ''}"
    table = Table(
        title=f"{metrics['task']}, {metrics['method']}, {lead_set_name(metrics['leads'])}, {data}",
        caption=f"{metrics['n_records']} records of {metrics['n_patients']} patients, "
        f"{metrics['n_positive']} positive; accuracy of the larger class alone "
        f"{metrics['base_rate_accuracy']:.3f}",
    )
    for name in ("", "AUROC", "accuracy", "MCC"):
        table.add_column(name, justify="right" if name else "left")
    keys = ("auroc", "accuracy", "mcc")
    for number, fold in enumerate(metrics["folds"]):
        table.add_row(f"fold {number}", *(f"{fold[key]:.3f}" for key in keys))
    spread = [f"{metrics['mean'][key]:.3f} ± {metrics['sd'][key]:.3f}" for key in keys]
    table.add_row("mean ± SD", *spread, style="bold")
    table.add_row("pooled", *(f"{metrics['pooled'][key]:.3f}" for key in keys))
    Console().print(table)
    print(f"results: {folder}")
