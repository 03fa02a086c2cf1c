"""Run `prepare echonext`: EchoNext of PhysioNet (doi:10.13026/r9pp-3y42) as published.

What it needs is imported when it runs, so that its help appears at once.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from data_modules.conversion.quarantine import ConversionSummary
from data_modules.signals.settings import SignalSettings
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS
from lsemvae.core.printable import say

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_SIGNAL = SignalSettings()
METADATA, WAVEFORMS = "echonext_metadata_100k.csv", "EchoNext_{}_waveforms.npy"
WHAT = f"the folder of EchoNext 1.1 that holds {METADATA}"
GRADED = ("aortic_stenosis", "aortic_regurgitation", "mitral_regurgitation",
          "tricuspid_regurgitation", "pulmonary_regurgitation")  # fmt: skip
MEASURED_BY = {
    "lvef_lte_45_flag": ("lvef_value",),
    "lvwt_gte_13_flag": ("ivs_measurement", "lvpw_measurement"),
    **{f"{name}_moderate_or_greater_flag": (f"{name}_value",) for name in GRADED},
    "rv_systolic_dysfunction_moderate_or_greater_flag": ("rv_systolic_function_value",),
    "pericardial_effusion_moderate_large_flag": ("pericardial_effusion_value",),
    "pasp_gte_45_flag": ("pasp_value",),
    "tr_max_gte_32_flag": ("tr_max_velocity_value",),
}
"""For each label the measurements that it is made of: a flag is 0 where none of them is there."""
COMPOSITE = "shd_moderate_or_greater_flag"
GIVEN = ("ecg_key", "patient_key", "split", "sex", "age_at_ecg")
LAYOUT = {"leads": list(LEADS), "sampling_rate_hz": 250, "unit": "NU"}


def prepare_echonext(
    source: str,
    out: str,
    *,
    signal: SignalSettings = DEFAULT_SIGNAL,
    label: str = "EchoNext",
    jobs: int = 1,
    dask: str | None = None,
) -> ConversionSummary:
    """Read EchoNext into a store: labels of the echocardiogram, missing if unmeasured.

    A published flag is 0 where nothing was measured, too: here it is missing then, as the values
    beside it are. The composite flag is kept as published. Amplitudes are standardised, so the
    store is in arbitrary units. `split` is train, val or test; recordings of a split without a
    file of waveforms are left out and counted.

    Args:
        source: the folder that holds echonext_metadata_100k.csv and EchoNext_train_waveforms.npy
            ...; a file layout.json is written there where there is none.
        out: the store to write, e.g. data/echonext.h5.
        signal: how the signals are checked, filtered and cut.
        label: the data's name in captions and reports.
        jobs: processes; -1 takes one for each core.
        dask: address of a Dask scheduler whose workers convert instead.

    Returns:
        The store, the quarantine list, and what became of the recordings.

    Raises:
        InputError: a file or column of the official layout is missing, or arrays and table do not
            go together.
    """
    from data_modules.conversion.convert import convert
    from data_modules.public_sets.layout_file import ensure_layout

    folder = Path(source)
    table = echonext_table(folder)
    ensure_layout(folder, LAYOUT)
    return convert(
        table, folder, Path(out), amplitude="arbitrary", label=label, signal=signal, jobs=jobs,
        dask=dask,
    )  # fmt: skip


def echonext_table(folder: Path) -> "pd.DataFrame":
    """Return record, patient_id, age_years, sex, split and the labels of every recording.

    Raises:
        InputError: as `prepare_echonext`.
    """
    import pandas as pd

    from data_modules.public_sets.csv_file import numbers_of, read_text_table, without_decimals

    values = {name for names in MEASURED_BY.values() for name in names}
    columns = [*GIVEN, *MEASURED_BY, COMPOSITE, *sorted(values)]
    table = read_text_table(folder / METADATA, columns, WHAT)
    row = table.groupby("split").cumcount()
    file = table["split"].map(WAVEFORMS.format)
    there = table["split"].map({name: _n_rows(folder / WAVEFORMS.format(name), int(n))
                                for name, n in table["split"].value_counts().items()})  # fmt: skip
    if not there.any():
        raise InputError(f"{folder} holds no {WAVEFORMS.format('train')}; source is {WHAT}")
    if not there.all():
        left = table["split"][~there].value_counts().to_dict()
        told = ", ".join(f"{n} of {name}" for name, n in left.items())
        say(f"note: recordings of splits without a file of waveforms are left out: {told}")
    labels = {name: _label(table, name, measured) for name, measured in MEASURED_BY.items()}
    age = numbers_of(table["age_at_ecg"], folder / METADATA)
    found = pd.DataFrame({
        "record": file + "#" + row.astype(str),
        "patient_id": without_decimals(table["patient_key"]),
        "ecg_key": table["ecg_key"],
        "age_years": age.where(age.between(0, 120)),
        "sex": table["sex"],
        "split": table["split"],
        **labels,
        COMPOSITE: numbers_of(table[COMPOSITE], folder / METADATA),
    })  # fmt: skip
    return found[there].reset_index(drop=True)


def _label(table: "pd.DataFrame", name: str, measured: tuple[str, ...]) -> "pd.Series":
    """Return a flag, missing where it is 0 and nothing of it was measured."""
    from data_modules.public_sets.csv_file import numbers_of

    flag = numbers_of(table[name], Path(METADATA))
    odd = flag[flag.notna() & ~flag.isin([0, 1])]
    if len(odd):
        raise InputError(
            f"{METADATA}: line {odd.index[0] + 2} of {name} holds {odd.iloc[0]:g}, expected 0 or 1"
        )
    known = (table[list(measured)] != "").any(axis=1)
    return flag.where(known | (flag == 1))


def _n_rows(file: Path, n_listed: int) -> bool:
    """Tell whether a file of waveforms is there, with a row for each recording of the table.

    Raises:
        InputError: it is no array, or has another number of rows.
    """
    import numpy as np

    if not file.is_file():
        return False
    try:
        shape = np.load(file, mmap_mode="r", allow_pickle=False).shape
    except (ValueError, OSError, EOFError) as error:
        raise InputError(f"{file} is no whole NumPy array ({str(error)[:80]})") from error
    if shape[0] != n_listed:
        raise InputError(
            f"{file} holds {counted(shape[0], 'recording')}, {METADATA} lists {n_listed} of that "
            "split; get both from one version of the data set"
        )
    return True
