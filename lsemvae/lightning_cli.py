"""LightningCLI for fit, validate, test and predict, with what ties data and task together."""

import warnings
from importlib import import_module

from lightning import LightningDataModule, LightningModule
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI, SaveConfigCallback

from data_modules.store_data import StoreDataModule
from lsemvae.errors import InputError
from lsemvae.models import check_same_input
from lsemvae.tasks import Classifier

SUBCOMMANDS = ("fit", "validate", "test", "predict")


class EcgCLI(LightningCLI):
    """LightningCLI that copies the leads of the data to the task and checks a frozen encoder."""

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Seed everything unless told otherwise."""
        parser.set_defaults({"seed_everything": 0})

    def before_instantiate_classes(self) -> None:
        """Copy the leads of the data to a task that asks for them."""
        config = self.config[self.subcommand] if self.subcommand else self.config
        module, name = config.model.class_path.rsplit(".", 1)
        if issubclass(getattr(import_module(module), name), Classifier):
            config.model.init_args.leads = config.data.init_args.leads

    def instantiate_classes(self) -> None:
        """Build everything, then compare what a frozen encoder takes with what the data give."""
        super().instantiate_classes()
        self.check_input()

    def check_input(self) -> None:
        """Refuse a frozen encoder on recordings unlike those that it was trained on."""
        task, data = self.model, self.datamodule
        if not (isinstance(task, Classifier) and isinstance(data, StoreDataModule)):
            return
        if task.encoder_input is not None:
            check_same_input(str(task.encoder), task.encoder_input, data.ecg_input)


def build_cli(arguments: list[str], *, run: bool, save_config: bool = False) -> EcgCLI:
    """Return the CLI with everything instantiated; `run` also runs the subcommand in front."""
    warnings.filterwarnings("ignore", message="LightningCLI's args parameter")
    return EcgCLI(
        LightningModule,
        LightningDataModule,
        subclass_mode_model=True,
        subclass_mode_data=True,
        save_config_callback=SaveConfigCallback if save_config else None,
        save_config_kwargs={"overwrite": True},
        args=arguments,
        run=run,
    )


def run_lightning(arguments: list[str]) -> None:
    """Run one of LightningCLI's subcommands; only fit writes its configuration beside its log.

    Raises:
        InputError: an unknown command.
    """
    known = (*SUBCOMMANDS, "--print_completion")
    if not arguments[0].startswith(known):
        raise InputError(f"unknown command {arguments[0]!r}; see lsemvae --help")
    build_cli(arguments, run=True, save_config=arguments[0] == "fit")
