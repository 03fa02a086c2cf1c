"""Run `link`: a folder of exports and a hospital's table become a cohort."""

from dataclasses import asdict
from pathlib import Path
from typing import Literal

from data_modules.linking.id_rule import IdRule, tell_alike
from lsemvae.core.errors import InputError
from lsemvae.core.instead import source_folder
from lsemvae.core.joblib_backend import check_jobs
from lsemvae.core.one_writer import writing_alone
from lsemvae.core.printable import say

DEFAULT_IDS = IdRule()
COHORT, EXCEPTIONS = "cohort.csv", "exceptions.csv"


def link(
    source: str,
    table: str,
    out: str,
    *,
    columns: dict[str, str] | None = None,
    ids: IdRule = DEFAULT_IDS,
    window_days: int | None = None,
    when: Literal["nearest", "before", "after"] | None = None,
    ecgs: Literal["one", "all"] = "one",
    rules: str | None = None,
    sheet: str | None = None,
    encoding: str = "utf-8",
    table_dates: Literal["day_first", "month_first"] | None = None,
    file_dates: Literal["month_first", "day_first"] = "month_first",
    dates: Literal["shift", "keep", "drop"] = "shift",
    key: str | None = None,
    jobs: int = 1,
) -> None:
    """Join a folder of exports and a table into a cohort without identities.

    OUT gets cohort.csv for `prepare cohort`, exceptions.csv (who is not in it, why, what to do) and
    flow.json (counts). None of them holds a name, an id, a birth date or a file's name: records and
    patients have names made with a key that stays with you.

    Args:
        source: the folder of the exports, with any folders below it.
        table: CSV or Excel (.xlsx), a row for each catheterisation.
        out: the folder to write to.
        columns: the table's own column names, such as --columns.patient_id MRN
            --columns.rhc_date Date --columns.mpap_mmhg mPAP. A column that is named goes into the
            cohort; all others are left out.
        ids: which spellings of an id are one id.
        window_days: most days between recording and catheter; 30 where the rules say nothing else.
        when: nearest on both sides (default), or only before or after the catheter; the day itself
            counts.
        ecgs: one recording for each patient, or all in the window.
        rules: YAML file of who is not part of the study.
        sheet: of a workbook with several.
        encoding: of a CSV file, such as windows-1252.
        table_dates: which stands first in the table's dates, where its cells do not prove it.
        file_dates: which stands first in the dates of GE MUSE files; their maker's is the month.
        dates: shift puts all dates of a patient back by the same number of days, 1 to 365; keep
            leaves them; drop leaves out all but the days between recording and catheter.
        key: file of the key of the pseudonyms, made where it is missing; never pass it on. Your
            own by default.
        jobs: processes; -1 takes one for each core.

    Raises:
        InputError: a folder, the table or an option is wrong, or nobody is left.
    """
    from data_modules.linking.archive import read_archive, take_dated
    from data_modules.linking.eligibility import apply_rules, read_rules
    from data_modules.linking.outputs import Study, check_place, cohort_table, write_study
    from data_modules.linking.pseudonyms import open_key
    from data_modules.linking.replace import choose_window, match_by_rules, with_ages
    from data_modules.linking.sides import tell_sides
    from data_modules.linking.signal_measures import SignalMeasures
    from data_modules.linking.table import read_hospital_table

    check_jobs(jobs)
    folder, place = source_folder(source, "the exports"), Path(out)
    check_place(place, source=folder, read=(table, rules))
    if key is not None and Path(key).exists() and Path(key).samefile(table):
        raise InputError(f"the key {key} is the table; name a file of its own, which is made")
    known_rules = read_rules(rules)
    window = choose_window(known_rules, window_days, when, ecgs)
    secret = open_key(key, out=place, source=folder)
    hospital = read_hospital_table(
        Path(table), columns or {}, sheet=sheet, encoding=encoding, order=table_dates
    )
    for note in hospital.notes:
        say(f"note: {table}: {note}")
    archive = read_archive(folder, secret, order=file_dates, jobs=jobs)
    files, undated, copies = take_dated(archive)
    signals = SignalMeasures(folder, jobs)
    linked = match_by_rules(
        files, hospital.rows, ids, window,
        rules=known_rules, signals=signals, unusable=hospital.unusable,
    )  # fmt: skip
    doubts = tell_alike(linked.pairs["plain"], linked.pairs["row"])
    for note in [*doubts, *tell_sides(files, hospital.rows, ids, window, linked)]:
        say(f"note: {table}: {note}")
    left, excluded, undecided = apply_rules(known_rules, with_ages(linked.pairs), signals)
    options = {"window_days": window.days, "when": window.when, "ecgs": ecgs, "dates": dates,
               "ids": asdict(ids)}  # fmt: skip
    study = Study(
        archive, undated, copies, hospital, linked, excluded, undecided, known_rules, options
    )
    cohort = cohort_table(left, hospital.quantities, secret, dates)
    with writing_alone(place, wait=True):
        write_study(place, study, cohort, len(files))
