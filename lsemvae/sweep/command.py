"""Check the options of a trial with the parser of `lsemvae fit` before anything runs."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from jsonargparse import Namespace

from lsemvae.callbacks.same_settings import deciding, recordings_of
from lsemvae.core.errors import InputError
from lsemvae.evaluation.runs import data_label
from lsemvae.lightning_cli import EcgCLI, build_cli
from lsemvae.tasks import Pretrainer

LOGGER = "--trainer.logger"


class ParsingCLI(EcgCLI):
    """The command line of `lsemvae fit` that parses, checks and builds nothing."""

    def instantiate_classes(self) -> None:
        """Build nothing: a network of full size takes a gigabyte."""


def option_flags(params: Mapping[str, Any]) -> list[str]:
    """Return the options of a trial as `wandb agent` writes them."""
    return [f"--{name}={value}" for name, value in params.items()]


def folder_flags(folder: Path) -> list[str]:
    """Return the options that keep a run and its log in a folder."""
    logger = {
        "class_path": "lightning.pytorch.loggers.CSVLogger",
        "init_args": {"save_dir": str(folder), "name": "", "version": ""},
    }
    return [f"--trainer.default_root_dir={folder}", f"{LOGGER}={json.dumps(logger)}"]


def without_logger(arguments: Sequence[str]) -> list[str]:
    """Return the arguments without those of the logger, W&B's for the most part."""
    kept, skip = [], False
    for argument in arguments:
        is_logger = argument.startswith(LOGGER)
        if not (is_logger or (skip and not argument.startswith("--"))):
            kept.append(argument)
        skip = is_logger and "=" not in argument
    return kept


def parse(arguments: Sequence[str]) -> tuple[Namespace, str]:
    """Return what `lsemvae fit` makes of its options, and the same as YAML.

    Raises:
        InputError: an unknown option, or a value that it does not take.
    """
    cli = build_cli(list(arguments), run=False, kind=ParsingCLI)
    config = cli.config.clone()
    return config, cli.parser.dump(config, skip_default=True)


class CheckedCommand(NamedTuple):
    """What a sweep's command trains.

    Attributes:
        training: what decides the weights of a trial: settings by name, epochs, digest of the
            recordings.
        data: names the recordings, and says where they are synthetic.
    """

    training: dict[str, Any]
    data: str


def check_command(arguments: Sequence[str], params: Mapping[str, Any]) -> CheckedCommand:
    """Build what the command describes at one point of the search space, and get its data ready.

    The network is built without memory for its weights.

    Raises:
        InputError: an option that does not exist or a value that it does not take, a task other
            than pre-training, a folder that trials would share, or recordings that are missing.
    """
    with torch.device("meta"):
        cli = build_cli([*arguments, *option_flags(params)], run=False)
    if not isinstance(cli.model, Pretrainer):
        raise InputError(
            f"a sweep chooses hyper-parameters of pre-training, got {type(cli.model).__name__}; "
            "the folds of a task are for its evaluation"
        )
    for callback in cli.config.trainer.callbacks or []:
        if callback.get("init_args.dirpath") or callback.get("init_args.path"):
            raise InputError(
                f"{callback.class_path} writes into one folder for all trials; leave its path out"
            )
    cli.datamodule.prepare_data()
    training = {
        **deciding(cli.config_dump),
        "max_epochs": cli.trainer.max_epochs,
        "recordings": recordings_of(cli.datamodule),
    }
    return CheckedCommand(training, _name_of(cli.datamodule))


def _name_of(data: object) -> str:
    """Name the recordings of a data module; one that is none of ours is named by its class."""
    pool = getattr(data, "pool", None)
    return data_label(pool.label, pool.synthetic) if pool else type(data).__name__


def chosen_configuration(arguments: Sequence[str], params: Mapping[str, Any], folder: Path) -> str:
    """Return a YAML for `lsemvae fit --config` with the chosen point, logging into a folder."""
    given = [*without_logger(arguments), *option_flags(params), *folder_flags(folder)]
    return parse(given)[1]
