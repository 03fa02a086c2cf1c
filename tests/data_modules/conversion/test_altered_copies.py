"""Copies of a recording under other patients: scaled, noisy, shifted, cut; and other hearts."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from data_modules.conversion.altered_copies import SAMPLE, altered_copies
from data_modules.conversion.prepare import prepare_cohort
from data_modules.dataset import EcgPool
from data_modules.near_copies import tell_altered_copies
from data_modules.signals.likeness import N_NUMBERS, fingerprints, likeness, pack, unpack
from tests.data_modules.conftest import WriteRecord

RATE_HZ = 250.0
Counts = npt.NDArray[np.float64]


def hearts(n: int, seed: int = 0) -> Counts:
    """Return the ECGs of n people, (n, 12, 2500): their own waves, rates and noise."""
    random = np.random.default_rng(seed)
    time = np.arange(2500) / RATE_HZ
    ecg = np.zeros((n, 12, len(time)))
    for i in range(n):
        height, width = random.normal(0, 700, (5, 12)), random.uniform(0.012, 0.06, 5)
        beats = np.cumsum(random.normal(random.uniform(0.6, 1.1), 0.03, 20))
        for wave, place in enumerate((-0.18, -0.03, 0.0, 0.03, 0.28)):
            shape = np.exp(-(((time[:, None] - beats - place) / width[wave]) ** 2) / 2).sum(1)
            ecg[i] += height[wave][:, None] * shape
        ecg[i] += random.normal(0, 15, ecg[i].shape)
    return ecg


def cut(ecg: Counts) -> Counts:
    return np.pad(ecg[:, 250:], ((0, 0), (0, 250)))


ALTERED = {
    "scaled": lambda ecg: 1.0003 * ecg,
    "another gain": lambda ecg: 0.4 * ecg,
    "noisy": lambda ecg: ecg + np.random.default_rng(9).normal(0, 2, ecg.shape),
    "shifted": lambda ecg: np.roll(ecg, 3, axis=1),
    "cut": cut,
}


def told(ecg: Counts, patient: list[str]) -> tuple[dict[int, str], tuple[str, ...]]:
    counts = np.rint(ecg).astype(np.int16)
    table = pd.DataFrame({"record": [f"r{i}" for i in range(len(ecg))], "patient_id": patient})
    marks = np.stack([unpack(pack(one)) for one in fingerprints(counts, sampling_rate_hz=RATE_HZ)])
    digests = np.array([f"{hash(one.tobytes())}"[-9:].encode() for one in counts])
    doubts, said = altered_copies(table, digests, marks, lambda row: counts[row])
    return {at: reasons[0][1] for at, reasons in doubts.items()}, said


@pytest.mark.parametrize("how", ALTERED)
def test_an_altered_copy_under_another_patient_is_told_by_both_names(how: str) -> None:
    ecg = hearts(4)
    ecg[3] = ALTERED[how](ecg[1])
    found, (said,) = told(ecg, ["a", "b", "c", "d"])
    assert set(found) == {1, 3}
    assert found[1].startswith("nearly the signal of r3 of patient d (correlation 0.9") or (
        found[1].startswith("nearly the signal of r3 of patient d (correlation 1.0")
    )  # fmt: skip
    assert "nearly the signal of r1 of patient b" in found[3]
    assert said.startswith("1 pair of recordings under different patients are nearly the same")
    assert told(ecg, ["a", "b", "c", "b"]) == ({}, ())  # one patient


def test_other_hearts_and_another_recording_of_a_heart_are_not_told() -> None:
    ecg = hearts(40)
    assert told(ecg, [str(i) for i in range(40)]) == ({}, ())
    beats = np.roll(ecg[0], 400, axis=1)
    beats[:, :1100] = np.roll(ecg[0], -150, axis=1)[:, :1100]  # the same waves, another rhythm
    assert likeness(ecg[0].astype(np.int16), beats.astype(np.int16)) < 0.98


def test_recordings_that_do_not_move_have_no_fingerprint() -> None:
    still = fingerprints(np.zeros((1, 12, 300), np.int16), sampling_rate_hz=RATE_HZ)
    assert pack(still[0]) == ""
    assert np.isnan(unpack("")).all()


def test_prepare_tells_a_copy_and_stores_both_and_a_cross_validation_repeats_it(
    write_record: WriteRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ecg = hearts(3) / 1000
    ecg[2] = 1.0003 * ecg[0]
    for number, one in enumerate(ecg):
        write_record(f"s/{number}", one)
    (tmp_path / "t.csv").write_text("record,patient_id\n0,a\n1,b\n2,c\n")
    summary = prepare_cohort(str(tmp_path / "t.csv"), str(tmp_path / "s"), str(tmp_path / "o.h5"))
    assert summary.accepted == 3
    assert summary.warnings["signal_alike"] == 2
    assert "nearly the signal of 2 of patient c" in summary.quarantine.read_text()
    assert any("1 pair of recordings" in one for one in summary.doubts)
    capsys.readouterr()
    tell_altered_copies(EcgPool([str(tmp_path / "o.h5")]))
    told = "warning: 2 recordings are nearly the same as one of another patient"
    assert told in " ".join("".join(capsys.readouterr()).split())


def test_recordings_like_many_others_are_counted_and_not_compared() -> None:
    """Among 40,000 such the search took 25 s, and every pair of them was laid over one another."""
    random, ecg = np.random.default_rng(0), np.rint(hearts(1)[0]).astype(np.int16)
    crowd = 0.2 + random.normal(0, 0.005, (2 * SAMPLE, N_NUMBERS))
    alone = random.normal(0, 1, (3, N_NUMBERS))
    marks = np.concatenate([crowd, alone, alone[:1] + 0.001]).astype(np.float32)
    names = [f"r{i}" for i in range(len(marks))]
    digests, asked = np.array([name.encode() for name in names]), []

    def read(row: int) -> npt.NDArray[np.int16]:
        asked.append(row)
        return ecg

    table = pd.DataFrame({"record": names, "patient_id": names})
    doubts, said = altered_copies(table, digests, marks, read)
    assert set(doubts) == set(asked) == {2 * SAMPLE, 2 * SAMPLE + 3}
    assert said[-1].startswith("4,000 recordings have nearly the same leads as many others")
