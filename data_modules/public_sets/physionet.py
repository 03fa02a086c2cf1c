"""Run `prepare cinc2021` and `prepare chapman`: PhysioNet's sets with codes in their headers.

What they need is imported when they run, so that their help appears at once.
"""

from pathlib import Path

from data_modules.conversion.quarantine import ConversionSummary
from data_modules.signals.settings import SignalSettings
from lsemvae.core.errors import InputError
from lsemvae.core.printable import say

DEFAULT_SIGNAL = SignalSettings()
SCORED_ALIKE = {
    "713427006": "59118001",  # complete right bundle branch block, right bundle branch block
    "733534002": "164909002",  # complete left bundle branch block, left bundle branch block
    "284470004": "63593006",  # premature atrial, supraventricular premature contractions
    "427172004": "17338001",  # premature ventricular contractions, ventricular premature beats
}
"""Codes that the challenge of 2021 scores as one (Reyna et al. 2021)."""
CODE = ("SNOMEDCTCode", "SNOMED CT Code", "Snomed_CT", "snomed_code")
NAME = ("Abbreviation", "Acronym Name", "abbreviation")
CONDITIONS = "ConditionNames_SNOMED-CT.csv"


def prepare_cinc2021(
    source: str,
    out: str,
    *,
    mapping: list[str] | None = None,
    signal: SignalSettings = DEFAULT_SIGNAL,
    label: str = "CinC challenge 2021",
    jobs: int = 1,
    dask: str | None = None,
) -> ConversionSummary:
    """Read the training sets of the CinC challenge 2021 into a store.

    Labels are the SNOMED codes of the headers: `dx_164889003`, or the abbreviations of --mapping.
    Pairs that the challenge scores as one are one label. A code that no recording of a database
    has is missing there, never 0. Patients are not published: each recording counts as one.

    Args:
        source: the folder with the databases (training/georgia/g1/...), or one of them.
        out: the store to write, e.g. data/cinc2021.h5.
        mapping: tables that name the codes, such as dx_mapping_scored.csv of the challenge.
        signal: how the signals are checked, filtered and cut.
        label: the data's name in captions and reports.
        jobs: processes; -1 takes one for each core.
        dask: address of a Dask scheduler whose workers convert instead.

    Returns:
        The store, the quarantine list, and what became of the recordings.

    Raises:
        InputError: no header, or a table without the columns of codes and names.
    """
    from data_modules.public_sets.snomed import read_names

    names: dict[str, str] = {}
    for file in mapping or []:
        names |= read_names(Path(file), CODE, NAME)
    say("note: no patients are published; each recording counts as a patient of its own")
    return _prepare(
        Path(source), Path(out), names, SCORED_ALIKE, "the folder of the challenge's databases",
        signal=signal, label=label, jobs=jobs, dask=dask,
    )  # fmt: skip


def prepare_chapman(
    source: str,
    out: str,
    *,
    signal: SignalSettings = DEFAULT_SIGNAL,
    label: str = "Chapman-Shaoxing-Ningbo",
    jobs: int = 1,
    dask: str | None = None,
) -> ConversionSummary:
    """Read the arrhythmia database of Chapman, Shaoxing and Ningbo into a store.

    Labels are the conditions of the headers under the acronyms of ConditionNames_SNOMED-CT.csv; a
    recording without any condition has none of them. There is one recording of each patient.

    Args:
        source: the folder that holds WFDBRecords/ and ConditionNames_SNOMED-CT.csv.
        out: the store to write, e.g. data/chapman.h5.
        signal: how the signals are checked, filtered and cut.
        label: the data's name in captions and reports.
        jobs: processes; -1 takes one for each core.
        dask: address of a Dask scheduler whose workers convert instead.

    Returns:
        The store, the quarantine list, and what became of the recordings.

    Raises:
        InputError: no header, or no table of conditions.
    """
    from data_modules.public_sets.snomed import read_names

    folder = Path(source)
    table = folder / CONDITIONS
    what = f"the folder that holds WFDBRecords/ and {CONDITIONS}"
    if not table.is_file():
        raise InputError(f"{table} not found; source is {what}")
    return _prepare(
        folder, Path(out), read_names(table, CODE, NAME), {}, what, signal=signal, label=label,
        jobs=jobs, dask=dask,
    )  # fmt: skip


def _prepare(
    folder: Path, out: Path, names: dict[str, str], same: dict[str, str], what: str, *,
    signal: SignalSettings, label: str, jobs: int, dask: str | None,
) -> ConversionSummary:  # fmt: skip
    from data_modules.conversion.convert import convert
    from data_modules.public_sets.snomed import snomed_table

    table = snomed_table(folder, names, same=same, what=what)
    return convert(
        table, folder, out, amplitude="calibrated", label=label, signal=signal, jobs=jobs, dask=dask
    )
