"""Run `prepare archive`: a hospital's own recordings, without a table, for pre-training."""

from pathlib import Path
from typing import TYPE_CHECKING

from data_modules.conversion.quarantine import ConversionSummary
from data_modules.signals.settings import SignalSettings
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.instead import packed_inside, source_folder
from lsemvae.core.printable import say
from lsemvae.core.pseudonyms import is_pseudonym

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_SIGNAL = SignalSettings()


def prepare_archive(
    source: str,
    out: str,
    *,
    exclude: str | None = None,
    signal: SignalSettings = DEFAULT_SIGNAL,
    key: str | None = None,
    label: str = "own archive",
    jobs: int = 1,
    dask: str | None = None,
) -> ConversionSummary:
    """Read a folder of exports without a table into a store for pre-training.

    The patients are taken from inside the files; records and patients get names made with a key
    that stays with you. Files that do not say whose they are are listed in OUT.left_out.csv.

    Args:
        source: the folder of the exports, with any folders below it.
        out: the store to write, e.g. data/archive.h5.
        exclude: CSV file with the column patient_id: patients to leave out, by their pseudonyms as
            in the cohort.csv of `lsemvae link` with the same key, so that the study's patients are
            not in the pre-training set.
        signal: how the signals are checked, filtered and cut.
        key: file of the key of the pseudonyms, as of `lsemvae link`; your own by default.
        label: the data's name in captions and reports.
        jobs: processes; -1 takes one for each core.
        dask: address of a Dask scheduler whose workers convert instead.

    Raises:
        InputError: a folder, file or option is wrong, or no recording was usable.
    """
    from data_modules.cohort.sheet import read_sheet
    from data_modules.conversion.convert import convert
    from data_modules.linking.archive import read_archive
    from data_modules.linking.id_rule import LOOSEST
    from data_modules.linking.outputs import left_table, refuse_among_exports, write_table
    from data_modules.linking.pseudonyms import open_key, patient_name

    folder, store = source_folder(source, "the exports"), Path(out)
    refuse_among_exports(store.parent, folder)
    secret = open_key(key, out=store.parent, source=folder)
    archive = read_archive(folder, secret, order=None, jobs=jobs)
    plain = LOOSEST.plain(archive.files["patient"], "files")
    table = archive.files[["path", "record"]].assign(
        patient_id=[patient_name(one, secret) for one in plain]
    )
    if exclude is not None:
        cells = read_sheet(Path(exclude), encoding=None).table
        if "patient_id" not in cells:
            found = ", ".join(map(str, cells.columns))
            raise InputError(f"{exclude} needs the column patient_id; it has {found}")
        table = _without(table, cells["patient_id"], exclude)
    if table.empty:
        unknown = counted(
            len(archive.left), "does not say whose it is", "do not say whose they are"
        )
        excluded = counted(len(archive.files), "is excluded", "are excluded")
        raise InputError(
            f"no file of {source} is left: {unknown}, {excluded}; with a table of record and "
            f"patient_id, `lsemvae prepare cohort --table` reads them{packed_inside(folder)}"
        )
    summary = convert(
        table[["record", "patient_id"]].reset_index(drop=True), folder, store,
        amplitude="calibrated", label=label, signal=signal, jobs=jobs, dask=dask,
        paths=table["path"].tolist(),
    )  # fmt: skip
    write_table(store.with_name(f"{store.name}.left_out.csv"), left_table(archive.left))
    left = counted(
        len(archive.left), "file does not say whose it is", "files do not say whose they are"
    )
    say(f"{left}, of {archive.n_files}; {store}.left_out.csv")
    return summary


def _without(table: "pd.DataFrame", patients: "pd.Series", file: str) -> "pd.DataFrame":
    """Leave patients out, and say how many were there.

    Args:
        table: patient_id of the recordings, pseudonyms.
        patients: to leave out.
        file: that they stand in.

    Raises:
        InputError: none of them is there, as with another key.
    """
    known = set(table["patient_id"])
    named, found = set(patients), known & set(patients)
    if named and not found:
        what = (
            "by this key: were the names made with another one (--key)?"
            if all(map(is_pseudonym, named))
            else "by its name: patients stand under pseudonyms here, so give the cohort.csv of "
            "`lsemvae link`"
        )
        raise InputError(
            f"none of {counted(len(named), 'patient')} of {file} has a recording here "
            f"{what}. Leave --exclude out where that is right"
        )
    left_out = table["patient_id"].isin(found)
    say(
        f"{counted(int(left_out.sum()), 'recording')} left out, of {len(found)} of "
        f"{counted(len(named), 'patient')} of {file}"
    )
    return table[~left_out]
