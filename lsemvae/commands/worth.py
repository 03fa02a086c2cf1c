"""Measure what pre-training was worth against what needs none: `lsemvae worth`."""

from pathlib import Path
from typing import Literal

from lsemvae.core.errors import InputError
from lsemvae.core.leads import lead_set_name, parse_leads


def worth(
    encoder: list[str],
    cohort: str,
    *,
    tasks: list[str] | None = None,
    leads: list[int | str] | None = None,
    references_on: str | None = None,
    features: list[Literal["mixture_mean", "lead_means"]] | None = None,
    fractions: list[float] | None = None,
    draws: int = 10,
    twins: int = 5,
    mlp: bool = True,
    mlp_fractions: list[float] | None = None,
    epochs: int = 50,
    lr: float = 1e-4,
    strengths: list[float] | None = None,
    folds: int = 5,
    seed: int = 0,
    mpap_threshold_mmhg: float = 20.0,
    pawp_threshold_mmhg: float = 15.0,
    pvr_threshold_wu: float = 2.0,
    estimate_mpap: bool = False,
    jobs: int = 1,
    out: str = "runs/worth",
    overwrite: bool = False,
    allow_leakage: bool = False,
    distinct_ids: bool = False,
    fold_column: str | None = None,
) -> None:
    """Say what pre-training was worth against encoders that were never trained.

    And against random convolutions and PCA: a linear probe and the publication's head, on the
    folds of `lsemvae cv` where --out is its folder; label curves on the same draws of patients for
    every row. Writes references.csv, references.json and label_curve.svg to OUT/TASK/worth/LEADS.

    Args:
        encoder: checkpoints, or names of `lsemvae encoders`; several are pre-trainings of one
            architecture with other seeds.
        cohort: store made by `lsemvae prepare cohort`.
        tasks: detection by default; any column of 0 and 1 in the cohort's table.
        leads: lead sets; 12 and 6 by default.
        references_on: store of the same recordings in another form, such as median beats, that
            random convolutions and PCA are made of; the cohort by default.
        features: further ways to read LS-EMVAE, each with twins of its own.
        fractions: shares of the training patients whose labels are used; 1, .25, .1, .05.
        draws: of patients at every share below 1.
        twins: untrained networks of the same architecture.
        mlp: train the publication's head too.
        mlp_fractions: shares of the labels for that head; 1, all of them, by default.
        epochs: of that head.
        lr: of that head.
        strengths: C of the linear probe, chosen on inner parts; .003, .03, .3.
        folds: number of folds.
        seed: of folds, draws and heads.
        mpap_threshold_mmhg: pulmonary hypertension is mPAP above this.
        pawp_threshold_mmhg: post-capillary is PAWP above this.
        pvr_threshold_wu: a vascular resistance above this is raised (2 or 3 are in use).
        estimate_mpap: estimate a missing mPAP as (sPAP + 2 dPAP) / 3; every table then says so.
        jobs: rows probed at the same time.
        out: folder of results.
        overwrite: measure again what is there.
        allow_leakage: go on although pre-training and test share patients or recordings.
        distinct_ids: patient ids that differ only as they are written (1 and 1.0, 007 and 7) are
            different people; without it they are refused.
        fold_column: column of the cohort's table with the folds of its authors; --folds must be as
            many. Drawn by patient without it.
    """
    from data_modules.leakage import Leak, LeakageCheck, check_leakage, refuse_leaks
    from data_modules.rhc_cohort import RhcCohort
    from lsemvae.core.joblib_backend import check_jobs
    from lsemvae.core.one_writer import writing_alone
    from lsemvae.core.targets import find_target, refuse_unless_binary
    from lsemvae.core.tasks import Thresholds
    from lsemvae.crossval.refused import folds_taken_back_if_refused
    from lsemvae.heads.mlp import MlpSettings
    from lsemvae.models import check_same_input, load_pretrained
    from lsemvae.references.label_draws import check_fractions
    from lsemvae.references.printed import print_worth
    from lsemvae.references.probing import ProbeSettings
    from lsemvae.references.rows import places_in
    from lsemvae.references.study import StudySettings, study

    if not encoder:
        raise InputError("name one checkpoint at least: lsemvae worth --encoder FILE")
    check_jobs(jobs)
    for name, value, least in (("folds", folds, 2), ("epochs", epochs, 1)):
        if value < least:
            raise InputError(f"{name} must be >= {least}, got {value}")
    if not lr > 0:
        raise InputError(f"lr must be > 0, got {lr:g}")
    for task in tasks or ():
        refuse_unless_binary({"task": task, "target": find_target(task).described()}, "worth")
    probe = ProbeSettings(
        check_fractions(fractions or ProbeSettings.fractions), draws,
        tuple(strengths or ProbeSettings.strengths), seed,
    )  # fmt: skip
    head = MlpSettings(epochs=epochs, lr=lr, seed=seed) if mlp else None
    mlp_shares = check_fractions(mlp_fractions or StudySettings.mlp_fractions, "mlp_fractions")
    settings = StudySettings(probe, head, mlp_shares, twins, tuple(features or ()))
    encoders = [load_pretrained(path) for path in encoder]
    for task in tasks or ["detection"]:
        for lead_set in leads or (12, 6):
            chosen = parse_leads(lead_set)
            data = RhcCohort(
                cohort, task, n_folds=folds, splits=str(Path(out) / task / "splits.json"),
                thresholds=Thresholds(
        mpap_threshold_mmhg, pawp_threshold_mmhg, pvr_threshold_wu, estimate_mpap
    ),
                leads=list(chosen), normalisation=encoders[0].data.ecg_input.normalisation,
                seed=seed, distinct_ids=distinct_ids, fold_column=fold_column,
            )  # fmt: skip
            leaks: dict[Leak, None] = {}
            known, near, same_names = [], (0, 0), True
            with folds_taken_back_if_refused(Path(data.splits_file)):
                for path, one in zip(encoder, encoders, strict=True):
                    check_same_input(path, one.data.ecg_input, data.ecg_input)
                    found = check_leakage(data.pool, data.load_splits().fold, encoder=path,
                                          trained_on=one.data.sha256)  # fmt: skip
                    leaks |= dict.fromkeys(found.leaks)
                    known.append(found.pretraining_known)
                    near = max(near, found.near)  # of one cohort, so by the pre-training
                    same_names &= found.same_names
                refuse_leaks(list(leaks), allow_leakage)
                form = None
                if references_on is not None:
                    form = RhcCohort(references_on, task, leads=list(chosen),
                                     normalisation=data.normalisation,
                                     distinct_ids=distinct_ids)  # fmt: skip
                    places_in(data, form)
            leakage = LeakageCheck(list(leaks), all(known), near, same_names).about()
            folder = Path(out) / task / "worth" / lead_set_name(chosen)
            with writing_alone(folder):
                result = study(encoders, data, folder, Path(out) / "features", settings, jobs=jobs,
                               leakage=leakage, overwrite=overwrite, form=form)  # fmt: skip
                print_worth(result, folder)
