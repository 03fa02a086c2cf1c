"""Explain the held-out records of one fold after the other; tables, and arrays for pictures."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from data_modules.base import StoreDataModule
from lsemvae.core.errors import InputError
from lsemvae.explain.attribution import Attribution, AttributionSettings, attribute, lead_shares
from lsemvae.explain.inputs import (
    Baseline,
    Rows,
    gate_lead_sets,
    read_baseline,
    read_gate,
    read_recordings,
    read_waves,
)
from lsemvae.explain.logit import Recordings
from lsemvae.explain.randomisation import rank_agreement, with_shuffled_weights
from lsemvae.explain.sheet import ExplainedRecord
from lsemvae.explain.waves import WAVES, wave_shares
from lsemvae.models import LsEmvae
from lsemvae.tasks import Classifier

PROBABILITY_TOLERANCE = 1e-3
SHUFFLED = {"head": "head.", "all": ""}


@dataclass(frozen=True)
class ExplanationSettings:
    """What is computed for every record.

    Attributes:
        settings: of the attribution.
        baseline: where paths begin.
        waves: whether shares of waves are wanted.
        pictured: records whose arrays are kept.
        n_randomised: records of each fold in the model-randomisation check.
    """

    settings: AttributionSettings
    baseline: Baseline
    waves: bool
    pictured: frozenset[str]
    n_randomised: int


@dataclass
class Explained:
    """What was found, a part per batch.

    Attributes:
        leads: rows of attribution.csv.
        waves: rows of waves.csv.
        randomised: rank agreements with shuffled weights.
        gate: weights of the gate by set of leads.
        records: what is drawn, by record.
        not_delineated: records in which no wave was found.
    """

    leads: list[pd.DataFrame] = field(default_factory=list)
    waves: list[pd.DataFrame] = field(default_factory=list)
    randomised: list[pd.DataFrame] = field(default_factory=list)
    gate: dict[tuple[str, ...], list[pd.DataFrame]] = field(default_factory=dict)
    records: dict[str, ExplainedRecord] = field(default_factory=dict)
    not_delineated: list[str] = field(default_factory=list)


def explain_fold(
    task: Classifier, data: StoreDataModule, chosen: pd.DataFrame, *, training_rows: Rows,
    plan: ExplanationSettings, found: Explained,
) -> None:  # fmt: skip
    """Explain the chosen records of one fold with its own model.

    Args:
        task: the fold's classifier.
        data: recordings, leads and normalisation.
        chosen: columns record, patient_id, fold, label, probability and row (in the store).
        training_rows: rows of the store that the fold was trained on.
        plan: what to compute.
        found: where it goes.

    Raises:
        InputError: the model does not give the probabilities that the run wrote down.
    """
    size, network = plan.settings.batch_size, task.network
    baseline = read_baseline(
        data, training_rows, kind=plan.baseline, batch_size=size, seed=plan.settings.seed
    )
    if baseline is not None:
        baseline = baseline.to(task.device)
    for start in range(0, len(chosen), size):
        part = chosen.iloc[start : start + size]
        recordings = _moved(read_recordings(data, part["row"].to_numpy()), task.device)
        attribution = attribute(task, recordings, baseline_mv=baseline, settings=plan.settings)
        _check_probability(part, attribution)
        _keep(part, recordings, attribution, data=data, plan=plan, found=found)
        if isinstance(network, LsEmvae):
            for leads in gate_lead_sets(task, data):
                found.gate.setdefault(leads, []).append(read_gate(network, data, part, leads))
        if start == 0 and plan.n_randomised:
            few = slice(0, plan.n_randomised)
            found.randomised.append(
                _randomised(task, recordings.rows(few), attribution.value[few], baseline, plan)
            )


def _moved(recordings: Recordings, device: torch.device) -> Recordings:
    ecg_mv, scale, present = (tensor.to(device) for tensor in recordings[:3])
    return recordings._replace(ecg_mv=ecg_mv, scale=scale, present=present)


def _check_probability(part: pd.DataFrame, attribution: Attribution) -> None:
    again = attribution.logit.sigmoid().cpu().numpy()
    difference = np.abs(again - part["probability"].to_numpy())
    if (difference > PROBABILITY_TOLERANCE).any():
        worst = part["record"].iloc[int(difference.argmax())]
        raise InputError(
            f"the model of the fold gives record {worst} another probability than predictions.csv "
            f"(by {difference.max():.3g}); run the cross-validation again with --overwrite"
        )


def _keep(
    part: pd.DataFrame, recordings: Recordings, attribution: Attribution, *,
    data: StoreDataModule, plan: ExplanationSettings, found: Explained,
) -> None:  # fmt: skip
    share = lead_shares(attribution.value, recordings.present).cpu().numpy()
    value = attribution.value.cpu().numpy()
    present = recordings.present.cpu().numpy()
    ecg = recordings.ecg_mv.cpu().numpy()
    who = part.drop(columns="row").reset_index(drop=True)
    table = _crossed(who, {"lead": data.leads})
    table["share"] = share.ravel()
    table["contribution_logit"] = value.sum(-1).ravel()
    table["delta_logit"] = np.repeat(attribution.delta.cpu().numpy(), len(data.leads))
    found.leads.append(table[present.ravel()])
    if value.shape[-1] != ecg.shape[-1]:
        return
    for row, record in enumerate(who["record"]):
        if record in plan.pictured:
            found.records[record] = ExplainedRecord(
                ecg[row], value[row], present[row], data.leads,
                data.ecg_input.sampling_rate_hz, data.pool.calibrated,
            )  # fmt: skip
    if plan.waves:
        _keep_waves(who, ecg, value, present, data=data, found=found)


def _crossed(who: pd.DataFrame, levels: dict[str, Sequence[str]]) -> pd.DataFrame:
    """Repeat every record for each combination of the levels, the last one fastest."""
    for name, values in levels.items():
        who = who.merge(pd.DataFrame({name: values}), how="cross")
    return who


def _keep_waves(
    who: pd.DataFrame, ecg: npt.NDArray[np.floating], value: npt.NDArray[np.floating],
    present: npt.NDArray[np.bool_], *, data: StoreDataModule, found: Explained,
) -> None:  # fmt: skip
    labels = np.stack([read_waves(one[mask], data) for one, mask in zip(ecg, present, strict=True)])
    delineated = (labels != WAVES.index("other")).any(1)
    found.not_delineated += who["record"][~delineated].tolist()
    if not delineated.any():
        return
    share, time_share = wave_shares(value[delineated], labels[delineated])
    table = _crossed(who[delineated], {"lead": data.leads, "wave": WAVES})
    table["share"] = share.ravel()
    table["time_share"] = np.repeat(time_share, len(data.leads), axis=0).ravel()
    found.waves.append(table[np.repeat(present[delineated].ravel(), len(WAVES))])


def _randomised(
    task: Classifier,
    recordings: Recordings,
    value: Tensor,
    baseline: Tensor | None,
    plan: ExplanationSettings,
) -> pd.DataFrame:
    """Compare attributions with those of copies whose weights were shuffled."""
    own = value.cpu().numpy()
    own_share = np.abs(own).sum(-1)
    parts = []
    for part, prefix in SHUFFLED.items():
        shuffled = with_shuffled_weights(task, seed=plan.settings.seed, prefix=prefix)
        other = attribute(
            shuffled, recordings, baseline_mv=baseline, settings=plan.settings, check=False
        ).value.cpu().numpy()  # fmt: skip
        agreement = {
            "shuffled": part,
            "samples": rank_agreement(own, other),
            "leads": rank_agreement(own_share, np.abs(other).sum(-1)),
        }
        parts.append(pd.DataFrame(agreement))
    return pd.concat(parts, ignore_index=True)
