"""Run the commands of LightningCLI: `lsemvae fit`, `validate`, `test` and `predict`."""

import sys
from functools import partial

from lsemvae.core.printable import say
from lsemvae.runtime.kept_help import kept_help


def fit(arguments: list[str]) -> None:
    """Train what a YAML describes, on the data that it names."""
    _run("fit", arguments)


def validate(arguments: list[str]) -> None:
    """Measure a checkpoint on the validation part of a YAML's data."""
    _run("validate", arguments)


def test(arguments: list[str]) -> None:
    """Measure a checkpoint on the held-out part of a YAML's data."""
    _run("test", arguments)


def predict(arguments: list[str]) -> None:
    """Write predictions.csv for the recordings of a YAML's data, by one head, uncalibrated."""
    say(
        "note: probabilities of one head, neither recalibrated nor compared with a threshold; a "
        "model for use is made by `lsemvae lock` and applied by `lsemvae predict MODEL FILES`",
        file=sys.stderr,
    )
    _run("predict", arguments)


def _run(name: str, arguments: list[str]) -> None:
    if arguments in (["--help"], ["-h"]):
        say(kept_help(name, partial(_run_lightning, [name, "--help"])), end="")
    else:
        _run_lightning([name, *arguments])


def _run_lightning(arguments: list[str]) -> None:
    from lsemvae.lightning_cli import run_lightning

    run_lightning(arguments)
