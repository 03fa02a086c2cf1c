"""`lsemvae explain`: which leads and waves move the predictions of a cross-validation."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lsemvae.core.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from data_modules.base import StoreDataModule
    from lsemvae.explain.records import Explained, Plan

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
        encoder: the pre-trained checkpoint of the run, where its method has one.
        records: how many, drawn at random, or names (names of digits alone in a list); all by
            default.
        method: integrated_gradients, gradient_shap, saliency or lead_occlusion.
        baseline: where paths begin: isoelectric (0 mV), mean_ecg (of the training folds) or
            recordings (drawn from them); isoelectric by default, recordings for gradient_shap.
        n_steps: points on each path, or draws of gradient_shap.
        batch_size: recordings that pass through the network at a time.
        pictures: how many records are drawn: those named, else the positives with the largest
            predicted probability.
        waves: whether shares of P, QRS and T are wanted (needs `pip install -e '.[waves]'`).
        seed: of every draw.
        out: folder of results.
    """
    from data_modules.base import StoreDataModule
    from lsemvae.explain.attribution import AttributionSettings
    from lsemvae.explain.files import write_explanation
    from lsemvae.explain.records import Explained, Plan

    folder = Path(run)
    about, predictions = _read_run(folder)
    data = StoreDataModule(
        cohort, leads=about["leads"], normalisation=about["normalisation"],
        batch_size=batch_size, num_workers=0,
    )  # fmt: skip
    _check_files(about, data, cohort, encoder)
    predictions = predictions.assign(row=_rows(predictions, data))
    chosen = choose_records(predictions, records, seed=seed)
    plan = Plan(
        settings=AttributionSettings(method, n_steps, batch_size, seed),
        baseline=_baseline(method, baseline),
        waves=_wants_waves(waves, method),
        pictured=_pictured(chosen, pictures, named=isinstance(records, str | list)),
        n_randomised=N_RANDOMISED,
    )
    found = Explained()
    _explain_folds(folder, data, encoder, predictions, chosen, plan=plan, found=found)
    write_explanation(Path(out), about, data, plan, found)


def _read_run(folder: Path) -> "tuple[dict[str, Any], pd.DataFrame]":
    import json

    from lsemvae.evaluation.predictions import read_predictions

    files = [folder / "metrics.json", folder / "predictions.csv"]
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        raise InputError(
            f"{' and '.join(missing)} not found; name the folder of a finished `lsemvae cv` run, "
            "such as runs/cv/detection/ls_emvae/6L"
        )
    return json.loads(files[0].read_text()), read_predictions(files[1])


def _check_files(
    about: dict[str, Any], data: "StoreDataModule", cohort: str, encoder: str | None
) -> None:
    wrong = []
    if data.pool.sha256 != about["cohort_sha256"]:
        wrong.append(f"{cohort} is not the cohort of this run")
    if about["encoder_sha256"] and encoder is None:
        wrong.append(f"method {about['method']} needs --encoder, the checkpoint of this run")
    if not about["encoder_sha256"] and encoder is not None:
        wrong.append(f"method {about['method']} has no frozen encoder; leave out --encoder")
    if wrong:
        raise InputError("; ".join(wrong))


def _rows(predictions: "pd.DataFrame", data: "StoreDataModule") -> "pd.Series[int]":
    table = data.pool.table
    rows = table.reset_index().set_index("record")["index"]
    return predictions["record"].map(rows)


def choose_records(
    predictions: "pd.DataFrame", records: int | str | list[str] | None, *, seed: int
) -> "pd.DataFrame":
    """Return the rows of the predictions that are to be explained, in their order.

    Raises:
        InputError: a number below 1, or names that were not predicted.
    """
    import numpy as np

    if records is None:
        return predictions
    if isinstance(records, int):
        if records < 1:
            raise InputError(f"records must be 1 or more, or names of records; got {records}")
        n_drawn = min(records, len(predictions))
        drawn = np.random.default_rng(seed).choice(len(predictions), n_drawn, replace=False)
        return predictions.iloc[np.sort(drawn)]
    names = [part.strip() for part in records.split(",")] if isinstance(records, str) else records
    unknown = sorted(set(names) - set(predictions["record"]))
    if unknown:
        raise InputError(
            f"{len(unknown)} records were not predicted in this run: {', '.join(unknown[:5])}; "
            f"its predictions.csv holds {predictions['record'].iloc[0]} and "
            f"{len(predictions) - 1} others"
        )
    return predictions[predictions["record"].isin(names)]


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


def _wants_waves(waves: bool, method: str) -> bool:
    """Tell whether to delineate, and find out now whether the library is there."""
    if not waves or method == "lead_occlusion":
        return False
    from lsemvae.explain.waves import find_library

    find_library()
    return True


def _pictured(chosen: "pd.DataFrame", n_pictures: int, *, named: bool) -> frozenset[str]:
    if not named:
        chosen = chosen[chosen["label"] == 1].sort_values("probability", ascending=False)
    return frozenset(chosen["record"].iloc[:n_pictures])


def _explain_folds(
    folder: Path, data: "StoreDataModule", encoder: str | None, predictions: "pd.DataFrame",
    chosen: "pd.DataFrame", *, plan: "Plan", found: "Explained",
) -> None:  # fmt: skip
    """Explain each fold's share of the chosen records with that fold's model."""
    import torch

    from data_modules.progress import show_progress
    from lsemvae.crossval.fold_models import check_folds, load_fold
    from lsemvae.explain.records import explain_fold

    device = "cuda" if torch.cuda.is_available() else "cpu"
    folders = {fold: folder / f"fold_{fold}" for fold in chosen["fold"].unique()}
    check_folds(list(folders.values()))
    parts = ((len(part), (fold, part)) for fold, part in chosen.groupby("fold"))
    for fold, part in show_progress(parts, total=len(chosen), text="explaining records"):
        task = load_fold(folders[fold], encoder, data.ecg_input).to(device)
        training: np.ndarray[Any, Any] = predictions["row"][predictions["fold"] != fold].to_numpy()
        explain_fold(task, data, part, training_rows=training, plan=plan, found=found)
