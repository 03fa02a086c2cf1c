"""`prepare mimic-rhc` chooses what a slow reference chooses, whatever the order of the rows."""

import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
from catheter_tables import A, cohort, flow
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mimic_files import MimicFiles


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(order=st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(order: random.Random) -> None:
    made = random_files(seed=3, n_patients=12)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cohort(made, folder)
        names = ("out.csv", "out.csv.patients.txt")
        before = [(folder / file).read_bytes() for file in names], flow(folder)
        for rows in (made.chart, made.patients, made.ecgs):
            order.shuffle(rows)
        cohort(made, folder)
        assert ([(folder / file).read_bytes() for file in names], flow(folder)) == before


def random_files(seed: int, n_patients: int) -> MimicFiles:
    """Chart patients with every kind of artefact, some without wedge or ECG."""
    rng = random.Random(seed)
    made = MimicFiles()
    for subject in range(A, A + n_patients):
        made.patient(subject, rng.choice("FM"), rng.randint(18, 91))
        for study in range(rng.randint(0, 4)):
            clock = f"{rng.randint(1, 20):02d} {rng.randint(0, 23):02d}:00"
            made.ecg(subject, clock, 10 * subject + study)
        for _ in range(rng.randint(1, 30)):
            time = f"{rng.randint(10, 12)} {rng.randint(8, 12):02d}:{rng.choice((0, 30)):02d}"
            stay = 10 * subject + rng.randint(0, 1)
            if rng.random() < 0.3:
                made.read(subject, time, "pawp", rng.randint(0, 40), stay=stay)
            base = rng.randint(5, 30)
            values = (2 * base + rng.randint(-20, 20), base + rng.randint(0, 12), base)
            made.pressures(subject, time, *values, stay=stay, warning=int(rng.random() < 0.05))
    return made


@pytest.mark.parametrize("seed", range(4))
def test_a_slow_reference_chooses_the_same(tmp_path: Path, seed: int) -> None:
    made = random_files(seed, n_patients=25)
    found = {
        row["patient_id"]: [
            row["record"], row["rhc_date"], row["mpap_mmhg"], row["pawp_mmhg"], row["spap_mmhg"],
            row["dpap_mmhg"],
        ]
        for row in cohort(made, tmp_path)
    }  # fmt: skip
    expected = slow_cohort(made)
    assert len(expected) > 5
    assert any(row[3] == "" for row in expected.values())
    assert any(row[3] != "" for row in expected.values())
    assert found == expected


def slow_cohort(made: MimicFiles) -> dict[str, list[str]]:
    """Apply the default rules by loops over moments, as the documentation states them."""
    from datetime import datetime, timedelta
    from statistics import median

    limits = {220059: (5, 200), 220060: (1, 100), 220061: (4, 120), 223771: (1, 60)}
    values: dict[Any, dict[int, set[float]]] = {}
    for row in made.chart:
        low, high = limits[row[6]]
        if row[10] == 0 and low <= float(row[8]) <= high:
            moment = (row[0], row[2], datetime.fromisoformat(row[4]))
            values.setdefault(moment, {}).setdefault(row[6], set()).add(float(row[8]))
    moments = {
        key: {item: median(found) for item, found in items.items()} for key, items in values.items()
    }

    def in_order(items: dict[int, float]) -> bool:
        return len(items.keys() - {223771}) == 3 and (
            items[220059] >= items[220061] >= items[220060]
        )

    best: dict[str, tuple[Any, list[str]]] = {}
    for (subject, stay, time), items in moments.items():
        near = [
            other
            for (who, where, when), other in moments.items()
            if (who, where) == (subject, stay) and abs(when - time) <= timedelta(hours=1)
        ]
        sets = [other for other in near if in_order(other)]
        if not sets:
            continue
        spap, dpap, mpap = (
            median(other[item] for other in sets) for item in (220059, 220060, 220061)
        )
        wedges = [other[223771] for other in near if 223771 in other]
        kinds = []
        if 223771 in items and median(wedges) <= mpap:
            kinds.append((False, f"{median(wedges):g}"))
        if in_order(items):
            kinds.append((True, ""))
        for without, pawp in kinds:
            for row in made.ecgs:
                gap = time - datetime.fromisoformat(row[3])
                if row[0] == subject and timedelta(0) <= gap <= timedelta(days=7):
                    rank = (without, time, stay, gap, row[4])
                    chosen = [row[4], str(time), f"{mpap:g}", pawp, f"{spap:g}", f"{dpap:g}"]
                    known = best.get(str(subject))
                    if known is None or rank < known[0]:
                        best[str(subject)] = (rank, chosen)
    return {subject: chosen for subject, (_, chosen) in sorted(best.items())}
