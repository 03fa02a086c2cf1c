"""Run `lsemvae cv`: cross-validate a method on a task and a set of leads."""

from pathlib import Path
from typing import Literal

from lsemvae.core.printable import say

Size = Literal["paper", "small"]  # as in lsemvae.models.method, which --help should not import


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
    pvr_threshold_wu: float = 2.0,
    estimate_mpap: bool = False,
    size: Size = "paper",
    inner: bool | None = None,
    seed: int = 0,
    seeds: int | None = None,
    jobs: int = 1,
    out: str = "runs/cv",
    overwrite: bool = False,
    allow_leakage: bool = False,
    distinct_ids: bool = False,
    permute_labels: int | None = None,
    references: bool = False,
    side_by_side: bool = True,
    fold_column: str | None = None,
) -> Path:
    """Cross-validate a method by patient and write its predictions and metrics.

    Folds are drawn once per task, frozen in OUT/TASK/splits.json and shared by all methods and
    leads. A finished fold is not run again. The reported fold score is that of the last epoch.

    Args:
        task: detection, phenotype; pre_capillary, isolated_post_capillary, combined_post_capillary
            (ESC/ERS 2022, by PAWP and PVR); any column of 0 and 1 in the cohort's table; or
            mpap_mmhg, pawp_mmhg, pvr_wu, estimated in their units; labels joined by commas are
            predicted at once, see docs/targets.md.
        leads: 12, 6 (the limb leads), or names such as I,II,V1.
        method: a row of Table 2 or of the ablations, see docs/models.md; those that are pre-trained
            take the frozen encoder from --encoder, the others are trained end to end. Or a network
            of your own: its class path, such as my_net.TinyNet, or its YAML file, see
            docs/own_network.md; or the YAML file of somebody else's encoder, see docs/adapters.md.
        cohort: store made by `lsemvae prepare cohort`; the demo's synthetic cohort by default.
        encoder: checkpoint of a pre-trained network, or the name of one that ships, such as public
            (see `lsemvae encoders`); with the demo's cohort, the demo's LS-EMVAE by default.
        folds: number of folds.
        epochs: training epochs per fold.
        batch_size: recordings per step.
        lr: learning rate of AdamW.
        focal_alpha: weight of the positive class in the focal loss.
        focal_gamma: focusing exponent of the focal loss.
        normalisation: of the amplitudes; a frozen encoder's own by default, else record.
        mpap_threshold_mmhg: pulmonary hypertension is mPAP above this (20 or 25 are in use).
        pawp_threshold_mmhg: post-capillary is PAWP above this (12, 15 or 18 are in use).
        pvr_threshold_wu: a vascular resistance above this is raised (2 or 3 are in use).
        estimate_mpap: estimate a missing mPAP as (sPAP + 2 dPAP) / 3; every table then says so.
        size: of a network trained end to end: the publication's, or small for a laptop.
        inner: predict a fifth of every training part too, by a model trained on the rest of it:
            what operating points, calibration and settings may be chosen on. By default where the
            encoder is frozen; elsewhere it doubles the time.
        seed: of folds and training.
        seeds: repeat all of it so often, with folds, weights and batches drawn anew, and print the
            spread; repeats.csv beside metrics.json has a row for each. The results are those of
            the first.
        jobs: folds trained at the same time, where a network is trained end to end.
        out: folder of results.
        overwrite: run finished folds again.
        allow_leakage: go on although pre-training and test share patients or recordings.
        distinct_ids: patient ids that differ only as they are written (1 and 1.0, 007 and 7) are
            different people; without it they are refused.
        permute_labels: seed of a shuffle of the labels between patients, for training and test. The
            run has nothing to learn, so an AUROC above chance means that it saw its test records;
            the report says which. Results go to OUT/TASK-permuted-SEED.
        references: compare the frozen encoder with its untrained twins, random convolutions and
            PCA, with all labels and with few, as `lsemvae worth` does; writes references.csv,
            references.json and label_curve.svg beside metrics.json.
        fold_column: column of the cohort's table with the folds of its authors, such as
            official_fold of `prepare ptbxl`; --folds must be as many. Drawn by patient without it.
        side_by_side: train the heads of all folds on a frozen encoder at once, which is several
            times faster; false trains each by a Trainer of its own, to the bit as `fit` does. The
            numbers differ by the rounding of float32.

    Returns:
        The folder of predictions.csv and metrics.json.
    """
    from lsemvae.commands.demo import (
        COHORT,
        demo_cohort,
        demo_encoder,
        refuse_for_demo,
        still_to_make,
    )
    from lsemvae.core.errors import InputError
    from lsemvae.core.joblib_backend import check_jobs
    from lsemvae.core.tasks import Thresholds
    from lsemvae.crossval.printed import run_and_print
    from lsemvae.crossval.run import encoder_of, open_cohort
    from lsemvae.crossval.settings import CvSettings

    settings = CvSettings(
        task, leads, method, folds, epochs, batch_size, lr, focal_alpha, focal_gamma, normalisation,
        Thresholds(
        mpap_threshold_mmhg, pawp_threshold_mmhg, pvr_threshold_wu, estimate_mpap
    ), size, inner, seed, permute_labels,
        jobs, distinct_ids, side_by_side, fold_column,
    )  # fmt: skip
    check_jobs(jobs)
    run = run_and_print
    if references:
        from lsemvae.references.printed import run_with_references as run
    if seeds is not None:
        from functools import partial

        from lsemvae.crossval.repeats import refuse_one_seed, repeat_and_print

        refuse_one_seed(seeds)
        if references:
            raise InputError("--seeds and --references do not go together; give them one by one")
        run = partial(repeat_and_print, seeds=seeds)
    if cohort is None:
        own_encoder = method == "ls_emvae" and encoder is None
        if not own_encoder:
            encoder_of(settings, encoder)
        refuse_for_demo([settings])
        say(f"No cohort given: using the demo's SYNTHETIC one, {COHORT}{still_to_make()}")
        cohort = demo_cohort()
        if own_encoder:
            open_cohort(
                settings, cohort, Path(out), None
            ).load_splits()  # before minutes of training
            encoder = demo_encoder()
    return run(
        settings, cohort, Path(out), encoder=encoder, overwrite=overwrite,
        allow_leakage=allow_leakage,
    )  # fmt: skip
