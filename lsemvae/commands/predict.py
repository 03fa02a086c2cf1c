"""Apply a locked model to files, folders and stores: `lsemvae predict`."""

from pathlib import Path
from typing import TYPE_CHECKING

from data_modules.reading.amplitude import Amplitude
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.printable import say

if TYPE_CHECKING:
    from lsemvae.predicting.predictor import Predictor


def predict(
    model: str,
    recordings: list[str],
    *,
    out: str = "predictions.csv",
    point: str | None = None,
    amplitude: Amplitude | None = None,
    fewest_leads: int | None = None,
    allow_trained_on: bool = False,
    pictures: str | None = None,
) -> Path:
    """Write a row for each recording: a result, withheld, or an error.

    A run that was stopped goes on where it was when it is started again. Research software, not a
    medical device.

    Args:
        model: written by `lsemvae lock`, or by `lsemvae export` (.onnx, which needs no torch).
        recordings: files of any kind that `lsemvae prepare` reads, folders, or stores.
        out: predictions, .csv or .json.
        point: operating point of the decision; the model's own by default.
        amplitude: how units in files are taken; by default as the model's recordings were.
        fewest_leads: withhold recordings with fewer usable leads; by default the fewest that a
            training recording had.
        allow_trained_on: predict recordings and patients that the model was trained on, too.
        pictures: folder for a picture of each recording on ECG paper.

    Returns:
        The file of predictions.
    """
    from data_modules.signals.near_marks import near_text
    from lsemvae.predicting.outcome import ERROR, RESULT, TRAINING
    from lsemvae.predicting.run import Options, predict_to

    options = Options(point, amplitude, fewest_leads, allow_trained_on, pictures)
    predictor = open_model(Path(model))
    counts, near = predict_to(Path(out), predictor, recordings, options)
    plural = {RESULT: "results", ERROR: "errors"}
    listed = ", ".join(
        counted(n, outcome, plural.get(outcome, outcome)) for outcome, n in counts.most_common()
    )
    say(f"{out}: {counted(counts.total(), 'recording')}, {listed}")
    if near:
        say(f"warning: {near_text(near, TRAINING)}")
    if predictor.description.synthetic:
        say("note: the model was trained on SYNTHETIC data")
    return Path(out)


def open_model(path: Path) -> "Predictor":
    """Open a model with what computes it, told by its name.

    Raises:
        InputError: it cannot be opened, or torch is missing.
    """
    if path.suffix == ".onnx":
        from lsemvae.predicting.onnx_predictor import OnnxPredictor

        return OnnxPredictor(path)
    try:
        from lsemvae.deployment.torch_predictor import TorchPredictor
    except ModuleNotFoundError as error:
        raise InputError(
            f"{path} needs lsemvae with torch; without it, apply what `lsemvae export` makes of it"
        ) from error
    return TorchPredictor(path)


def open_yes_or_no(path: Path, command: str) -> "Predictor":
    """Open a model for a command that takes one yes or no.

    Raises:
        InputError: it cannot be opened, or estimates a number or tells several labels.
    """
    from lsemvae.model_file.description import refuse_unless_one_label

    predictor = open_model(path)
    refuse_unless_one_label(predictor.description, command)
    return predictor
