"""Apply a locked model to the recordings of a store, as they are and changed."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_modules.signals.clean import MAX_LIMB_RESIDUAL_MV
from data_modules.signals.settings import SignalSettings
from data_modules.store.content import COUNTS_PER_UNIT
from data_modules.store.read import EcgStore
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS, limb_lead_residual
from lsemvae.evaluation.statistics.calibration import calibration_slope
from lsemvae.evaluation.statistics.delong import auroc_interval
from lsemvae.evaluation.statistics.estimate import Estimate, undefined
from lsemvae.model_file.trained_on import NOBODY
from lsemvae.predicting.labels import label_caution, labels_of
from lsemvae.predicting.outcome import RESULT, Row, is_known, is_near, judged_row
from lsemvae.predicting.predictor import Predictor
from lsemvae.predicting.run import BLOCK, Judged, score_block
from lsemvae.predicting.sources import Loaded, Loader, find_sources
from lsemvae.stress.electrodes import Array, electrodes_of
from lsemvae.stress.grid import STRESSES, Stress, changed, not_possible
from lsemvae.stress.shifts import Signals

LEAST_RECORDINGS = 20
HIGHEST_COUNT = 32767
UNSEEN = "it changes none of the leads that the model reads"


class Chosen(NamedTuple):
    """The recordings that are changed.

    Attributes:
        loaded: as the store holds them.
        signals: the same in mV, or in an arbitrary unit.
        label: (N,) 1, 0 or NaN.
        patient: (N,).
        names: (N,) of the recordings.
        unit: mV or NU.
        left_out: how many were not taken, by reason.
        caution: where the label is defined otherwise than the model's.
    """

    loaded: Sequence[Loaded]
    signals: Signals
    label: Array
    patient: npt.NDArray[np.str_]
    names: Sequence[str]
    unit: str
    left_out: dict[str, int]
    caution: str


class Measured(NamedTuple):
    """A row of the table.

    Attributes:
        shift: its name.
        dose: of it; 0 is the recordings as they are.
        unit: of the dose.
        auroc: of results with a label.
        slope: of the calibration.
        withheld: share of the recordings.
        change: mean absolute change of the probability, of recordings with both results.
    """

    shift: str
    dose: float
    unit: str
    auroc: Estimate
    slope: Estimate
    withheld: float
    change: float


def choose(
    predictor: Predictor, cohort: str, *, label: str | None, n: int, seed: int,
    allow_trained_on: bool,
) -> Chosen:  # fmt: skip
    """Draw recordings that hold all six limb leads and that the model may judge.

    Raises:
        InputError: the store does not fit the model, has no label, or too few are left.
    """
    store = EcgStore(cohort)
    known, defined = labels_of(store, predictor.description, label)
    labels = known.to_numpy(float)
    loader, sources = Loader(predictor.description), find_sources([cohort])
    seen = NOBODY if allow_trained_on else predictor.trained_on
    left_out = {"trained on": 0, "nearly trained on": 0, "without all six limb leads": 0}
    loaded: list[Loaded] = []
    rows: list[int] = []
    for row in np.random.default_rng(seed).permutation(len(sources)):
        if len(rows) == n:
            break
        one = loader.load(sources[row])
        if is_known(one, seen):
            left_out["trained on"] += 1
        elif is_near(one, predictor.description, seen):
            left_out["nearly trained on"] += 1
        elif not one.present[:6].all():
            left_out["without all six limb leads"] += 1
        else:
            loaded.append(one)
            rows.append(int(row))
    if len(rows) < LEAST_RECORDINGS:
        said = ", ".join(f"{count} {why}" for why, count in left_out.items())
        raise InputError(
            f"{cohort}: {counted(len(rows), 'recording is', 'recordings are')} left for the stress "
            f"table ({said}), at least {LEAST_RECORDINGS} are needed; --allow_trained_on takes "
            "those of the training too"
        )
    ecg = np.stack([one.ecg for one in loaded]) / COUNTS_PER_UNIT
    patients = store.table["patient_id"].to_numpy(str)
    return Chosen(
        loaded,
        Signals(ecg, SignalSettings(**store.settings), electrodes_of(predictor.description.leads)),
        labels[rows], patients[rows], [sources[row].name for row in rows], store.unit, left_out,
        label_caution(defined, predictor.description.task.label),
    )  # fmt: skip


def measure(
    predictor: Predictor, chosen: Chosen, *, seed: int, stresses: Sequence[Stress] = STRESSES
) -> Iterator[Measured | tuple[str, str]]:
    """Yield a row for each shift and dose, the first as stored; or a shift and why not."""
    rows = predict(predictor, chosen, chosen.signals.ecg)
    plain = probabilities(rows)
    yield _measured(Stress("as stored", stresses[0].shift, (), ""), 0.0, chosen, rows, plain)
    for stress in stresses:
        why = not_possible(stress, chosen.signals, chosen.unit)
        if why:
            yield stress.name, why
            continue
        if not _is_seen(
            predictor, chosen, changed(stress, chosen.signals, max(stress.doses), seed)
        ):
            yield stress.name, UNSEEN
            continue
        for dose in stress.doses:
            rows = predict(predictor, chosen, changed(stress, chosen.signals, dose, seed))
            yield _measured(stress, dose, chosen, rows, plain)


def _is_seen(predictor: Predictor, chosen: Chosen, ecg: Array) -> bool:
    """Tell whether anything changed that the model is given: of no other change is it robust."""
    present = np.stack([one.present for one in chosen.loaded])
    given = present & np.isin(LEADS, predictor.description.leads)
    return bool((ecg != chosen.signals.ecg)[given].any())


def predict(predictor: Predictor, chosen: Chosen, ecg: Array) -> list[Row]:
    """Return the rows of changed recordings (N, 12, T), judged as `lsemvae predict` does.

    Limb leads are checked in whole recordings, as the cleaning does: a median of beats obeys the
    relations between leads only nearly.
    """
    counts = np.clip(np.rint(ecg * COUNTS_PER_UNIT), -HIGHEST_COUNT, HIGHEST_COUNT)
    whole = counts.astype(np.int16)
    broken = np.zeros(len(ecg), dtype=bool)
    if chosen.unit == "mV" and not chosen.signals.is_beat:
        broken = limb_lead_residual(ecg[:, :6]) > MAX_LIMB_RESIDUAL_MV
    model = predictor.description
    judged = []
    for i, one in enumerate(chosen.loaded):
        findings = [*one.findings, *([("limb_leads_inconsistent", "")] if broken[i] else [])]
        new = one._replace(ecg=np.where(one.present[:, None], whole[i], 0), findings=findings)
        row = judged_row(chosen.names[i], new, model, NOBODY, model.fewest_leads)
        judged.append(Judged(row, new))
    blocks = [judged[start : start + BLOCK] for start in range(0, len(judged), BLOCK)]
    return [row for block in blocks for row in score_block(predictor, block)]


def probabilities(rows: Sequence[Row]) -> Array:
    """Return the probabilities (N,), NaN where there is no result."""
    return np.array([row.probability if row.outcome == RESULT else np.nan for row in rows], float)


def _measured(
    stress: Stress, dose: float, chosen: Chosen, rows: Sequence[Row], plain: Array
) -> Measured:
    new = probabilities(rows)
    known = ~np.isnan(new) & ~np.isnan(chosen.label)
    columns = chosen.label[known], new[known], chosen.patient[known]
    both = ~np.isnan(new) & ~np.isnan(plain)
    try:
        auroc, slope = auroc_interval(*columns), calibration_slope(*columns)
    except InputError as error:
        auroc = slope = undefined(str(error))
    change = float(np.abs(new - plain)[both].mean()) if both.any() else np.nan
    return Measured(
        stress.name, dose, stress.unit, auroc, slope, float(np.isnan(new).mean()), change
    )


def table_of(rows: Sequence[Measured]) -> pd.DataFrame:
    """Return the rows as numbers, one column for each value and end of an interval."""
    return pd.DataFrame(
        [
            {
                "shift": row.shift, "dose": row.dose, "unit": row.unit,
                "auroc": row.auroc.value, "auroc_low": row.auroc.low, "auroc_high": row.auroc.high,
                "slope": row.slope.value, "slope_low": row.slope.low, "slope_high": row.slope.high,
                "withheld": row.withheld, "mean_absolute_change": row.change,
            }
            for row in rows
        ]
    )  # fmt: skip


def about(predictor: Predictor, cohort: str, chosen: Chosen, trained_on: bool) -> dict[str, Any]:
    """Return what stress.json says of model and recordings."""
    store, model = EcgStore(cohort), predictor.description
    return {
        "model_sha256": predictor.digest, "task": model.task.name, "method": model.method,
        "sources": model.sources, "data": store.label,
        "synthetic": store.synthetic or model.synthetic, "cohort_sha256": store.sha256,
        "n_recordings": len(chosen.loaded), "left_out": chosen.left_out, "trained_on": trained_on,
        "segment": chosen.signals.settings.segment, "leads": model.leads,
        "caution": chosen.caution,
    }  # fmt: skip
