"""Take from the store what explaining a record needs: amplitudes, baselines, waves, gate."""

from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from data_modules.base import StoreDataModule
from data_modules.dataset import EcgDataset
from data_modules.normalise import normalise
from data_modules.signals.median_beat import find_r_peaks
from lsemvae.core.leads import LEADS, LIMB_LEADS, lead_indices
from lsemvae.core.types import EcgBatch
from lsemvae.explain.gate import gate_weights
from lsemvae.explain.logit import Recordings
from lsemvae.explain.waves import WAVES, label_waves
from lsemvae.models import LsEmvae
from lsemvae.tasks import Classifier

Baseline = Literal["isoelectric", "mean_ecg", "recordings"]
Rows = npt.NDArray[np.int64]
N_BASELINES = 32  # recordings that gradient_shap draws its baselines from
N_COPIES = 5  # of a median beat, so that the delineation sees a rhythm; the middle one is used


def _counts(data: StoreDataModule, rows: Rows, leads: tuple[str, ...]) -> EcgBatch:
    return EcgDataset(data.pool, rows, leads=leads).__getitems__(list(range(len(rows))))


def read_recordings(data: StoreDataModule, rows: Rows) -> Recordings:
    """Return the recordings at these rows of the store, in mV, with what they are divided by."""
    batch = _counts(data, rows, data.leads)
    ready = normalise(batch, data.normalisation)
    ecg_mv = torch.where(batch.present.unsqueeze(-1), batch.ecg * batch.scale.unsqueeze(-1), 0.0)
    return Recordings(ecg_mv, ready.scale, ready.present, data.leads, data.normalisation)


def read_baseline(
    data: StoreDataModule, training_rows: Rows, *, kind: Baseline, batch_size: int, seed: int
) -> Tensor | None:
    """Return where paths begin, from recordings that the fold was trained on.

    Args:
        data: the store.
        training_rows: of the store.
        kind: `isoelectric` (None), `mean_ecg` (L, T) or `recordings` (N, L, T).
        batch_size: recordings read at a time.
        seed: of the draw of `recordings`.
    """
    if kind == "isoelectric":
        return None
    if kind == "recordings":
        n_drawn = min(N_BASELINES, len(training_rows))
        drawn = np.random.default_rng(seed).choice(training_rows, n_drawn, replace=False)
        return read_recordings(data, np.sort(drawn)).ecg_mv
    total, count = torch.zeros(()), torch.zeros(())
    for start in range(0, len(training_rows), batch_size):
        part = read_recordings(data, training_rows[start : start + batch_size])
        total, count = total + part.ecg_mv.sum(0), count + part.present.sum(0).unsqueeze(-1)
    return total / count.clamp_min(1)


def read_waves(ecg: npt.NDArray[np.floating], data: StoreDataModule) -> npt.NDArray[np.int8]:
    """Label the samples of a recording (L, T) with `WAVES`; a median beat is repeated first."""
    rate, n = data.ecg_input.sampling_rate_hz, ecg.shape[-1]
    beat = data.ecg_input.segment == "median_beat"
    rhythm = np.tile(ecg, N_COPIES) if beat else ecg
    peaks = find_r_peaks(rhythm, rate)
    if len(peaks) < 2:
        return np.full(n, WAVES.index("other"), np.int8)
    labels = label_waves(rhythm, peaks.tolist(), rate)
    return labels[N_COPIES // 2 * n :][:n] if beat else labels


def gate_lead_sets(task: Classifier, data: StoreDataModule) -> tuple[tuple[str, ...], ...]:
    """Return the sets of leads whose gate weights mean something.

    A frozen encoder was trained on all leads; a network trained end to end on its own leads only.
    """
    network = task.network
    if not isinstance(network, LsEmvae) or network.gate is None:
        return ()
    if task.frozen and bool(data.pool.present.all(1).any()):
        return (LEADS, LIMB_LEADS)
    return (data.leads,)


def read_gate(
    network: LsEmvae, data: StoreDataModule, chosen: pd.DataFrame, leads: tuple[str, ...]
) -> pd.DataFrame:
    """Return the weights that the gate gives its experts with these leads.

    Args:
        network: in eval mode.
        data: the store.
        chosen: columns record, label and row.
        leads: given to the network.

    Returns:
        Columns record, label and one per expert, for the records that have one of the leads.
    """
    has_one = data.pool.present[chosen["row"]][:, lead_indices(leads)].any(1)
    rows, label, record = (chosen[name].to_numpy()[has_one] for name in ("row", "label", "record"))
    batch = normalise(_counts(data, rows, leads), data.normalisation)
    device = next(network.parameters()).device
    weights = gate_weights(network, batch.ecg.to(device), leads, batch.present.to(device))
    return weights.assign(label=label.astype(int), record=record)
