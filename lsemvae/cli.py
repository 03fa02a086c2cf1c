"""The front door: `lsemvae`, `lightning` and `python -m lsemvae` are this `main`.

Our own commands are plain functions behind jsonargparse and start without torch where they need
none; every other first word goes to LightningCLI (fit, validate, test, predict).
"""

import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import Any

from lsemvae.runtime.cli_arguments import spell_out
from lsemvae.runtime.exit_code import exit_code
from lsemvae.runtime.threads import settle_threads

# Command -> function, imported when called. A mapping inside is a group of commands.
COMMANDS: dict[str, Any] = {
    "prepare": {
        "mimic": "data_modules.conversion.prepare:prepare_mimic",
        "cohort": "data_modules.conversion.prepare:prepare_cohort",
        "mimic-rhc": "data_modules.mimic_iv.prepare:prepare_mimic_rhc",
    },
    "check": {
        "tables": "lsemvae.commands.check:check_published",
        "cohort": "lsemvae.commands.check:check_cohort",
    },
    "inspect": "lsemvae.commands.inspect:inspect",
    "view": "lsemvae.commands.view:view",
    "synthesize": "lsemvae.commands.synthesize:synthesize",
    "cv": "lsemvae.commands.cv:cross_validate",
    "benchmark": "lsemvae.commands.benchmark:benchmark",
    "sweep": "lsemvae.commands.sweep:sweep",
    "table1": "lsemvae.commands.table1:table1",
    "report": "lsemvae.commands.report:report",
    "plan": "lsemvae.commands.plan:plan",
    "explain": "lsemvae.commands.explain:explain",
    "lock": "lsemvae.commands.lock:lock",
    "predict": "lsemvae.commands.predict:predict",
    "export": "lsemvae.commands.export:export",
    "demo": "lsemvae.commands.demo:demo",
}

TRAINING = ("cv", "benchmark", "sweep", "demo")  # what computes for long, with Lightning's own

HELP = """\
usage: lsemvae COMMAND [options]     (`lightning` is the same program)

Recordings
  prepare mimic       read a MIMIC-IV-ECG tree into a store
  prepare cohort      recordings of any known kind and a table of patients into a store
  check cohort        list what looks wrong in a table of patients, or in a store
  prepare mimic-rhc   make a cohort table from the catheters of MIMIC-IV
  inspect             what is in a store, from what, and whether it is what was written
  view                one recording on ECG paper with the findings of the checks
  synthesize          write a synthetic cohort and pre-training set as WFDB files

Training (LightningCLI; every run is described by one YAML)
  fit                 train:          lsemvae fit --config experiments/pretrain/ls_emvae.yaml
  validate, test      measure a checkpoint
  predict --config    write predictions.csv for a store by a checkpoint, uncalibrated

Evaluation
  cv                  cross-validate:  lsemvae cv --task phenotype --leads 6
  benchmark           methods x tasks x leads on the same folds: Table 2, ablations
  sweep               try hyper-parameters of pre-training: a W&B sweep file, without an account
  table1              characteristics of a cohort's patients beside the paper's Table 1
  plan                how many patients a study needs, as a table and a picture
  report              the report of finished runs: lsemvae report runs/cv --out reports
  check tables        list what contradicts itself in published tables, such as the paper's
  explain             which leads and waves move the predictions of a finished run
  demo                all of the above on synthetic data, in minutes

A model for use
  lock                one file of a finished cross-validation, with calibration and thresholds
  predict             apply it:       lsemvae predict MODEL FILES... --out predictions.csv
  export              the same as ONNX, for use without torch

lsemvae COMMAND --help lists the options of a command.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit code: 0, or 2 with one line on stderr for bad input."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help"):
        print(HELP, end="")
        return 0
    threads = settle_threads()
    fewer = threads is not None and threads.n_threads < threads.n_granted
    trains = arguments[0] in TRAINING or arguments[0] not in COMMANDS or is_lightnings(arguments)
    if fewer and trains:
        print(f"note: {threads}", file=sys.stderr)
    return exit_code(partial(_run, arguments))


def _run(arguments: list[str]) -> None:
    command = COMMANDS.get(arguments[0])
    if command is None or is_lightnings(arguments):
        from lsemvae.lightning_cli import run_lightning

        run_lightning(arguments)
        return
    from jsonargparse import auto_cli

    from lsemvae.runtime.config_safety import check_arguments, secure_configurations

    secure_configurations()
    check_arguments(arguments)
    loaded = _load(command)
    options = spell_out(loaded, arguments[1:])
    auto_cli(loaded, args=options, prog=f"lsemvae {arguments[0]}", as_positional=False)


def is_lightnings(arguments: Sequence[str]) -> bool:
    """Tell `predict --config ...`, which is Lightning's, from `predict MODEL FILES...`."""
    first = arguments[1] if len(arguments) > 1 else ""
    return arguments[0] == "predict" and first.startswith("-") and first not in ("-h", "--help")


def _load(command: Any) -> Any:
    """Import the function of a command, or those of a group."""
    if isinstance(command, str):
        module, name = command.split(":")
        function: Callable[..., Any] = getattr(import_module(module), name)
        return function
    return {name: _load(entry) for name, entry in command.items()}
