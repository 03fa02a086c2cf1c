"""Draw all seconds of a recording on ECG paper as SVG."""

import io

import matplotlib
import numpy as np

from data_modules.store.content import COUNTS_PER_UNIT
from lsemvae.evaluation.plots.ecg_sheet import ALL_SECONDS, draw_twelve_leads
from lsemvae.model_file.description import Description
from lsemvae.serving.recordings import Entry

# no script, nothing from elsewhere; matplotlib writes its styles into the picture
SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def draw_entry(entry: Entry, model: Description) -> bytes | None:
    """Return the picture, None where there is nothing to draw.

    Args:
        entry: the recording; its name does not appear in the picture.
        model: with the rate and the unit.
    """
    if entry.ecg is None or entry.present is None:
        return None
    traces = np.where(entry.present[:, None], entry.ecg / COUNTS_PER_UNIT, np.nan)
    target = io.BytesIO()
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        draw_twelve_leads(
            {"": traces},
            sampling_rate_hz=float(model.signal["sampling_rate_hz"]),
            title="",
            title_mm=0.0,
            styles=[{"color": "black", "linewidth": 0.7}],
            calibrated=model.unit == "mV",
            layout=ALL_SECONDS,
        ).savefig(target, format="svg", metadata={"Date": None})
    return target.getvalue()
