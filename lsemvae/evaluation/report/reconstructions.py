"""Show held-out records of a pre-training run beside their reconstructions, on ECG paper."""

import numpy as np

from lsemvae.evaluation.kept_files import read_kept_arrays
from lsemvae.evaluation.plots.ecg_sheet import draw_twelve_leads
from lsemvae.evaluation.report.blocks import Block, Picture, Section, draw
from lsemvae.evaluation.report.evidence import Evidence, PretrainEvidence
from lsemvae.evaluation.report.written import unavailable

ORIGINAL = {"color": "#111111", "linewidth": 0.9}
RECONSTRUCTED = {"color": "#0b5394", "linewidth": 1.1, "linestyle": "--"}
FROM_LIMB = {"color": "#b45f06", "linewidth": 1.0, "linestyle": ":"}


def reconstruction_section(evidence: Evidence) -> Section:
    """Return the pictures that the pre-training run allows."""
    title = "Reconstructions"
    run = evidence.pretrain
    if run is None:
        why = "no pre-training run was given (--pretrain)"
        return Section("reconstructions", title, [unavailable(title, why)])
    file = run.folder / "reconstructions.npz"
    if not file.is_file():
        return Section("reconstructions", title, [unavailable(title, "the run kept none")])
    next_step = "remove it, or run the pre-training again"
    arrays = read_kept_arrays(file, next_step, needs=("record", "ecg_mv", "from_12"))
    pictures: list[Block] = [
        _picture(run, arrays, number) for number in range(len(arrays["record"]))
    ]
    facts = {"records": [str(record) for record in arrays["record"]]}
    return Section("reconstructions", title, pictures, facts)


def _picture(run: PretrainEvidence, arrays: dict[str, np.ndarray], number: int) -> Picture:
    record = arrays["record"][number]
    traces = {"recording": arrays["ecg_mv"][number], "from 12 leads": arrays["from_12"][number]}
    drawn = [ORIGINAL, RECONSTRUCTED]
    if "from_6" in arrays:
        traces["from the 6 limb leads"] = arrays["from_6"][number]
        drawn.append(FROM_LIMB)
    figure = draw_twelve_leads(
        traces, sampling_rate_hz=run.sampling_rate_hz, title=f"{run.label}, record {record}",
        styles=drawn,
        calibrated=run.calibrated,
    )  # fmt: skip
    where = f"Held-out record {record} of {run.label}"
    caption = f"{where} and its reconstructions, at most 2.5 s of each lead."
    return draw(figure, f"reconstruction_{number}", caption=caption, alt=caption, kind="png",
                wide=True)  # fmt: skip
