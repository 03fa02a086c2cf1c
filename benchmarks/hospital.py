"""Write what a hospital has: GE MUSE exports and a workbook of catheterisations, all invented."""

import datetime
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks.recording_files import EIGHT, UV_PER_COUNT, muse_files
from data_modules.linking.match import NO_FILE, NOT_CHOSEN, NOT_LISTED, OUTSIDE, REPLACED, SEX
from data_modules.simulation.cohort import draw_cohort
from data_modules.simulation.ecg import simulate_ecg
from data_modules.simulation.files import SYNTHETIC_COMMENT
from lsemvae.core.leads import lead_indices

SHARES = {
    "paced": 0.05, "no_file": 0.04, "outside": 0.05, "sex": 0.02, "undated": 0.02,
    "unlisted": 0.05, "no_id": 0.01, "second": 0.06, "duplicate": 0.04, "spikes": 0.02,
    "replaced": 0.02,
}  # fmt: skip
"""What is wrong with patients, and with which share of them; of the others nothing is."""

RATE_HZ = 250.0
SPIKE = np.rint(np.linspace(1.2, -0.6, len(EIGHT)) * 1000 / UV_PER_COUNT).astype(np.int16)
YOUNGEST = 40
RULES = f"""window:
  days: 30
  when: nearest
exclude:
  - reason: paced rhythm
    paced: any
    replace: true
  - reason: younger than {YOUNGEST} years
    age_below: {YOUNGEST}
"""
OPTIONS = (
    "--columns.patient_id", "Pat.-Nr.", "--columns.rhc_date", "Datum", "--columns.sex",
    "Geschlecht", "--columns.mpap_mmhg", "mPAP", "--columns.pawp_mmhg", "PAWP",
    "--columns.age_years", "Alter", "--ids.leading_zeros", "true", "--ids.blanks", "true",
    "--sheet", "Katheter",
)  # fmt: skip
_FIRST = ("Wilhelmine", "Balthasar", "Kunigunde", "Ottokar", "Philippine", "Leberecht")
_LAST = ("Quastenflosser", "Zwiebelbein", "Grummelfink", "Habichtswald", "Drosselbart")


class Person(NamedTuple):
    """An invented patient; every field but the id is planted to be found nowhere."""

    number: int
    first: str
    last: str
    street: str
    born: datetime.date
    operator: str
    remark: str

    @property
    def tokens(self) -> list[str]:
        """Return what no output may hold: names, id, address, birth date in two forms, remark."""
        return [f"{self.number}", self.first, self.last, self.street, self.operator, self.remark,
                f"{self.born}", f"{self.born:%m-%d-%Y}", f"{self.born:%d.%m.%Y}"]  # fmt: skip


def write_hospital(out: Path, *, n_files: int = 900, seed: int = 0) -> dict[str, int]:
    """Write `exports/`, `catheter.xlsx`, `rules.yaml`, and the truth: `truth.json`, `tokens.txt`.

    Args:
        out: folder to write to.
        n_files: MUSE files.
        seed: the same seed gives the same files.

    Returns:
        The truth: reasons and steps of the flow with their counts.
    """
    rng = np.random.default_rng(seed)
    two = SHARES["second"] + SHARES["duplicate"] + SHARES["replaced"]
    n = round(n_files / (1 - SHARES["no_file"] + two))
    fates = _fates(n, n_files, rng)
    cohort = draw_cohort(n, difficulty=0.4, rng=rng)
    ecg = simulate_ecg(cohort.patients, sampling_rate_hz=RATE_HZ, rng=rng)
    counts = np.rint(ecg[:, lead_indices(EIGHT)] * (1000 / UV_PER_COUNT)).astype(np.int16)
    people = [_person(i, row, rng) for i, row in enumerate(cohort.table.itertuples())]
    for i, (person, fate) in enumerate(zip(people, fates, strict=True)):
        _write_patient(out / "exports", person, fate, cohort.table.iloc[i], counts[i])
    listed = [i for i, fate in enumerate(fates) if fate != "unlisted"]
    _write_workbook(out / "catheter.xlsx", cohort.table, people, listed)
    (out / "rules.yaml").write_text(RULES)
    (out / "tokens.txt").write_text("\n".join(t for one in people for t in one.tokens) + "\n")
    truth = _truth(fates, cohort.table["age_years"].to_numpy(), n_files)
    (out / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")
    return truth


def _fates(n: int, n_files: int, rng: np.random.Generator) -> list[str]:
    sizes = {name: max(1, round(share * n)) for name, share in SHARES.items()}
    sizes["duplicate"] = n_files - n + sizes["no_file"] - sizes["second"] - sizes["replaced"]
    fates = [name for name, size in sizes.items() for _ in range(size)]
    return list(rng.permutation([*fates, *["plain"] * (n - len(fates))]))


def _person(i: int, row: object, rng: np.random.Generator) -> Person:
    days = int(float(row.age_years) * 365.25) + 40  # type: ignore[attr-defined]
    born = datetime.date.fromisoformat(row.rhc_date) - datetime.timedelta(days=days)  # type: ignore[attr-defined]
    return Person(
        number=40_000_000 + 997 * i + int(rng.integers(0, 900)),
        first=f"{_FIRST[i % len(_FIRST)]}x{i}",
        last=f"{_LAST[i % len(_LAST)]}q{i}",
        street=f"Kastanienalleeweg{i} {i % 90 + 1}",
        born=born,
        operator=f"Assistentin{i}Mumpitz",
        remark=f"Rueckruf bei Tochter {i} erbeten",
    )


def _write_patient(
    folder: Path, person: Person, fate: str, row: pd.Series, counts: np.ndarray
) -> None:
    if fate == "no_file":
        return
    catheter = datetime.date.fromisoformat(row["rhc_date"])
    before = (catheter - datetime.date.fromisoformat(row["ecg_date"])).days
    nearer = -min(before, 27)
    days = {"outside": -200, "second": nearer, "replaced": nearer}.get(fate, -before)
    taken = catheter + datetime.timedelta(days=days)
    without_spikes = counts
    if fate in ("spikes", "replaced"):
        counts = counts.copy()
        counts[:, 40 :: round(0.8 * RATE_HZ)] += SPIKE[:, None]
    _write_file(
        folder / f"{person.last}_{person.number}_a.xml",
        person,
        fate,
        row,
        taken=taken,
        counts=counts,
    )
    if fate == "duplicate":
        _write_file(
            folder / f"copy/{person.last}_b.xml", person, fate, row, taken=taken, counts=counts
        )
    if fate in ("second", "replaced"):
        earlier = taken - datetime.timedelta(days=2)
        more = without_spikes + 1
        _write_file(folder / f"{person.last}_c.xml", person, fate, row, taken=earlier, counts=more)


def _write_file(
    path: Path, person: Person, fate: str, row: pd.Series, *, taken: datetime.date,
    counts: np.ndarray,
) -> None:  # fmt: skip
    spelt = f"00{person.number}"
    spelt = f"{spelt[:4]} {spelt[4:]}" if person.number % 4 == 0 else spelt
    sex = {"F": "FEMALE", "M": "MALE"}
    stated = sex["M" if row["sex"] == "F" else "F"] if fate == "sex" else sex[row["sex"]]
    said = ["Electronic ventricular pacemaker" if fate == "paced" else "Normal sinus rhythm",
            SYNTHETIC_COMMENT]  # fmt: skip
    statements = "".join(
        f"<DiagnosisStatement><StmtText>{line}</StmtText></DiagnosisStatement>" for line in said
    )
    date = "02-31-2019" if fate == "undated" else f"{taken:%m-%d-%Y}"
    head = (
        f"<PatientDemographics><PatientID>{'' if fate == 'no_id' else spelt}</PatientID>"
        f"<DateofBirth>{person.born:%m-%d-%Y}</DateofBirth><Gender>{stated}</Gender>"
        f"<PatientLastName>{person.last}</PatientLastName>"
        f"<PatientFirstName>{person.first}</PatientFirstName></PatientDemographics>"
        f"<TestDemographics><AcquisitionDevice>MAC55</AcquisitionDevice>"
        f"<AcquisitionTime>09:{person.number % 60:02d}:00</AcquisitionTime>"
        f"<AcquisitionDate>{date}</AcquisitionDate><Location>{person.street}</Location>"
        f"<AcquisitionTechLastName>{person.operator}</AcquisitionTechLastName>"
        f"<TestReason>{person.remark}</TestReason></TestDemographics>"
        "<RestingECGMeasurements><VentricularRate>70</VentricularRate>"
        f"<QRSDuration>{90 + person.number % 40}</QRSDuration><RAxis>{person.number % 90}</RAxis>"
        f"</RestingECGMeasurements><Diagnosis>{statements}</Diagnosis>"
    )
    text = muse_files(counts, rate=RATE_HZ)["r1.xml"].decode("latin-1")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.replace("<RestingECG>", f"<RestingECG>{head}", 1).encode("latin-1"))


def _write_workbook(
    path: Path, table: pd.DataFrame, people: list[Person], listed: list[int]
) -> None:
    from openpyxl import Workbook

    book = Workbook()
    legend = book.active
    legend.title = "Legende"
    legend.append(["Druecke in mmHg"])
    sheet = book.create_sheet("Katheter")
    sheet.append(["Pat.-Nr.", "Name", "Vorname", "Geb.", "Adresse", "Datum", "Geschlecht", "mPAP",
                  "PAWP", "Alter", "Bemerkung"])  # fmt: skip
    for i in listed:
        person, row = people[i], table.iloc[i]
        catheter = datetime.datetime.fromisoformat(row["rhc_date"])
        sheet.append([person.number, person.last, person.first, f"{person.born:%d.%m.%Y}",
                      person.street, catheter, "w" if row["sex"] == "F" else "m",
                      int(row["mpap_mmhg"]), int(row["pawp_mmhg"]), float(row["age_years"]),
                      person.remark])  # fmt: skip
    book.save(path)


def _truth(fates: list[str], ages: np.ndarray, n_files: int) -> dict[str, int]:
    """Count from what was planted, knowing nothing of the program's flow."""
    n = {fate: fates.count(fate) for fate in {*SHARES, "plain"}}
    paced = ("paced", "spikes")
    kept = ("plain", "second", "duplicate", "replaced", *paced)
    paired = [fate in kept for fate in fates]
    young = sum(
        bool(pair and fate not in paced and age < YOUNGEST)
        for pair, fate, age in zip(paired, fates, ages, strict=True)
    )
    return {
        "files of the source folder": n_files,
        "no patient id in the file": n["no_id"],
        "no date of acquisition in the file, or a default": n["undated"],
        "the same recording as another file": n["duplicate"],
        NOT_LISTED: n["unlisted"],
        NOT_CHOSEN: n["outside"] + n["second"],
        "rows of the table": len(fates) - n["unlisted"],
        NO_FILE: n["no_file"] + n["undated"] + n["no_id"],
        OUTSIDE: n["outside"],
        SEX: n["sex"],
        "linked recordings": sum(paired),
        f"{REPLACED}: paced rhythm": n["replaced"],
        "paced rhythm": n["paced"] + n["spikes"],
        f"younger than {YOUNGEST} years": young,
        "recordings of the cohort": sum(paired) - n["paced"] - n["spikes"] - young,
    }
