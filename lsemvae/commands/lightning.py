"""Run the commands of LightningCLI: `lsemvae fit`, `validate`, `test` and `predict`."""

import sys
from functools import partial
from pathlib import Path

from lsemvae.command_table import summary
from lsemvae.core.printable import say
from lsemvae.runtime.cli_arguments import spell_switches
from lsemvae.runtime.kept_help import kept_help

SWITCHES = {"--overwrite", "--allow_leakage"}
FIRST_SCREEN = """\
usage: lsemvae {name} --config FILE.yaml [--OPTION VALUE ...]

{summary} One YAML is one experiment; the options
behind it change single values of it.

  lsemvae {name} --config FILE.yaml{example}
  lsemvae {name} --config FILE.yaml --print_config   shows all values, runs nothing

  --data       the store, the task, leads, fold, batch size
  --model      what is trained: lsemvae.tasks.Classifier or Pretrainer, and its network
  --trainer    epochs, device, folder of results, log, callbacks
  --ckpt_path  {ckpt_path}
  --data.help data_modules.RhcCohort, --model.help lsemvae.tasks.Classifier
               the options of one class

Files to begin with lie in the folder experiments/. All options:

"""


def fit(arguments: list[str]) -> None:
    """Train what a YAML describes, on the data that it names."""
    last = _run("fit", arguments)
    if last is not None:
        from lightning.pytorch.utilities import rank_zero_only

        rank_zero_only(say)(f"checkpoint: {last}")


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


def _run(name: str, arguments: list[str]) -> Path | None:
    if arguments not in (["--help"], ["-h"]):
        return _run_lightning([name, *arguments])
    say(_help(name), end="")
    return None


def _help(name: str) -> str:
    """Return what to type, then all options; the parser's own first page is a list of names."""
    whole = kept_help(name, partial(_run_lightning, [name, "--help"]))
    fit_only = name == "fit"
    first = FIRST_SCREEN.format(
        name=name,
        summary=summary(name),
        example=" --trainer.max_epochs 5" if fit_only else " --ckpt_path FILE.ckpt",
        ckpt_path=(
            "`last` goes on with a run that was stopped" if fit_only else "the trained weights"
        ),
    )
    return first + whole.partition("\n\n")[2].replace(" \b[", "[")


def _run_lightning(arguments: list[str]) -> Path | None:
    from lsemvae.lightning_cli import run_lightning

    return run_lightning(spell_switches(arguments, SWITCHES))
