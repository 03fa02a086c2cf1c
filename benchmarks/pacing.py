"""Measure the detector of pacing spikes on real recordings: `python -m benchmarks.pacing`.

The environment variable ECG_CORPORA names the folder of the recordings. Without a pacemaker: 600 of
the CinC challenge 2011 and 50 of that of 2021 (mV), and 190 of LUDB (each lead scaled to a span of
1). With one: 10 of LUDB by its annotators. Spikes are planted into the first recordings of the CinC
challenge 2011 that are called acceptable.
"""

import argparse
import os
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from math import gcd
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.signal import butter, resample_poly, sosfilt

from benchmarks.pages import update
from data_modules.reading.amplitude import Amplitude
from data_modules.reading.read import read_recording
from data_modules.reading.reasons import RecordError
from data_modules.signals.pacing import find_spikes
from lsemvae.core.leads import LEADS

PAGE = Path("docs/study.md")
PROGRAM = "benchmarks.pacing"
# Recordings of the CinC challenge 2011, which has no labels of pacing, that show spikes before wide
# QRS complexes (2675532: before P waves) when they are looked at.
PACED_BY_EYE = frozenset({
    "1508620", "2103996", "2325916", "2568209", "2776665", "2800977", "1320361", "1854368",
    "1962761", "2362692", "2462572", "2675532",
})  # fmt: skip
AMPLITUDES_MV, WIDTHS_MS, RATES_HZ = (1.0, 2.0, 5.0), (0.4, 1.0, 2.0), (250, 500, 1000)
STIMULI_HZ = 32_000
BAND_HZ = 150.0
N_PLANTED = 100
TOLERANCE_S = 0.01


class Found(NamedTuple):
    """A real recording: its name, leads (L, T) in mV, rate, and whether it is paced."""

    name: str
    ecg: npt.NDArray[np.float32]
    rate_hz: float
    paced: bool


def read_all(corpora: Path) -> tuple[list[Found], list[Found], list[Found]]:
    """Return the recordings without labels of pacing, LUDB's, and the acceptable ones."""
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(corpora / "cinc2011/seta_dev.tar.xz") as file:
            file.extractall(folder, filter="data")
        table = pd.read_csv(corpora / "cinc2011/labels_dev.csv", dtype={"record": str})
        good = set(table["record"][table["quality"] == "acceptable"])
        first = _read(Path(folder), table["record"], "calibrated", PACED_BY_EYE)
    second = sorted(path.stem for path in (corpora / "cinc2021").glob("*.hea"))
    plain = first + _read(corpora / "cinc2021", second, "calibrated", frozenset())
    ludb = pd.read_csv(corpora / "ludb/ludb.csv", dtype={"ID": str})
    paced = frozenset(ludb["ID"][ludb["Cardiac pacing"].notna()])
    labelled = _read(corpora / "ludb/data", ludb["ID"], "arbitrary", paced)
    return plain, labelled, [one for one in first if one.name in good and not one.paced]


def _read(
    root: Path, names: Sequence[str], amplitude: Amplitude, paced: frozenset[str]
) -> list[Found]:
    found = []
    for name in names:
        try:
            one = read_recording(root, name, amplitude=amplitude)
        except RecordError:
            continue
        order = [one.leads.index(lead) for lead in LEADS if lead in one.leads]
        found.append(Found(name, one.ecg[order], one.sampling_rate_hz, name in paced))
    return found


def planted(
    ecg: npt.NDArray[np.floating], rate_hz: int, amplitude_mv: float, width_ms: float,
    rng: np.random.Generator,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:  # fmt: skip
    """Return a recording with 50 to 110 rectangular stimuli a minute, and their times (s).

    Each stimulus passes a low-pass filter of 150 Hz (0.4 of the rate, where that is less) before it
    is sampled, as in a recorder; its size over the leads is a dipole's of random direction in the
    limb leads and random in the chest leads.

    Args:
        ecg: of twelve leads in canonical order, (12, T), mV.
        rate_hz: of the recording.
        amplitude_mv: of the stimulus in the lead that has most of it, before the filter.
        width_ms: of the stimulus.
        rng: of times and directions.
    """
    step = STIMULI_HZ // rate_hz
    n_fine = round(0.1 * STIMULI_HZ) // step * step
    band = butter(2, min(BAND_HZ, 0.4 * rate_hz), fs=STIMULI_HZ, output="sos")
    angle = rng.uniform(0, 2 * np.pi)
    one, two = np.cos(angle), np.cos(angle - np.pi / 3)
    limbs = [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]
    leads = np.array([*limbs, *rng.uniform(-1, 1, 6)])
    leads *= amplitude_mv / np.abs(leads).max()
    times = np.arange(
        rng.uniform(0.2, 0.8), ecg.shape[1] / rate_hz - 0.2, 60 / rng.uniform(50, 110)
    )
    out = ecg.astype(np.float64)
    for time in times:
        start = int(time * rate_hz)
        pulse = np.zeros(n_fine)
        begin = round((time - start / rate_hz) * STIMULI_HZ)
        pulse[begin : begin + round(width_ms * 1e-3 * STIMULI_HZ)] = 1.0
        sampled = sosfilt(band, pulse)[::step]
        stop = min(start + len(sampled), ecg.shape[1])
        out[:, start:stop] += leads[:, None] * sampled[: stop - start]
    return out, times


def sensitivity(
    recordings: Sequence[Found], rate_hz: int, amplitude_mv: float, width_ms: float
) -> tuple[float, float]:
    """Return the share of planted spikes that are found, and of recordings found to be paced."""
    rng = np.random.default_rng(0)
    hits = total = paced = 0
    for one in recordings:
        divisor = gcd(rate_hz, round(one.rate_hz))
        ecg = one.ecg
        if rate_hz != one.rate_hz:
            ecg = resample_poly(ecg, rate_hz // divisor, round(one.rate_hz) // divisor, axis=-1)
        with_spikes, times = planted(ecg, rate_hz, amplitude_mv, width_ms, rng)
        found = find_spikes(with_spikes, rate_hz)
        distance = np.abs(found[:, None] - times - 0.5e-3 * width_ms)
        hits += int((distance.min(0, initial=np.inf) <= TOLERANCE_S).sum())
        total += len(times)
        paced += len(found) > 0
    return hits / total, paced / len(recordings)


def table(plain: Sequence[Found], labelled: Sequence[Found], good: Sequence[Found]) -> str:
    """Return what goes into the page."""
    real = [*plain, *labelled]
    flagged = {(one.name, one.rate_hz) for one in real if len(find_spikes(one.ecg, one.rate_hz))}
    sound = [one for one in real if not one.paced]
    false = sum((one.name, one.rate_hz) in flagged for one in sound)
    by_eye = [one for one in plain if one.paced]
    by_label = [one for one in labelled if one.paced]
    hit = [sum((one.name, one.rate_hz) in flagged for one in part) for part in (by_label, by_eye)]
    lines = [
        f"{len(sound)} real recordings without a pacemaker: {false} called paced, "
        f"{1000 * false / len(sound):.1f} false alarms per 1,000 recordings. With one: {hit[0]} of "
        f"{len(by_label)} by label (LUDB), {hit[1]} of {len(by_eye)} by eye (CinC 2011) found; the "
        "rule's constants were chosen on these recordings.",
        "",
        f"Stimuli planted into {len(good)} real recordings, 50 to 110 a minute; share of stimuli "
        "found / of recordings called paced:",
        "",
        "| stimulus | " + " | ".join(f"{rate} Hz" for rate in RATES_HZ) + " |",
        "|---|" + "---|" * len(RATES_HZ),
    ]
    for amplitude in AMPLITUDES_MV:
        for width in WIDTHS_MS:
            cells = [sensitivity(good, rate, amplitude, width) for rate in RATES_HZ]
            shown = " | ".join(f"{spikes:.3f} / {paced:.2f}" for spikes, paced in cells)
            lines.append(f"| {amplitude:g} mV, {width:g} ms | {shown} |")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and put the table into the page where asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n_planted", type=int, default=N_PLANTED)
    parser.add_argument("--update", action="store_true", help="write it into docs/study.md")
    arguments = parser.parse_args(argv)
    if "ECG_CORPORA" not in os.environ:
        print("error: ECG_CORPORA is not set; it names the folder of the recordings")
        return 2
    plain, labelled, good = read_all(Path(os.environ["ECG_CORPORA"]))
    twelve = [one for one in good if len(one.ecg) == len(LEADS)]
    made = table(plain, labelled, twelve[: arguments.n_planted])
    print(made)
    if arguments.update:
        update(PAGE, PROGRAM, made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
