"""LightningCLI for fit, validate, test and predict, with what ties data and task together."""

import warnings
from functools import partial
from importlib import import_module
from pathlib import Path

import torch
from jsonargparse import Namespace
from lightning import LightningDataModule, LightningModule, Trainer
from lightning.pytorch.callbacks import LambdaCallback
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI, SaveConfigCallback

from data_modules.leakage import write_trained_on
from data_modules.store_data import StoreDataModule
from lsemvae.errors import InputError
from lsemvae.memory import keep_freed_memory
from lsemvae.models import check_same_input
from lsemvae.tasks import Classifier, Pretrainer

SUBCOMMANDS = ("fit", "validate", "test", "predict")


class EcgCLI(LightningCLI):
    """LightningCLI that copies the leads of the data to the task and checks a frozen encoder."""

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Seed everything unless told otherwise."""
        parser.set_defaults({"seed_everything": 0})

    def before_instantiate_classes(self) -> None:
        """Copy the leads of the data to a task that asks for them; only fit writes a log."""
        config = self.config[self.subcommand] if self.subcommand else self.config
        module, name = config.model.class_path.rsplit(".", 1)
        if issubclass(getattr(import_module(module), name), Classifier):
            self._copy_leads(config)
            if self.subcommand in ("test", "predict") and config.ckpt_path is None:
                raise InputError(
                    f"{self.subcommand} needs --ckpt_path, the checkpoint of a trained head; fit "
                    "and cv write one"
                )
        if self.subcommand not in (None, "fit"):
            config.trainer.logger = False

    @staticmethod
    def _copy_leads(config: Namespace) -> None:
        given, wanted = config.model.init_args.leads, config.data.init_args.leads
        if given not in (12, wanted):
            raise InputError(
                f"the model's leads are {given}, the data's {wanted}; give them to the data only"
            )
        config.model.init_args.leads = wanted

    def instantiate_classes(self) -> None:
        """Build everything, then check what can be checked before a run touches its folder."""
        try:
            super().instantiate_classes()
        except ValueError as error:  # jsonargparse wraps what a constructor raises
            raise _input_error(error) or error from error
        self.check_input()

    def check_input(self) -> None:
        """Name a missing store, and refuse an encoder trained on recordings unlike these."""
        task, data = self.model, self.datamodule
        if not isinstance(data, StoreDataModule):
            return
        data.check_files()
        if isinstance(task, Classifier) and task.encoder_input is not None:
            check_same_input(str(task.encoder), task.encoder_input, data.ecg_input)

    def before_fit(self) -> None:
        """Let a pre-training run keep what it sees, for the leakage check of `cv`."""
        if isinstance(self.model, Pretrainer) and isinstance(self.datamodule, StoreDataModule):
            keep = partial(_keep_trained_on, data=self.datamodule)
            self.trainer.callbacks.append(LambdaCallback(on_fit_start=keep))  # type: ignore[attr-defined]


def _keep_trained_on(trainer: Trainer, _task: LightningModule, *, data: StoreDataModule) -> None:
    if trainer.log_dir is not None and trainer.is_global_zero:
        write_trained_on(Path(trainer.log_dir), data.pool, data.training_rows())


def _input_error(error: BaseException | None) -> InputError | None:
    """Return the InputError that an error came from, if it came from one."""
    while error is not None and not isinstance(error, InputError):
        error = error.__cause__ or error.__context__
    return error


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
    if not torch.cuda.is_available():
        keep_freed_memory()
    build_cli(arguments, run=True, save_config=arguments[0] == "fit")
