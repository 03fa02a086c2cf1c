"""Compare graphs with their models on recordings of stores: `python -m benchmarks.parity`.

With all leads that a recording has, and with random subsets of them.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.machine import describe_machine, write_results
from data_modules.store.content import COUNTS_PER_UNIT
from data_modules.store.read import EcgStore
from lsemvae.core.leads import lead_indices
from lsemvae.deployment.torch_predictor import TorchPredictor
from lsemvae.predicting.onnx_predictor import OnnxPredictor
from lsemvae.predicting.predictor import Predictor

BLOCK = 50


def probabilities(
    model: Predictor, ecg: npt.NDArray[np.float32], present: npt.NDArray[np.bool_]
) -> npt.NDArray[np.floating]:
    """Return the probabilities (N,) of recordings (N, L, T); zeros stand in absent leads."""
    given = np.where(present[..., None], ecg, np.float32(0))
    blocks = [slice(start, start + BLOCK) for start in range(0, len(ecg), BLOCK)]
    return np.concatenate([model.score(given[one], present[one]).probability for one in blocks])


def compare(files: tuple[Path, Path, str], n: int) -> list[dict[str, Any]]:
    """Return the largest differences between a model and its graph.

    Args:
        files: model, graph, and store with the model's settings.
        n: recordings, drawn at random.
    """
    model, graph, store = TorchPredictor(files[0]), OnnxPredictor(files[1]), EcgStore(files[2])
    draw, chosen = np.random.default_rng(0), lead_indices(graph.description.leads)
    rows = draw.choice(len(store), min(n, len(store)), replace=False)
    present = store.present[rows][:, chosen]
    rows, present = rows[present.any(1)], present[present.any(1)]
    ecg = np.asarray(store.read(rows, chosen) / np.float32(COUNTS_PER_UNIT), np.float32)
    # one lead at least stays: the present one with the largest number drawn
    drawn = draw.random(present.shape) * present
    subset = drawn >= np.minimum(0.5, drawn.max(1, keepdims=True))
    cases = {"all leads": present, "random subsets of the leads": subset & present}
    about = graph.description
    found = []
    for name, mask in cases.items():
        expected, got = (probabilities(one, ecg, mask) for one in (model, graph))
        found.append(
            {"model": f"{about.method}, {about.task.name}", "graph": files[1].name,
             "leads": name, "n": len(rows),
             "difference": float(np.abs(got - expected).max()),
             "lowest": float(expected.min()), "highest": float(expected.max()),
             "store": store.label, "megabytes": files[1].stat().st_size / 1e6}
        )  # fmt: skip
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare, print and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", type=Path, nargs="+", required=True, help="of `lsemvae lock`")
    parser.add_argument("--graph", type=Path, nargs="+", required=True, help="of `lsemvae export`")
    parser.add_argument("--cohort", nargs="+", required=True, help="store with its settings, each")
    parser.add_argument("--n", type=int, default=500, help="recordings, drawn at random")
    parser.add_argument("--out", type=Path, default=Path("reports/parity.json"))
    parser.add_argument("--page", type=Path, help="Markdown file whose marked part is replaced")
    options = parser.parse_args(arguments)
    named = zip(options.model, options.graph, options.cohort, strict=True)
    found = [row for files in named for row in compare(files, options.n)]
    lines = [
        "| model | graph | given | recordings | largest difference | probabilities |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one['model']} | {one['graph']}, {one['megabytes']:.1f} MB | {one['leads']} | "
        f"{one['n']} | {one['difference']:.1e} | {one['lowest']:.3f} to {one['highest']:.3f} |"
        for one in found
    ]
    stores = ", ".join(dict.fromkeys(one["store"] for one in found))
    lines += ["", f"Recordings of {stores}."]
    results = {"machine": describe_machine(), "rows": found}
    write_results(options.out, results, "\n".join(lines) + "\n", page=options.page,
                  program="benchmarks.parity")  # fmt: skip


if __name__ == "__main__":
    main()
