"""Write small files in MIMIC-IV's and MIMIC-IV-ECG's exact layout."""

import csv
import gzip
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CHART = (
    "subject_id", "hadm_id", "stay_id", "caregiver_id", "charttime", "storetime", "itemid",
    "value", "valuenum", "valueuom", "warning",
)  # fmt: skip
PATIENTS = ("subject_id", "gender", "anchor_age", "anchor_year", "anchor_year_group", "dod")
ECGS = ("subject_id", "study_id", "file_name", "ecg_time", "path")
ITEMIDS = {"spap": 220059, "dpap": 220060, "mpap": 220061, "pawp": 223771}


@dataclass
class MimicFiles:
    """Rows of the three tables; a time is `DD HH:MM` of March 2150."""

    chart: list[Sequence[Any]] = field(default_factory=list)
    patients: list[Sequence[Any]] = field(default_factory=list)
    ecgs: list[Sequence[Any]] = field(default_factory=list)

    def read(
        self,
        subject: int,
        time: str,
        item: str,
        value: float | str,
        *,
        stay: int | None = None,
        unit: str = "mmHg",
        warning: int = 0,
    ) -> None:
        """Chart one value."""
        stay = 30_000_000 + subject % 1000 if stay is None else stay
        stamp = f"2150-03-{time}:00"
        self.chart.append(
            (subject, 20_000_000, stay, 123, stamp, stamp, ITEMIDS[item], value, value, unit,
             warning)
        )  # fmt: skip

    def pressures(
        self, subject: int, time: str, spap: float, mpap: float, dpap: float, **options: Any
    ) -> None:
        """Chart a complete set of pulmonary artery pressures."""
        for item, value in (("spap", spap), ("mpap", mpap), ("dpap", dpap)):
            self.read(subject, time, item, value, **options)

    def patient(self, subject: int, gender: str = "F", age: int = 60, year: int = 2148) -> None:
        """List a patient."""
        self.patients.append((subject, gender, age, year, "2014 - 2016", ""))

    def ecg(self, subject: int, time: str, study: int) -> None:
        """List a recording."""
        path = f"files/p{str(subject)[:4]}/p{subject}/s{study}/{study}"
        self.ecgs.append((subject, study, study, f"2150-03-{time}:00", path))

    def write(self, folder: Path, *, zipped: bool = True) -> Path:
        """Write `iv/icu`, `iv/hosp` and `ecg`, and return the folder."""
        suffix = ".csv.gz" if zipped else ".csv"
        write_csv(folder / f"iv/icu/chartevents{suffix}", CHART, self.chart)
        write_csv(folder / f"iv/hosp/patients{suffix}", PATIENTS, self.patients)
        write_csv(folder / "ecg/record_list.csv", ECGS, self.ecgs)
        return folder


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Write a table, gzipped if its name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    opener: Any = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
