"""Make one model of a finished cross-validation."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from data_modules.near_copies import marks_of
from data_modules.parts import part_of
from data_modules.rhc_cohort import RhcCohort
from data_modules.store.read import EcgStore
from data_modules.trained_on import read_trained_on
from lsemvae.core.errors import InputError
from lsemvae.core.files import file_sha256
from lsemvae.core.instead import found_instead, run_below
from lsemvae.core.leads import lead_indices
from lsemvae.core.printable import say
from lsemvae.core.provenance import provenance
from lsemvae.core.targets import find_target
from lsemvae.core.tasks import RESISTANCE_TASKS, Thresholds
from lsemvae.crossval.features import cached_uncertainty
from lsemvae.crossval.fold_models import read_settings
from lsemvae.crossval.folds import FINISHED, FoldSettings, method_of
from lsemvae.crossval.frozen_encoder import read_as
from lsemvae.crossval.permuted import labelled_cohort
from lsemvae.deployment.card import locked_card
from lsemvae.deployment.inner_choices import uncertainty_limit
from lsemvae.deployment.locked_network import NETWORK_SOURCE, LockedNetwork, describe, own_source
from lsemvae.deployment.members import fold_members, refit_member
from lsemvae.deployment.settled import number_output, settle
from lsemvae.evaluation.report.verify import run_faults
from lsemvae.evaluation.runs import PREDICTED, CvRun, read_cv_run
from lsemvae.evaluation.statistics.delong import auroc_interval
from lsemvae.evaluation.tables.case_mix import summarise_cohort
from lsemvae.model_file.description import Description, Skill, Task
from lsemvae.model_file.trained_on import TrainedOn
from lsemvae.models import Pretrained, load_pretrained
from lsemvae.models.adapter import refuse_adapter

Kind = Literal["ensemble", "refit"]


@dataclass(frozen=True)
class LockOptions:
    """What a user may choose.

    Attributes:
        kind: average the folds' models, or train one more on all patients.
        point: operating point at which decisions are made.
        withhold: share of inner recordings whose uncertainty is too large for a result.
        hashes: keep hashes of the patients and recordings trained on.
    """

    kind: Kind = "ensemble"
    point: str = "youden"
    withhold: float = 0.05
    hashes: bool = True

    def __post_init__(self) -> None:
        """Refuse a share that withholds everything or is none, also where nothing says a doubt."""
        if not 0 <= self.withhold < 1:
            raise InputError(f"--withhold must be from 0 to below 1, got {self.withhold:g}")


class Locked(NamedTuple):
    """A model, and who and what it was trained on."""

    network: LockedNetwork
    trained_on: TrainedOn


def lock_run(
    folder: Path, cohort: str, encoder: str | None, options: LockOptions,
    verify: Callable[[EcgStore, list[CvRun]], None],
) -> Locked:  # fmt: skip
    """Make a model of a finished cross-validation.

    Args:
        folder: of the cross-validation, as in runs/cv/detection/ls_emvae/12L.
        cohort: the store that it ran on.
        encoder: checkpoint of its frozen encoder, None where the method has none.
        options: of the user.
        verify: raises an `InputError` where the run's files do not go with the store.

    Raises:
        InputError: the run is not finished, is of other data or of another encoder, its labels were
            shuffled, its metrics.json does not go with the store, or it has no inner predictions.
    """
    run, settings = _read(folder)
    settled = settle(run)
    names = settled.point_names
    if names and options.point not in names:
        raise InputError(f"--point must be one of {', '.join(names)}, got {options.point}")
    pretrained = _pretrained(settings, encoder)
    data = _cohort(run, settings, cohort)
    verify(data.pool.stores[0], [run])
    features = folder.absolute().parents[2] / "features"
    if options.kind == "refit":
        members = refit_member(
            settings, data, encoder=encoder, pretrained=pretrained, features=features
        )
    else:
        members = fold_members(folder, len(run.metrics["folds"]), encoder, data)
    task = _task_of(run.metrics)
    unsure = cached_uncertainty(pretrained, data, features) if pretrained else None
    by_members = len(members.heads) > 1
    labels = data.labelled()
    labelled = labels["row"].to_numpy()
    present = data.pool.present[labelled][:, lead_indices(settings.leads)]
    description = Description(
        kind=options.kind,
        method=settings.method,
        networks=describe(members.networks),
        frozen=pretrained is not None,
        n_members=len(members.heads),
        task=task,
        leads=tuple(settings.leads),
        trained_leads=tuple(settings.leads),
        fewest_leads=int(present.sum(1).min()),
        unit="mV" if data.pool.calibrated else "NU",
        normalisation=settings.normalisation,
        signal=data.pool.stores[0].settings,
        recalibration=settled.recalibration,
        points=dict(settled.points),
        point=options.point if names else "",
        uncertainty="posterior" if unsure is not None else "members" if by_members else "none",
        uncertainty_limit=_limit(run, data, unsure, options.withhold),
        withheld_share=options.withhold if unsure is not None else 0.0,
        hashes=options.hashes,
        label=data.pool.label,
        synthetic=bool(run.metrics["synthetic"]),
        sources={
            **{name: run.metrics[name]
               for name in ("cohort_sha256", "splits_sha256", "encoder_sha256")},
            NETWORK_SOURCE: own_source(members.networks[0]),
            PREDICTED: file_sha256(folder / "predictions.csv"),
        },
        versions=provenance()["versions"],
        card=locked_card(run, task, options.kind, settled, _input_text(data)),
        trained_cohort=None if settled.log_odds is None else summarise_cohort(
            data.pool.table.iloc[labelled], labels["label"], settled.log_odds
        ),
        skill=None if settled.log_odds is None else _skill(run),
        number=number_output(run, settled, members),
        labels=settled.labels,
    )  # fmt: skip
    network = LockedNetwork(description, members.networks, members.heads)
    return Locked(network.eval(), _trained_on(data, labelled, encoder, pretrained))


def _read(folder: Path) -> tuple[CvRun, FoldSettings]:
    if not folder.is_dir():
        instead = found_instead(folder, folder=True)
        raise InputError(f"there is no folder {folder}{instead}; name that of a finished run")
    needed = ("metrics.json", "predictions.csv", f"fold_0/{FINISHED}")
    missing = [name for name in needed if not (folder / name).is_file()]
    if missing:
        raise InputError(
            f"{folder} is no finished cross-validation (it lacks {', '.join(missing)}); name a "
            f"folder such as {run_below(folder)}, or run `lsemvae cv` to the end"
        )
    run = read_cv_run(folder)
    refuse_adapter(run.metrics, "lock")
    settings = read_settings(folder / "fold_0")
    if settings.permute_labels is not None:
        raise InputError(f"{folder} was run with shuffled labels; there is no model to lock")
    faults, _ = run_faults(run)
    if faults:
        raise InputError(f"{folder}: {'; '.join(faults)}; run `lsemvae cv` again with --overwrite")
    return run, settings


def _pretrained(settings: FoldSettings, encoder: str | None) -> Pretrained | None:
    method = method_of(settings)
    if not method.pretrained:
        if encoder is not None:
            raise InputError(f"method {settings.method} has no encoder; leave --encoder out")
        return None
    if encoder is None:
        raise InputError(f"method {settings.method} needs --encoder, the checkpoint of the run")
    found = load_pretrained(encoder)
    if found.sha256 != settings.encoder_sha256:
        raise InputError(
            f"{encoder} is not the encoder of the run: its SHA-256 begins with "
            f"{found.sha256[:12]}, the run's with {str(settings.encoder_sha256)[:12]}"
        )
    return read_as(method, found)


def _cohort(run: CvRun, settings: FoldSettings, cohort: str) -> RhcCohort:
    sha256 = EcgStore(cohort).sha256
    if sha256 != settings.cohort_sha256:
        raise InputError(
            f"{cohort} is not the cohort of the run: its digest begins with {sha256[:12]}, the "
            f"run's with {settings.cohort_sha256[:12]}"
        )
    return labelled_cohort(
        cohort,
        run.metrics["task"],
        fold=None,
        n_folds=len(run.metrics["folds"]),
        splits=str(run.folder.absolute().parents[1] / "splits.json"),
        thresholds=settings.thresholds,
        leads=list(settings.leads),
        normalisation=settings.normalisation,
        batch_size=settings.batch_size,
        seed=settings.seed,
        distinct_ids=bool(run.metrics.get("distinct_ids")),
    )


def _skill(run: CvRun) -> Skill | None:
    found = auroc_interval(
        run.predictions["label"], run.predictions["probability"], run.predictions["patient_id"],
        fold=run.predictions["fold"],
    )  # fmt: skip
    if math.isnan(found.value):
        return None
    low, high = (None if math.isnan(end) else float(end) for end in (found.low, found.high))
    return Skill(float(found.value), low, high)


def _task_of(metrics: dict[str, Any]) -> Task:
    name, thresholds = metrics["task"], Thresholds.of_settings(metrics)
    mpap, pawp, estimated = thresholds.mpap_mmhg, thresholds.pawp_mmhg, thresholds.estimate_mpap
    if name == "detection":
        return Task(
            name, f"pulmonary hypertension (mPAP > {mpap:g} mmHg)", mpap, None, None, estimated
        )
    if name == "phenotype":
        words = f"post-capillary pulmonary hypertension (PAWP > {pawp:g} mmHg)"
        return Task(name, f"{words} where mPAP > {mpap:g} mmHg", mpap, pawp, None, estimated)
    if name in RESISTANCE_TASKS:
        record = RESISTANCE_TASKS[name]
        words = f"{record.groups[1]} pulmonary hypertension ({record.defined_by(thresholds)})"
        return Task(name, words, mpap, pawp, thresholds.pvr_wu, estimated)
    target = find_target(name)
    if target.kind == "binary":
        return Task(name, f"{name} = 1", None, None)
    words = f"{target.title}, estimated" if target.kind == "number" else target.title
    return Task(name, words, mpap, pawp, thresholds.pvr_wu, estimated)


def _limit(
    run: CvRun, data: RhcCohort, unsure: "np.ndarray[Any, Any] | None", withhold: float
) -> float | None:
    """Return the limit of uncertainty; of recordings of the inner parts, each counted once."""
    if unsure is None or run.inner is None:
        return uncertainty_limit(np.empty(0), withhold) if unsure is not None else None
    rows = data.pool.table["record"].isin(set(run.inner["record"])).to_numpy()
    return uncertainty_limit(unsure[rows], withhold)


def _trained_on(
    data: RhcCohort, labelled: "np.ndarray[Any, Any]", encoder: str | None,
    pretrained: Pretrained | None,
) -> TrainedOn:  # fmt: skip
    """Join the hashes of the labelled recordings and of the encoder's, where those are known."""
    own = part_of("training", [data.pool.table.iloc[labelled]])
    parts = [own._replace(near=marks_of(data.pool, labelled))]
    if pretrained is not None:
        before = read_trained_on(Path(str(encoder)), pretrained.data.sha256)
        if before is None:
            say(
                f"note: what {encoder} was pre-trained on is not known; its patients cannot be "
                "refused"
            )
        else:
            parts.append(before)
    return TrainedOn(*(
        np.unique(np.concatenate([part.members(kind, spelt=True).hashes for part in parts]))
        for kind in TrainedOn._fields
    ))  # fmt: skip


def _input_text(data: RhcCohort) -> str:
    ecg_input = data.ecg_input
    low, high = ecg_input.band_hz
    return (
        f"{ecg_input.sampling_rate_hz:g} Hz, {ecg_input.n_samples} samples ({ecg_input.segment}), "
        f"{low} to {high} Hz, normalised by {ecg_input.normalisation}, "
        f"{'mV' if data.pool.calibrated else 'arbitrary unit'}"
    )
