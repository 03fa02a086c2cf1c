"""Show a clinician's page of a locked model on this machine: `lsemvae serve`."""

from importlib.util import find_spec
from pathlib import Path

from data_modules.reading.amplitude import Amplitude

# The extra would bring torch into an installation that was made without it.
WITHOUT_TORCH = "pip install starlette uvicorn python-multipart jinja2 matplotlib"


def serve(
    model: str,
    *,
    port: int = 8765,
    point: str | None = None,
    amplitude: Amplitude | None = None,
    fewest_leads: int | None = None,
    allow_trained_on: bool = False,
) -> None:
    """Show a locked model's answers to dropped files in a browser of this machine.

    The page is on 127.0.0.1 only, asks nothing of any other machine and keeps nothing on the disk.
    Research software, not a medical device.

    Args:
        model: written by `lsemvae lock`, or by `lsemvae export` (.onnx).
        port: of the page; 0 takes a free one.
        point: operating point of the decision; the model's own by default.
        amplitude: how units in files are taken; by default as the model's recordings were.
        fewest_leads: withhold recordings with fewer usable leads; by default the fewest that a
            training recording had.
        allow_trained_on: show answers on recordings that the model was trained on, too.
    """
    from lsemvae.core.errors import InputError
    from lsemvae.core.extras import install_extra

    try:
        from lsemvae.serving.run import bind, serve_on
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith(("lsemvae", "data_modules")):
            raise
        how = install_extra("serve") if find_spec("torch") else WITHOUT_TORCH
        raise InputError(f"serve needs the package {error.name}: {how}") from error
    from lsemvae.commands.predict import open_yes_or_no
    from lsemvae.predicting.run import Options, chosen_point

    taken = bind(port)
    try:
        predictor = open_yes_or_no(Path(model), "serve")
        predictor.description = chosen_point(predictor.description, point)
        options = Options(point, amplitude, fewest_leads, allow_trained_on)
        serve_on(taken, predictor, options)
    finally:
        taken.close()
