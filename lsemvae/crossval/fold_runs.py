"""Run the folds that a cross-validation lacks: heads side by side, networks one by one."""

from pathlib import Path

from joblib import Parallel, delayed

from data_modules.rhc_cohort import RhcCohort
from lsemvae.core.joblib_backend import dead_workers_named, joblib_backend
from lsemvae.core.printable import say
from lsemvae.crossval.features import cached_features
from lsemvae.crossval.fold_heads import run_heads
from lsemvae.crossval.folds import FoldSettings, is_finished, part_folder, run_fold
from lsemvae.models import Pretrained

INNER_TOLD = (
    "each fold is trained twice: on its whole training part, and on four fifths of it, predicting "
    "the fifth (its inner part), on which thresholds and settings may be chosen"
)


def run_missing_folds(
    folder: Path, data: RhcCohort, settings: FoldSettings, *, encoder: str | None,
    pretrained: Pretrained | None, inner: bool, jobs: int, side_by_side: bool, overwrite: bool,
    feature_folder: Path,
) -> None:  # fmt: skip
    """Run the folds that are not finished; each gets fresh objects.

    Args:
        folder: of the cross-validation.
        data: the cohort.
        settings: of the cross-validation.
        encoder: checkpoint of the frozen encoder.
        pretrained: the same, read.
        inner: predict an inner part of every training part too, in `fold_K/inner`.
        jobs: folds trained at the same time, in processes of their own where more than one; heads
            that are trained side by side take one process.
        side_by_side: train the heads on a frozen encoder all at once, where they predict one label.
        overwrite: run finished folds too.
        feature_folder: cache of the encoder's features.
    """
    parts = [(fold, False) for fold in range(data.n_folds)]
    parts += [(fold, True) for fold in range(data.n_folds) if inner]
    missing = [
        part for part in parts if overwrite or not is_finished(part_folder(folder, *part), settings)
    ]
    if not missing:
        say(f"all {data.n_folds} folds are finished")
        return
    for stale in ("metrics.json", "predictions.csv", "inner_predictions.csv"):
        (folder / stale).unlink(missing_ok=True)
    if any(inner for _, inner in missing):
        say(INNER_TOLD)
    features = None
    if pretrained is not None:
        features = cached_features(pretrained, data, feature_folder, uncertainty_too=True)
    chosen = [
        (part_folder(folder, *part), data.for_fold(part[0], inner=part[1])) for part in missing
    ]
    if features is not None and side_by_side and settings.target is None:
        run_heads(chosen, settings, encoder=str(encoder), features=features)
        return
    run = delayed(run_fold)
    with dead_workers_named(), joblib_backend(jobs, None):
        Parallel()(
            run(own, part, settings, encoder=encoder, features=features) for own, part in chosen
        )
