"""Time what explains recordings against captum from the recording and NeuroKit2 lead by lead.

`python -m benchmarks.explaining`: integrated gradients of a head on the encoder that ships, and the
delineation of the waves, of simulated recordings of 12 leads, 10 s at 100 Hz. The other way finds
and cuts the beats anew at every point of the path. Both ways must give the same.
"""

import argparse
import resource
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from captum.attr import IntegratedGradients
from neurokit2 import ecg_delineate
from torch import Tensor, nn

from benchmarks.machine import describe_machine, write_results
from data_modules.signals.median_beat import find_r_peaks
from data_modules.simulation.ecg import simulate_ecg
from data_modules.simulation.heart import draw_patients
from lsemvae.core.leads import LEADS
from lsemvae.core.types import EcgBatch
from lsemvae.explain.attribution import AttributionSettings, attribute
from lsemvae.explain.delineation import MARKS, delineate
from lsemvae.explain.logit import MillivoltLogit, Recordings
from lsemvae.models.base import EcgNetwork
from lsemvae.models.checkpoint import load_pretrained
from lsemvae.runtime.malloc import keep_freed_memory

RATE_HZ = 100.0
WAYS = {
    "integrated gradients": ("captum, beats cut at every point", "ours"),
    "waves": ("NeuroKit2, lead by lead", "ours"),
}


class LinearHead(nn.Module):
    """A weighted sum of the features of the encoder, drawn at random."""

    def __init__(self, network: EcgNetwork) -> None:
        super().__init__()
        self.network = network.requires_grad_(False).eval()
        n_features = network.feature_dim(LEADS)
        draw = torch.randn(n_features, generator=torch.Generator().manual_seed(0))
        self.weight = nn.Parameter(draw / n_features**0.5)

    def forward(self, batch: EcgBatch) -> Tensor:
        """Return logits (B,)."""
        return self.network.encode(batch.ecg, batch.leads, batch.present) @ self.weight


def draw(n_records: int) -> Recordings:
    """Simulate recordings; they are synthetic."""
    rng, zero = np.random.default_rng(0), np.zeros(n_records)
    patients = draw_patients(
        rng.uniform(55, 95, n_records), rv_strain=zero, left_strain=zero, age_years=zero + 60,
        atrial_fibrillation=zero > 0, rng=rng,
    )  # fmt: skip
    ecg = torch.from_numpy(
        simulate_ecg(patients, sampling_rate_hz=RATE_HZ, noise=1.0, rng=rng)
    ).float()
    return Recordings(ecg, ecg.std(-1), torch.ones(ecg.shape[:2], dtype=torch.bool), LEADS, "lead")


def by_captum(model: nn.Module, recordings: Recordings, settings: AttributionSettings) -> Tensor:
    """Integrate gradients of the logit with respect to the recordings, point by point."""
    logit = MillivoltLogit(model, leads=LEADS, normalisation=recordings.normalisation)
    value: Tensor = IntegratedGradients(logit).attribute(
        recordings.ecg_mv, torch.zeros_like(recordings.ecg_mv), n_steps=settings.n_steps,
        internal_batch_size=max(settings.batch_size, len(recordings.ecg_mv)),
        additional_forward_args=(recordings.scale, recordings.present, recordings.ecg_mv),
    )  # fmt: skip
    return value.float()


def by_neurokit(ecg: "np.ndarray[Any, Any]") -> Tensor:
    """Mark every lead of recordings by itself, (B, L, 10, K), flattened without missing marks."""
    found = []
    for one in ecg:
        peaks = find_r_peaks(one, RATE_HZ)
        for lead in one:
            with warnings.catch_warnings():  # of peaks that are none in this lead
                warnings.filterwarnings("ignore", "some peaks have a")
                marks = ecg_delineate(lead, peaks, sampling_rate=RATE_HZ, method="prominence")[1]
            found += [np.asarray(marks[f"ECG_{name}"], float) for name in MARKS]
    return _known(found)


def by_ours(ecg: "np.ndarray[Any, Any]") -> Tensor:
    """Mark all leads of each recording at once; the same order as `by_neurokit`."""
    found = []
    for one in ecg:
        marks = delineate(one, find_r_peaks(one, RATE_HZ), RATE_HZ)
        found += [marks[name][lead] for lead in range(len(one)) for name in MARKS]
    return _known(found)


def _known(marks: "list[np.ndarray[Any, Any]]") -> Tensor:
    every = np.concatenate(marks)
    return torch.from_numpy(every[np.isfinite(every)])


def timed(way: Callable[[], Tensor], repeats: int) -> tuple[Tensor, float]:
    """Return what a way yields and its least CPU seconds; one call is not counted."""
    found, seconds = way(), []
    for _ in range(repeats):
        start = resource.getrusage(resource.RUSAGE_SELF)
        way()
        end = resource.getrusage(resource.RUSAGE_SELF)
        seconds.append(end.ru_utime - start.ru_utime + end.ru_stime - start.ru_stime)
    return found, min(seconds)


def measure(n_records: int, n_steps: int, repeats: int) -> list[dict[str, Any]]:
    """Time both ways of both parts.

    Raises:
        ValueError: they gave different attributions or marks.
    """
    model, recordings = LinearHead(load_pretrained("public").network), draw(n_records)
    settings, ecg, rows = AttributionSettings(n_steps=n_steps), recordings.ecg_mv.numpy(), []
    ways: dict[str, tuple[Callable[[], Tensor], Callable[[], Tensor]]] = {
        "integrated gradients": (
            lambda: by_captum(model, recordings, settings),
            lambda: attribute(model, recordings, settings=settings, check=False).value,
        ),
        "waves": (lambda: by_neurokit(ecg), lambda: by_ours(ecg)),
    }
    for part, both in ways.items():
        results = [timed(way, repeats) for way in both]
        (theirs, _), (ours, _) = results
        if theirs.shape != ours.shape or not torch.allclose(theirs, ours, rtol=1e-3, atol=1e-5):
            raise ValueError(f"{part}: both ways do not give the same")
        rows += [
            {"part": part, "way": name, "cpu_s": seconds / n_records}
            for name, (_, seconds) in zip(WAYS[part], results, strict=True)
        ]
    return rows


def markdown(results: dict[str, Any]) -> str:
    """Return the table of docs/performance.md."""
    lines = [
        f"{results['records']} simulated recordings (SYNTHETIC), {results['n_steps']} points on "
        f"each path, {results['threads']} thread(s).",
        "",
        "| part | way | CPU seconds per recording |",
        "|---|---|---|",
        *(f"| {row['part']} | {row['way']} | {row['cpu_s']:.4f} |" for row in results["rows"]),
    ]
    return "\n".join([*lines, ""])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print a table and write it as JSON and Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--records", type=int, default=8)
    parser.add_argument("--n_steps", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("reports/explaining.json"))
    parser.add_argument("--page", type=Path, help="Markdown file whose marked part is replaced")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    keep_freed_memory()
    results = {
        "machine": describe_machine(), "threads": options.threads, "records": options.records,
        "n_steps": options.n_steps,
        "rows": measure(options.records, options.n_steps, options.repeats),
    }  # fmt: skip
    write_results(
        options.out, results, markdown(results), page=options.page,
        program="benchmarks.explaining",
    )  # fmt: skip


if __name__ == "__main__":
    main()
