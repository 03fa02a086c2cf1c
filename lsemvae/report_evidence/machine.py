"""Gather the machine's own measurements of a cohort, and the R wave of V1 from its signals."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_modules.signals.median_beat import median_beat
from data_modules.signals.r_share import r_share
from data_modules.store.read import EcgStore
from lsemvae.core.leads import LEADS
from lsemvae.evaluation.clinical_baseline import MACHINE, V1_R_SHARE

BLOCK = 256  # recordings in memory


def machine_measurements(store: EcgStore) -> pd.DataFrame:
    """Return record and measurements by name; record alone where the table holds none.

    Columns `machine_...` are what the recorders stored (`lsemvae link` keeps them); words in them
    count as missing. R / (R + S) in V1 is measured from the store's signals, NaN where V1 or a
    whole beat is missing.
    """
    table = store.table
    stored = {
        str(name): pd.to_numeric(table[name], errors="coerce")
        for name in table.columns if str(name).startswith(MACHINE)
    }  # fmt: skip
    known = {name: values for name, values in stored.items() if values.notna().any()}
    measured = pd.DataFrame({"record": table["record"], **known})
    if not known:
        return measured
    shares = v1_r_shares(store)
    return measured.assign(**{V1_R_SHARE: shares}) if np.isfinite(shares).any() else measured


def v1_r_shares(store: EcgStore) -> npt.NDArray[np.float64]:
    """Return R / (R + S) in V1 of every recording, (N,)."""
    shares = np.full(len(store), np.nan)
    v1 = LEADS.index("V1")
    with_v1 = np.flatnonzero(store.present[:, v1])
    is_beat = store.settings.get("segment") == "median_beat"
    for start in range(0, len(with_v1), BLOCK):
        block = with_v1[start : start + BLOCK]
        ecg = store.read(block, [v1] if is_beat else None, verify=True).astype(np.float32)
        beats = ecg[:, 0] if is_beat else _beats(ecg, store.present[block], store.sampling_rate_hz)
        shares[block] = r_share(beats, store.sampling_rate_hz)
    return shares


def _beats(
    ecg: npt.NDArray[np.float32], present: npt.NDArray[np.bool_], sampling_rate_hz: float
) -> npt.NDArray[np.float32]:
    """Return V1's median beats of recordings (B, 12, T), NaN where there is no whole beat."""
    v1 = LEADS.index("V1")
    found = [median_beat(one, leads, sampling_rate_hz)[v1]
             for one, leads in zip(ecg, present, strict=True)]  # fmt: skip
    size = max(len(beat) for beat in found)
    missing = np.full(size, np.nan, np.float32)
    return np.stack([beat if len(beat) else missing for beat in found])
