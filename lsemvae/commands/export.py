"""Export a locked model as a graph for other programs: `lsemvae export`."""

import sys
from pathlib import Path
from typing import Literal

from lsemvae.core.counted import counted
from lsemvae.core.printable import say


def export(
    model: str,
    *,
    out: str,
    format: Literal["onnx"] = "onnx",  # noqa: A002 (the option's name)
    leads: int | str | list[str] | None = None,
    int8: bool = False,
    hashes: bool = True,
) -> None:
    """Write a model as one ONNX file, normalisation and recalibration inside.

    What is outside the graph (filter, median beat, checks) is described in docs/deployment.md.

    Args:
        model: written by `lsemvae lock`.
        out: the graph, such as models/detection.onnx.
        format: of the graph.
        leads: 12, 6 or names, a subset of the model's; all of them by default. Calibration and
            thresholds are those of all leads.
        int8: large weights as 8-bit integers: a file of a third or a quarter, and probabilities
            that differ a little.
        hashes: keep hashes of the patients and recordings trained on; false for publication.
    """
    from lsemvae.core.errors import InputError
    from lsemvae.core.leads import parse_leads

    target = Path(out)
    if target.suffix != ".onnx":
        raise InputError(f"--out must end in .onnx, got {out}")
    from lsemvae.model_file.seal import check_model_place

    check_model_place(target, read=Path(model))
    from lsemvae.deployment.export import export_onnx
    from lsemvae.deployment.model_file import read_model

    locked = read_model(Path(model))
    trained = locked.network.description.trained_leads
    chosen = trained if leads is None else parse_leads(leads)
    say("writing the graph, then comparing it with the network: up to a minute", file=sys.stderr)
    made = export_onnx(locked, target, leads=chosen, hashes=hashes, int8=int8)
    say(f"{target}: {format}, {target.stat().st_size / 1e6:.1f} MB, SHA-256 {made.digest}")
    say(f"  largest difference of a probability from the network's on noise: {made.difference:.2g}")
    if chosen != trained:
        say(
            f"warning: the model was trained on {counted(len(trained), 'lead')}; with "
            f"{len(chosen)} its calibration and thresholds are not known to hold"
        )
