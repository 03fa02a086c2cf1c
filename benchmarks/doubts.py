"""Count what is told of public recordings, sound and made wrong: `python -m benchmarks.doubts`.

ECG_CORPORA names the folder of CinC 2011, CinC 2021, CPSC 2018 and LUDB. All go through what
`prepare` does with its own settings. Then one recording at a time gets a wrong gain, and all of
them exchanged arm electrodes or a header with another sampling rate. The tables of docs/data.md.
"""

import argparse
import os
import tarfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from benchmarks.machine import write_results
from data_modules.conversion.block import Block, convert_block
from data_modules.reading.read import read_recording
from data_modules.reading.reasons import RecordError
from data_modules.signals.clean import clean_ecg
from data_modules.signals.gains import gain_doubts
from data_modules.signals.heart_doubts import heart_doubts
from data_modules.signals.settings import SignalSettings
from lsemvae.core.leads import LEADS

SETS = {"CinC 2011": "cinc2011", "CinC 2021": "cinc2021", "CPSC 2018": "cpsc2018", "LUDB": "ludb"}
CODES = {
    "gain_doubtful": "gain", "samples_filled": "stands still", "spikes": "spikes",
    "leads_identical": "copies", "arm_leads_doubtful": "arm leads", "rate_doubtful": "rate",
}  # fmt: skip
GAINS, RATES = (2.0, 3.0, 4.0, 6.0), (0.5, 2.0, 0.2)
ARMS = {"I": ("I", -1), "II": ("III", 1), "III": ("II", 1), "aVR": ("aVL", 1), "aVL": ("aVR", 1)}
SETTINGS = SignalSettings()


class Corpus(NamedTuple):
    """A set of recordings, and what became of them."""

    name: str
    root: Path
    records: list[str]
    block: Block


def corpora(folder: Path, unpacked: Path) -> list[Corpus]:
    """Read and clean the recordings of all sets; archives are unpacked first."""
    found = []
    for name, place in SETS.items():
        root = folder / place
        for archive in root.glob("seta_dev.tar.xz"):
            with tarfile.open(archive) as file:
                file.extraction_filter = getattr(tarfile, "data_filter", None)  # 3.11.4 on
                file.extractall(unpacked / place)
            root = unpacked / place
        files = sorted(root.rglob("*.hea"))
        records = [one.relative_to(root).with_suffix("").as_posix() for one in files]
        found.append(
            Corpus(name, root, records, convert_block(root, records, "calibrated", SETTINGS))
        )
    return found


def told(corpus: Corpus) -> dict[str, Any]:
    """Return how many recordings of a set are told, by code, and how its amplitudes are."""
    kept = [one for one in corpus.block.outcomes if one.accepted]
    counts = Counter(code for one in kept for code in dict(one.reasons))
    amplitude, step = measured(corpus)
    known = amplitude[np.isfinite(amplitude)]
    counts["gain_doubtful"] += len(gain_doubts(amplitude, step).outlying)
    row: dict[str, Any] = {"set": corpus.name, "recordings": len(kept)}
    row |= {title: counts[code] for code, title in CODES.items()}
    if len(known):
        row |= {"median": float(np.median(known)), "sd": float(np.log(known).std(ddof=1))}
    return row


def measured(corpus: Corpus) -> tuple[np.ndarray, np.ndarray]:
    """Return amplitude and ADC step (N,) of the accepted recordings, NaN where unknown."""
    kept = [one for one in corpus.block.outcomes if one.accepted]
    pairs = [(one.amplitude, one.step_mv) for one in kept]
    amplitude, step = np.array(pairs, dtype=np.float64).T
    return amplitude, step


def wrong_gains(corpus: Corpus, factor: float) -> list[float]:
    """Return the share found of recordings too large and too small by a factor.

    One at a time; first by the amplitude alone, then with the ADC step, which a wrong gain changes.
    """
    amplitude, step = measured(corpus)
    rows = np.flatnonzero(np.isfinite(amplitude))
    shares = []
    for steps in (None, step):
        for change in (factor, 1 / factor):
            hits = 0
            for row in rows:
                scale = np.where(np.arange(len(amplitude)) == row, change, 1.0)
                found = gain_doubts(amplitude * scale, None if steps is None else steps * scale)
                hits += int(row) in found.outlying
            shares.append(hits / len(rows))
    return shares


def exchanged_arms(corpus: Corpus) -> float:
    """Return the share found of recordings whose arm electrodes are exchanged."""
    kept = [one.accepted for one in corpus.block.outcomes]
    ecg, present = corpus.block.ecg[kept], corpus.block.present[kept]
    place = [LEADS.index(ARMS.get(lead, (lead, 1))[0]) for lead in LEADS]
    sign = np.array([ARMS.get(lead, (lead, 1))[1] for lead in LEADS], np.int16)[:, None]
    doubts = heart_doubts(
        ecg[:, place] * sign, present[:, place], sampling_rate_hz=SETTINGS.sampling_rate_hz
    )
    whole = present.all(axis=1)
    hits = ["arm_leads_doubtful" in dict(reasons) for reasons in doubts]
    return float(np.mean(np.array(hits)[whole]))


def wrong_rate(corpus: Corpus, factor: float) -> tuple[int, int]:
    """Return how many are found, and how many there are, where headers state another rate."""
    hits = []
    for record, fate in zip(corpus.records, corpus.block.outcomes, strict=True):
        if not fate.accepted:
            continue
        recording = read_recording(corpus.root, record, amplitude="calibrated")
        stated = recording._replace(sampling_rate_hz=recording.sampling_rate_hz * factor)
        try:
            clean = clean_ecg(stated, SETTINGS)
        except RecordError:
            hits.append(True)  # refused, such as too short
            continue
        rate = SETTINGS.sampling_rate_hz
        reasons = heart_doubts(clean.ecg[None], clean.present[None], sampling_rate_hz=rate)[0]
        hits.append("rate_doubtful" in dict(reasons))
    return sum(hits), len(hits)


def markdown(results: dict[str, Any]) -> str:
    """Return the tables of docs/data.md."""
    titles = list(CODES.values())
    lines = _row("set", "recordings", *titles, "median amplitude", "SD of its logarithm")
    lines += _row(*["---"] * (len(titles) + 4))
    for one in results["told"]:
        amplitude = [f"{one[key]:.2f}" if key in one else "-" for key in ("median", "sd")]
        lines += _row(one["set"], one["recordings"], *(one[name] for name in titles), *amplitude)
    lines += ["", *_row("gain wrong by", "set", "found: too large, too small", "with the ADC step")]
    lines += _row(*["---"] * 4)
    for one in results["gains"]:
        shares = [f"{share * 100:.0f} %" for share in one["found"]]
        pairs = [", ".join(shares[at : at + 2]) for at in (0, 2)]
        lines += _row(f"{one['factor']:g}", one["set"], *pairs)
    lines += ["", *_row("all recordings made wrong", "found"), *_row("---", "---")]
    for name, share in results["arms"].items():
        lines += _row(f"arm electrodes exchanged, {name}", f"{share * 100:.0f} %")
    for factor, share in results["rates"].items():
        lines += _row(f"the header states {factor} times the true rate", f"{share * 100:.0f} %")
    return "\n".join([*lines, ""])


def _row(*cells: object) -> list[str]:
    return [f"| {' | '.join(map(str, cells))} |"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Count, print and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path("reports/doubts.json"))
    parser.add_argument("--page", type=Path, help="Markdown file whose marked part is replaced")
    options = parser.parse_args(arguments)
    with TemporaryDirectory() as unpacked:
        sets = corpora(Path(os.environ["ECG_CORPORA"]), Path(unpacked))
        in_mv = [one for one in sets if np.isfinite(measured(one)[0]).any()]
        enough = [one for one in in_mv if len(measured(one)[0]) >= 20]
        results: dict[str, Any] = {
            "told": [told(one) for one in sets],
            "gains": [
                {"factor": factor, "set": one.name, "found": wrong_gains(one, factor)}
                for factor in GAINS
                for one in enough
            ],
            "arms": {one.name: exchanged_arms(one) for one in sets},
            "rates": {},
        }
        for factor in RATES:
            hits, n = np.sum([wrong_rate(one, factor) for one in sets], axis=0)
            results["rates"][f"{factor:g}"] = hits / n
    write_results(options.out, results, markdown(results), page=options.page,
                  program="benchmarks.doubts")  # fmt: skip


if __name__ == "__main__":
    main()
