"""Recordings that are partly spoilt: `prepare` and `view` say what no heart gives."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from benchmarks.recording_files import make_counts
from data_modules.signals.heart_doubts import heart_doubts
from data_modules.signals.sample_faults import sample_faults
from data_modules.simulation.ecg import simulate_ecg
from data_modules.simulation.heart import draw_patients
from lsemvae.cli import main
from lsemvae.core.leads import LEADS

Ecg = npt.NDArray[np.float64]
RATE, N = 500, 5000
TIME = np.arange(N) / RATE
ALL = np.ones(12, dtype=np.bool_)


def heart(beats: float = 66.0) -> Ecg:
    """Return one simulated recording in whole counts of 1 uV, (12, T)."""
    rng = np.random.default_rng(round(beats))
    one = np.ones(1)
    patients = draw_patients(
        beats * one, rv_strain=0 * one, left_strain=0 * one, age_years=60 * one,
        atrial_fibrillation=np.zeros(1, dtype=np.bool_), rng=rng,
    )  # fmt: skip
    ecg = simulate_ecg(patients, sampling_rate_hz=RATE, duration_s=10, rng=rng)[0]
    return np.asarray(np.rint(ecg.astype(np.float64) * 1000))


def filled(value: float, first_s: float, last_s: float, *leads: str) -> Callable[[Ecg], Ecg]:
    """Return what writes one value into a part of some leads, or of all."""
    rows = [LEADS.index(lead) for lead in leads] or slice(None)

    def fill(ecg: Ecg) -> Ecg:
        ecg[rows, int(first_s * RATE) : int(last_s * RATE)] = value
        return ecg

    return fill


def in_turn(ecg: Ecg) -> Ecg:
    """Return 2.5 s of three leads at a time, as on a printout."""
    return ecg * np.stack([(TIME // 2.5).astype(int) == k // 3 for k in range(12)])


def put(lead: str, signal: Callable[[Ecg], Ecg]) -> Callable[[Ecg], Ecg]:
    def change(ecg: Ecg) -> Ecg:
        ecg[LEADS.index(lead)] = signal(ecg)
        return ecg

    return change


def arms(ecg: Ecg) -> Ecg:
    """Return what is recorded with the two arm electrodes exchanged."""
    return np.stack([-ecg[0], ecg[2], ecg[1], ecg[4], ecg[3], *ecg[5:]])


# spoilt by, sampling rate in the header, what is told
CASES: dict[str, tuple[Callable[[Ecg], Ecg], int, str, str]] = {
    "sound": (lambda ecg: ecg, RATE, "", ""),
    "zeros at the start": (filled(0, 0, 1), RATE, "samples_filled", "all leads"),
    "zeros in the middle": (filled(0, 4, 4.3), RATE, "samples_filled", "to 4.298 s"),
    "minus one at the end": (filled(-1, 7, 10), RATE, "samples_filled", "to 9.998 s"),
    "one lead stands": (filled(35, 3, 5, "V4"), RATE, "samples_filled", "V4 stands still 3"),
    "a copy": (put("V2", lambda ecg: ecg[6]), RATE, "leads_identical", "V1 and V2"),
    "cut off": (lambda ecg: np.clip(ecg, -300, 300), RATE, "lead_clipped", "at 0.3"),
    "spikes": (put("V5", lambda ecg: ecg[10] + 8000 * (TIME % 1.5 == 1)), RATE, "spikes", "V5 "),
    "in turn": (in_turn, RATE, "no_usable_lead", "2.5 to 5 s aVR, aVL, aVF"),
    "arms": (arms, RATE, "arm_leads_doubtful", "I runs against V5"),
    "wrong rate": (lambda ecg: ecg, 250, "rate_doubtful", "is the sampling rate right?"),
}


def write(folder: Path, name: str, ecg: Ecg, rate: float) -> None:
    counts = np.rint(ecg).astype("<i2")
    lines = [f"{name} 12 {rate} {counts.shape[1]}"]
    lines += [
        f"{name}.dat 16 1000(0)/mV 16 0 {row[0]} {row.sum(dtype=np.int64) % 65536} 0 {lead}"
        for lead, row in zip(LEADS, counts, strict=True)
    ]
    (folder / f"{name}.hea").write_text("\n".join(lines))
    (folder / f"{name}.dat").write_bytes(counts.T.tobytes())


def test_prepare_tells_what_is_spoilt_and_keeps_quiet_about_what_is_sound(tmp_path: Path) -> None:
    rows = []
    for i, (change, rate, _, _) in enumerate(CASES.values()):
        long = np.concatenate([heart(beats) for beats in (66, 67, 68)], axis=1)
        ecg = change(heart()) if rate == RATE else change(long)
        write(tmp_path, f"r{i}", ecg, rate)
        rows.append(f"r{i},P")  # one patient: some are copies of others
    (tmp_path / "t.csv").write_text("\n".join(["record,patient_id", *rows]))
    out = tmp_path / "s.h5"
    arguments = ["--table", str(tmp_path / "t.csv"), "--source", str(tmp_path), "--out", str(out)]
    assert main(["prepare", "cohort", *arguments]) == 0
    listed = pd.read_csv(f"{out}.quarantine.csv", dtype=str).fillna("")
    for i, (name, (_, _, code, text)) in enumerate(CASES.items()):
        own = listed[listed["record"] == f"r{i}"]
        told = own[own["code"] == code]["message"].tolist()
        if code:
            assert any(text in one for one in told), (name, own.to_dict("records"))
        else:
            assert own.empty


def test_view_tells_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, "r1", arms(filled(0, 4, 5)(heart())), RATE)
    assert main(["view", str(tmp_path / "r1"), "--out", str(tmp_path / "r1.png")]) == 0
    said = capsys.readouterr().out
    assert "samples_filled: all leads stand still at once" in said
    assert "arm_leads_doubtful" in said


def test_an_ideal_signal_rests_between_its_beats_without_a_word() -> None:
    ideal = make_counts(n_samples=N, rate=RATE) * np.float32(0.005)
    assert list(sample_faults(ideal, ALL, RATE, in_mv=True)) == []
    padded = ideal.copy()
    padded[:, 2500:3500] = 0
    assert [code for code, _ in sample_faults(padded, ALL, RATE, in_mv=True)] == ["samples_filled"]


def test_steps_of_a_coarse_converter_are_no_clipped_peaks() -> None:
    coarse = (np.round(heart() / 20) * 0.02).astype(np.float32)
    assert list(sample_faults(coarse, ALL, RATE, in_mv=True)) == []


@pytest.mark.parametrize("n_leads", [0, 1, 3, 12])
def test_few_leads_and_flat_ones_raise_nothing(n_leads: int) -> None:
    present = np.arange(12) < n_leads
    flat = np.zeros((2, 12, N), dtype=np.int16)
    assert heart_doubts(flat, np.stack([present, present]), sampling_rate_hz=RATE) == [(), ()]


def test_hearts_of_any_usual_rate_raise_no_doubt() -> None:
    ecg = np.stack([heart(beats) for beats in np.linspace(45, 150, 12)]).astype(np.int16)
    found = heart_doubts(ecg, np.ones((12, 12), dtype=np.bool_), sampling_rate_hz=RATE)
    assert [one for one in found if one] == []
