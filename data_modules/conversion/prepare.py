"""Run `prepare mimic` and `prepare cohort`: recordings and a table become a store.

What they need is imported when they run, so that their help appears at once.
"""

import csv
from pathlib import Path

from data_modules.conversion.flow import carry_flow
from data_modules.conversion.quarantine import ConversionSummary
from data_modules.reading.amplitude import Amplitude
from data_modules.signals.settings import SignalSettings
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.instead import source_folder
from lsemvae.core.printable import say
from lsemvae.core.pseudonyms import is_pseudonym

DEFAULT_SIGNAL = SignalSettings()
RECORDINGS = "the recordings"  # lie below the source
_LIST = {"record": "path", "patient_id": "subject_id"}  # of record_list.csv, for each of our names
_LIST_IDS = ("study_id", "file_name", "ecg_time")


def prepare_mimic(
    source: str,
    out: str,
    *,
    signal: SignalSettings = DEFAULT_SIGNAL,
    limit: int | None = None,
    jobs: int = 1,
    dask: str | None = None,
    label: str = "MIMIC-IV-ECG",
) -> ConversionSummary:
    """Read a MIMIC-IV-ECG tree into a store.

    Recordings that are rejected, repaired or doubtful are listed in OUT.quarantine.csv. A run that
    was killed goes on where it was when it is started again.

    Args:
        source: the folder that holds record_list.csv and files/.
        out: the store to write, e.g. data/mimic.h5.
        signal: how the signals are checked, filtered and cut.
        limit: convert the first so many recordings only.
        jobs: processes; -1 takes one for each core.
        dask: address of a Dask scheduler whose workers convert instead, e.g. tcp://10.0.0.1:8786;
            they must see the folders under the same names.
        label: the data's name in captions and reports.

    Raises:
        InputError: a folder, file or option is wrong, or no recording was usable.
    """
    listing = source_folder(source, RECORDINGS) / "record_list.csv"
    if not listing.is_file():
        raise InputError(
            f"{source} holds no record_list.csv; source is the folder of MIMIC-IV-ECG that holds "
            "record_list.csv and files/"
        )
    if limit is not None and limit < 1:
        raise InputError(f"limit must be 1 or more, got {limit}; leave it out to convert all")
    names = _names_of_list(listing)
    from data_modules.cohort.table import read_cohort_table
    from data_modules.conversion.convert import convert

    table = read_cohort_table(listing, names, text=("study_id", "file_name")).table
    kept = [name for name in ("record", "patient_id", "study_id", "ecg_time") if name in table]
    table = table[kept].head(limit if limit is not None else len(table))
    for name in table.columns.intersection(["patient_id", "study_id"]):  # 10000032.0 of a program
        table[name] = table[name].str.replace(r"^(\d+)\.0+$", r"\1", regex=True)
    return convert(
        table,
        source_folder(source, RECORDINGS),
        Path(out),
        amplitude="calibrated",
        label=label,
        signal=signal,
        jobs=jobs,
        dask=dask,
    )


def _names_of_list(listing: Path) -> dict[str, str]:
    """Return for each of our names the list's own, which a database may have put in capitals.

    Raises:
        InputError: a column is missing that says whose and where the recordings are.
    """
    try:
        with listing.open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file), [])
    except (UnicodeDecodeError, csv.Error):
        return dict(_LIST)  # the reader of tables says what the file is
    found = {name.strip().casefold(): name for name in reversed(header)}
    lacking = [theirs for ours, theirs in _LIST.items() if theirs not in found]
    if lacking:
        raise InputError(
            f"{listing} lacks the columns {', '.join(lacking)}; it has {', '.join(header)[:300]}; "
            "take record_list.csv of MIMIC-IV-ECG as it was published"
        )
    also = {name: found[name] for name in _LIST_IDS if found.get(name, name) != name}
    return {ours: found[theirs] for ours, theirs in _LIST.items()} | also


def prepare_cohort(
    table: str,
    source: str,
    out: str,
    *,
    columns: dict[str, str] | None = None,
    sheet: str | None = None,
    distinct_ids: bool = False,
    patient_prefix: str = "",
    exclude: str | None = None,
    same_patient: str | None = None,
    amplitude: Amplitude = "calibrated",
    label: str | None = None,
    signal: SignalSettings = DEFAULT_SIGNAL,
    pseudonyms: bool = False,
    key: str | None = None,
    jobs: int = 1,
    dask: str | None = None,
) -> ConversionSummary:
    """Read a folder of recordings and a table of patients into a store.

    Recordings that are rejected, repaired or doubtful are listed in OUT.quarantine.csv. A run that
    was killed goes on where it was when it is started again.

    Args:
        table: the table, a CSV file or an Excel workbook (.xlsx) with one row for each recording:
            `record` (path below the source folder, without extension for WFDB, with it for the
            other kinds of files) and `patient_id`; for the two tasks of pulmonary
            hypertension mpap_mmhg and pawp_mmhg; optionally age_years, sex, bsa_m2,
            heart_rate_bpm, spap_mmhg, dpap_mmhg, ecg_date, rhc_date; other columns are kept too.
        source: the folder that the recordings lie in.
        out: the store to write, e.g. data/cohort.h5.
        columns: the table's own column names where they differ, for example
            --columns.record=ID --columns.patient_id=ID.
        sheet: of a workbook, where several have rows.
        distinct_ids: patient ids that differ only in case, blanks, leading zeros or as numbers are
            written (1 and 1.0, 007 and 7) are different people; without it they are refused.
        patient_prefix: put before every patient id, such as CLINIC-, so that your number 1012 is
            not taken for patient 1012 of the recordings that an encoder was trained on.
        exclude: CSV file with the column record: recordings of the table to leave out.
        same_patient: CSV file with the columns record and patient_id: whose the recording is; all
            recordings of the patient that it was under go along.
        amplitude: `calibrated` for recordings in mV, uV or V; `default_mv` to take WFDB leads
            without a unit as mV too; `arbitrary` for sets whose amplitudes mean nothing (z-scored,
            or scaled lead by lead).
        label: the data's name in captions and reports; the table's file name when left out.
        signal: how the signals are checked, filtered and cut.
        pseudonyms: the table is one of `lsemvae link`, whose records are pseudonyms of the files
            of the source folder; nothing of a file's name or words goes into any result.
        key: of the pseudonyms, as it was given to `lsemvae link`.
        jobs: processes; -1 takes one for each core.
        dask: address of a Dask scheduler whose workers convert instead.

    Raises:
        InputError: a folder, the table or an option is wrong, or no recording was usable.
    """
    from data_modules.cohort.identity import identity_columns, refuse_alike_ids, with_prefix
    from data_modules.cohort.table import MAX_LISTED, read_cohort_table
    from data_modules.cohort.twins import leave_out, merge_patients
    from data_modules.conversion.convert import convert

    cohort = read_cohort_table(table, columns, sheet=sheet)
    listed = cohort.table if exclude is None else leave_out(cohort.table, exclude)
    given = listed["patient_id"]
    listed = listed if same_patient is None else merge_patients(listed, same_patient)
    if not distinct_ids:
        refuse_alike_ids(listed["patient_id"], table)
    listed = listed.assign(patient_id=with_prefix(listed["patient_id"], patient_prefix))
    warnings = [*identity_columns(cohort.table), *cohort.warnings]
    for warning in warnings[:MAX_LISTED]:
        say(f"warning: {table}: {warning}")
    if len(warnings) > MAX_LISTED:
        say(f"warning: {table}: {counted(len(warnings), 'warning')} in all")
    records = listed["record"].tolist()
    if not pseudonyms:
        _refuse_pseudonyms(records, table, source)
    paths = _paths(records, source, out, key) if pseudonyms else None
    summary = convert(
        listed,
        source_folder(source, RECORDINGS),
        Path(out),
        amplitude=amplitude,
        label=Path(table).stem if label is None else label,
        signal=signal,
        jobs=jobs,
        dask=dask,
        subjects=given,
        paths=paths,
    )
    carry_flow(Path(table), summary)
    return summary


def _refuse_pseudonyms(records: list[str], table: str, source: str) -> None:
    """Refuse a table of `link` that is read as if its records were files.

    Raises:
        InputError: all records look like pseudonyms, and the first one is no file of the folder.
    """
    files = [Path(source) / f"{name}{end}" for name in records[:1] for end in ("", ".hea")]
    if files and all(map(is_pseudonym, records)) and not any(file.exists() for file in files):
        raise InputError(
            f"the records of {table} are pseudonyms of `lsemvae link`, such as {records[0]}; add "
            "--pseudonyms, and the --key that was given to it"
        )


def _paths(records: list[str], source: str, out: str, key: str | None) -> list[str]:
    """Return the files whose names `link` made a table's records of.

    Raises:
        InputError: there is no such key, or the source folder holds no such file for some of them.
    """
    from data_modules.linking.pseudonyms import open_key, paths_by_name

    secret = open_key(key, out=Path(out).parent, make=False)
    known = paths_by_name(source_folder(source, RECORDINGS), secret)
    lost = [record for record in records if record not in known]
    if lost:
        raise InputError(
            f"{len(lost)} of {counted(len(records), 'record')}, first {lost[0]}, are no pseudonyms "
            f"of files in {source}; give the folder and the key that `lsemvae link` was given"
        )
    return [known[record] for record in records]
