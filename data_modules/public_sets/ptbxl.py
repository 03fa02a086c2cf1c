"""Run `prepare ptbxl`: PTB-XL (Wagner et al. 2020, doi:10.1038/s41597-020-0495-6) as published.

What it needs is imported when it runs, so that its help appears at once.
"""

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from data_modules.conversion.quarantine import ConversionSummary
from data_modules.signals.settings import SignalSettings
from lsemvae.core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_SIGNAL = SignalSettings()
WHAT = "the folder of PTB-XL that holds ptbxl_database.csv and scp_statements.csv"
DATABASE = ("ecg_id", "patient_id", "age", "sex", "scp_codes", "strat_fold", "filename_lr",
            "filename_hr")  # fmt: skip
STATEMENTS = ("diagnostic", "form", "rhythm", "diagnostic_class", "diagnostic_subclass")
SEX = {"0": "M", "1": "F", "0.0": "M", "1.0": "F"}
OLDEST = 89.0
"""Ages above are published as 300, to hide them; they are left empty."""
FOLD = "official_fold"


def prepare_ptbxl(
    source: str,
    out: str,
    *,
    files: Literal["hr", "lr"] = "hr",
    signal: SignalSettings = DEFAULT_SIGNAL,
    label: str = "PTB-XL",
    jobs: int = 1,
    dask: str | None = None,
) -> ConversionSummary:
    """Read PTB-XL into a store: labels by its statements, its folds, its patients.

    Labels are columns of 0 and 1: `super_MI` (diagnostic superclass), `sub_IRBBB` (subclass),
    `form_LVOLT` and `rhythm_AFIB`. Where a recording has no diagnostic, form or rhythm statement at
    all, the labels of that kind are missing, never 0. `official_fold` holds the published folds 1
    to 10: `lsemvae cv --fold_column official_fold --folds 10`.

    Args:
        source: the folder that holds ptbxl_database.csv, scp_statements.csv and records500/.
        out: the store to write, e.g. data/ptbxl.h5.
        files: hr takes the recordings at 500 Hz, lr those at 100 Hz.
        signal: how the signals are checked, filtered and cut.
        label: the data's name in captions and reports.
        jobs: processes; -1 takes one for each core.
        dask: address of a Dask scheduler whose workers convert instead.

    Returns:
        The store, the quarantine list, and what became of the recordings.

    Raises:
        InputError: a file or column of the official layout is missing, or a cell is damaged.
    """
    from data_modules.conversion.convert import convert

    folder = Path(source)
    table = ptbxl_table(folder, files)
    return convert(
        table, folder, Path(out), amplitude="calibrated", label=label, signal=signal, jobs=jobs,
        dask=dask,
    )  # fmt: skip


def ptbxl_table(folder: Path, files: Literal["hr", "lr"]) -> "pd.DataFrame":
    """Return record, patient_id, age_years, sex, official_fold and the labels of every recording.

    Raises:
        InputError: as `prepare_ptbxl`.
    """
    import pandas as pd

    from data_modules.public_sets.csv_file import (
        numbers_of,
        read_text_table,
        whole_number,
        words_of,
    )

    database, statements = folder / "ptbxl_database.csv", folder / "scp_statements.csv"
    table = read_text_table(database, DATABASE, WHAT)
    codes = _statements(read_text_table(statements, STATEMENTS, WHAT))
    age = numbers_of(table["age"], database)
    given = pd.DataFrame({
        "record": table[f"filename_{files}"],
        "patient_id": whole_number(table["patient_id"], database),
        "age_years": age.where(age <= OLDEST),
        "sex": words_of(table["sex"], SEX, database),
        FOLD: numbers_of(table["strat_fold"], database),
    })  # fmt: skip
    without = table["ecg_id"][(given["patient_id"] == "") | given[FOLD].isna()]
    if len(without):
        raise InputError(f"{database}: ecg_id {without.iloc[0]} has no patient_id or strat_fold")
    told = [_codes_of(text, ecg_id, database) for ecg_id, text in
            zip(table["ecg_id"], table["scp_codes"], strict=True)]  # fmt: skip
    return pd.concat([given, _labels(told, codes, database)], axis=1)


def _statements(table: "pd.DataFrame") -> dict[str, dict[str, str]]:
    """Return for each statement the label of every kind that it gives, by its code."""
    code = table.iloc[:, 0]
    kinds = {
        "super": table["diagnostic_class"].where(_is_one(table["diagnostic"]), ""),
        "sub": table["diagnostic_subclass"].where(_is_one(table["diagnostic"]), ""),
        "form": code.where(_is_one(table["form"]), ""),
        "rhythm": code.where(_is_one(table["rhythm"]), ""),
    }
    return {
        name: {kind: column.iloc[row] for kind, column in kinds.items() if column.iloc[row]}
        for row, name in enumerate(code)
    }


def _is_one(column: "pd.Series") -> "pd.Series":
    return column.isin(["1", "1.0"])


def _codes_of(text: str, ecg_id: str, file: Path) -> list[str]:
    """Return the statements of a recording, whatever likelihood they are given."""
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError) as error:
        raise InputError(
            f"{file}: scp_codes of ecg_id {ecg_id} are damaged ({text[:60]})"
        ) from error
    if not isinstance(found, Mapping):
        raise InputError(f"{file}: scp_codes of ecg_id {ecg_id} are no mapping ({text[:60]})")
    return [str(code) for code in found]


def _labels(
    told: list[list[str]], codes: Mapping[str, Mapping[str, str]], file: Path
) -> "pd.DataFrame":
    """Return a column of 1, 0 and missing for each label of each kind that occurs."""
    import pandas as pd

    unknown = sorted({code for one in told for code in one} - set(codes))
    if unknown:
        raise InputError(
            f"{file} has statements that scp_statements.csv does not know: {', '.join(unknown[:5])}"
        )
    columns: dict[str, pd.Series] = {}
    for kind in ("super", "sub", "form", "rhythm"):
        found = [{codes[code][kind] for code in one if kind in codes[code]} for one in told]
        for name in sorted(set().union(*found)):
            columns[f"{kind}_{name}"] = pd.Series(
                [float(name in one) if one else float("nan") for one in found]
            )
    return pd.DataFrame(columns)
