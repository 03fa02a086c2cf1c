"""Explain which leads and waves move the predictions of a finished run."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lsemvae.core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

N_RANDOMISED = 8  # records of each fold


def explain(
    run: str,
    cohort: str,
    *,
    encoder: str | None = None,
    records: int | str | list[str] | None = None,
    method: Literal["integrated_gradients", "gradient_shap", "saliency", "lead_occlusion"] = (
        "integrated_gradients"
    ),
    baseline: Literal["isoelectric", "mean_ecg", "recordings"] | None = None,
    n_steps: int = 64,
    batch_size: int = 64,
    pictures: int = 3,
    waves: bool = True,
    seed: int = 0,
    out: str = "reports/explain",
) -> None:
    """Explain which leads and waves move the predictions of a finished run.

    Each record is explained by the model of the fold in which it was held out.

    Writes attribution.csv, waves.csv, gate.csv, attribution.json and pictures (PNG, SVG).

    Args:
        run: folder of a finished `lsemvae cv` run, OUT/TASK/METHOD/LEADS.
        cohort: the store that was cross-validated.
        encoder: that the run froze, if any: a checkpoint, or a name of `lsemvae encoders`.
        records: how many, drawn at random, or names (names of digits alone in a list); all by
            default.
        method: integrated_gradients, gradient_shap, saliency or lead_occlusion.
        baseline: where paths begin: isoelectric (0 mV), mean_ecg (of the training folds) or
            recordings (drawn from them); isoelectric by default, recordings for gradient_shap.
        n_steps: points on each path, or draws of gradient_shap.
        batch_size: recordings that pass through the network at a time.
        pictures: how many records are drawn: those named, else the positives with the largest
            predicted probability.
        waves: whether shares of P, QRS and T are wanted.
        seed: of every draw.
        out: folder of results.
    """
    from data_modules.base import StoreDataModule
    from lsemvae.core.one_writer import writing_alone
    from lsemvae.explain.attribution import AttributionSettings
    from lsemvae.explain.files import check_explain_folder, write_explanation
    from lsemvae.explain.records import Explained, ExplanationSettings
    from lsemvae.explain.run import (
        check_files,
        choose_records,
        explain_folds,
        read_run,
        sound_run,
        store_rows,
    )
    from lsemvae.explain.skill import model_skill
    from lsemvae.report_evidence.cohort import verify_against_store

    if pictures < 0:
        raise InputError(f"pictures must be 0 or more, got {pictures}")
    check_explain_folder(Path(out))
    folder = Path(run)
    about, predictions = read_run(folder)
    data = StoreDataModule(
        cohort, leads=about["leads"], normalisation=about["normalisation"],
        batch_size=batch_size, num_workers=0,
    )  # fmt: skip
    check_files(about, data, cohort, encoder)
    verify_against_store(data.pool.stores[0], [sound_run(folder)])
    predictions = predictions.assign(row=store_rows(predictions, data))
    chosen = choose_records(predictions, records, seed=seed)
    plan = ExplanationSettings(
        settings=AttributionSettings(method, n_steps, batch_size, seed),
        baseline=_baseline(method, baseline),
        waves=waves and method != "lead_occlusion",
        pictured=_pictured(chosen, pictures, named=isinstance(records, str | list)),
        n_randomised=N_RANDOMISED,
    )
    found = Explained()
    explain_folds(folder, data, encoder, predictions, chosen, plan=plan, found=found)
    with writing_alone(Path(out), wait=True):
        write_explanation(Path(out), about, data, plan, found, skill=model_skill(predictions))


def _baseline(method: str, baseline: str | None) -> Any:
    """Return the baseline of the method.

    Raises:
        InputError: one that the method has no use for.
    """
    allowed = {
        "integrated_gradients": ("isoelectric", "mean_ecg"),
        "gradient_shap": ("recordings", "isoelectric", "mean_ecg"),
    }
    if baseline is None:
        return allowed.get(method, ("isoelectric",))[0]
    if baseline not in allowed.get(method, ()):
        usable = " or ".join(allowed.get(method, ("none",)))
        raise InputError(f"method {method} cannot use baseline={baseline}; it takes {usable}")
    return baseline


def _pictured(chosen: "pd.DataFrame", n_pictures: int, *, named: bool) -> frozenset[str]:
    if not named:
        chosen = chosen[chosen["label"] == 1].sort_values("probability", ascending=False)
    return frozenset(chosen["record"].iloc[:n_pictures])
