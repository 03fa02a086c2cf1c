"""Run LightningCLI for fit, validate, test and predict, and tie data and task together."""

from argparse import ArgumentError
from functools import partial
from importlib import import_module
from pathlib import Path
from time import time
from typing import Any

import torch
import yaml
from jsonargparse import Namespace
from lightning import LightningDataModule, LightningModule, Trainer
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import LambdaCallback, ModelCheckpoint
from lightning.pytorch.cli import (
    ArgsType,
    LightningArgumentParser,
    LightningCLI,
)

from data_modules.base import StoreDataModule
from data_modules.rhc_cohort import RhcCohort
from lsemvae.belonging import (
    CHECKPOINT_WORDS,
    check_fold,
    check_head,
    check_probes,
    keep_trained_on,
)
from lsemvae.callbacks import (
    ContinuedLog,
    SameSettings,
    SameThreads,
    SoleWriter,
    StopSignal,
    TrainedWeights,
)
from lsemvae.callbacks.checkpoint_io import load_safely
from lsemvae.callbacks.config_file import ConfigFile
from lsemvae.callbacks.earlier_run import refuse_to_replace, tell_what_stayed
from lsemvae.callbacks.parameter_summary import show_parameters
from lsemvae.callbacks.wandb_logger import log_configuration, set_private_defaults
from lsemvae.core.errors import InputError
from lsemvae.core.experiments import check_configs
from lsemvae.models import check_same_input
from lsemvae.models.checkpoint_file import local_path, read_checkpoint
from lsemvae.runtime.config_safety import (
    check_arguments,
    check_values,
    parsing_error,
    secure_configurations,
)
from lsemvae.runtime.cpu_matmul import settle_float32_products
from lsemvae.runtime.faults import REFUSALS, failed_run, input_error_behind, refused_value
from lsemvae.runtime.fold_seed import seed_fold
from lsemvae.runtime.malloc import keep_freed_memory
from lsemvae.runtime.missing_values import refuse_no_mapping, refuse_null_in_classes
from lsemvae.runtime.process_group import end_process_group
from lsemvae.runtime.quiet import silence_lightning
from lsemvae.runtime.refused_option import as_typed
from lsemvae.runtime.suggestion import option_names
from lsemvae.runtime.threads import share_threads
from lsemvae.tasks import Classifier, Pretrainer
from lsemvae.tasks.task import EcgTask
from lsemvae.trainer_settings import check_step, check_trainer

SUBCOMMANDS = ("fit", "validate", "test", "predict")


class EcgCLI(LightningCLI):
    """LightningCLI that copies the leads of the data to the task and checks a frozen encoder."""

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Seed everything unless told otherwise; give beta an option: lists have none."""
        parser.set_defaults({"seed_everything": 0})
        parser.add_argument(
            "--beta",
            type=float | None,
            help="final weight of the KL divergence: `end` of BetaAnnealing in trainer.callbacks",
        )
        parser.add_argument(
            "--overwrite",
            type=bool,
            default=False,
            help="fit anew in the folder of an earlier run, whose files are replaced",
        )
        parser.add_argument(
            "--allow_leakage",
            type=bool,
            default=False,
            help="fit a classifier although its parts share patients or recordings",
        )

    def parse_arguments(self, parser: LightningArgumentParser, args: ArgsType) -> None:
        """Parse; what is wrong becomes one InputError in place of a usage text."""
        try:
            super().parse_arguments(parser, args)
        except ArgumentError as error:
            message = as_typed(str(error), option_names(parser))
            raise input_error_behind(error) or parsing_error(message) from error
        except REFUSALS as error:  # such as bytes that are no text
            if (line := refused_value(error)) is None:
                raise
            raise line from error
        settings = self.config.get(self.config.get("subcommand")) or self.config
        check_values(settings)
        refuse_null_in_classes(settings)
        refuse_no_mapping(settings, "trainer")

    def _parse_ckpt_path(self) -> None:
        """Read the settings of a checkpoint, once it is known to be one that may be read."""
        subcommand = self.config.get("subcommand")
        given = self.config[subcommand].get("ckpt_path") if subcommand else None
        if given is not None and given not in CHECKPOINT_WORDS:
            read_checkpoint(local_path(given), mmap=True)
        try:
            super()._parse_ckpt_path()
        except ArgumentError as error:
            raise InputError(
                f"the settings in {given} do not fit this task ({' '.join(str(error).split())}); "
                "give the configuration that it was trained with (config.yaml beside it)"
            ) from error

    def _set_seed(self) -> None:
        """Seed everything.

        Raises:
            InputError: the seed is out of range.
        """
        try:
            super()._set_seed()
        except (ValueError, OverflowError) as error:
            raise InputError(f"seed_everything: {' '.join(str(error).split())}") from error

    def before_instantiate_classes(self) -> None:
        """Copy the leads of the data to a task that asks for them; only fit writes a log."""
        config = self.config[self.subcommand] if self.subcommand else self.config
        self._set_beta(config)
        check_trainer(config.trainer.as_dict(), self.subcommand)
        module, name = config.model.class_path.rsplit(".", 1)
        if issubclass(getattr(import_module(module), name), Classifier):
            self._copy_leads(config)
            if type(config.seed_everything) is int:
                seed_fold(config.seed_everything, config.data.init_args.get("fold"))
        if self.subcommand not in (None, "fit"):
            config.trainer.logger = False

    @staticmethod
    def _set_beta(config: Namespace) -> None:
        if config.beta is None:
            return
        callbacks = config.trainer.callbacks or []
        found = [one for one in callbacks if one.class_path.endswith(".BetaAnnealing")]
        if len(found) != 1:
            raise InputError(
                f"--beta sets the end of one BetaAnnealing among the callbacks, found {len(found)}"
            )
        found[0].init_args.end = config.beta

    @staticmethod
    def _copy_leads(config: Namespace) -> None:
        given, wanted = config.model.init_args.leads, config.data.init_args.leads
        if given not in (12, wanted):
            raise InputError(
                f"the model's leads are {given}, the data's {wanted}; give them to the data only"
            )
        config.model.init_args.leads = wanted

    def _dump_config(self) -> None:
        """Keep the settings for the checkpoint, as Lightning does; parsing has checked them."""
        if not hasattr(self, "config_dump"):
            text = self.parser.dump(
                self.config, skip_link_targets=False, skip_none=False, skip_validation=True
            )
            whole = yaml.safe_load(text)
            self.config_dump = whole[self.config.subcommand] if self.subcommand else whole

    def instantiate_classes(self) -> None:
        """Build everything, then check what can be checked before a run touches its folder."""
        try:
            super().instantiate_classes()
        except REFUSALS as error:  # jsonargparse wraps what a constructor raises
            if (line := refused_value(error)) is None:
                raise
            raise line from error
        self.check_input()

    def check_input(self) -> None:
        """Name a missing store, and refuse an encoder trained on recordings unlike these."""
        task, data = self.model, self.datamodule
        if not isinstance(data, StoreDataModule):
            return
        data.check_files()
        if self.subcommand == "fit":
            refuse_to_replace(self.trainer, self.config.fit)
        if isinstance(task, Classifier):
            config = self.config[self.subcommand] if self.subcommand else self.config
            task.made_for = check_head(config.get("ckpt_path"), data, self.subcommand)
        if isinstance(task, Classifier) and task.encoder_input is not None:
            check_same_input(str(task.encoder), task.encoder_input, data.ecg_input)
        check_probes(self.trainer, data)
        if self.subcommand == "fit" and isinstance(data, RhcCohort) and data.fold is not None:
            allow = self.config.fit.allow_leakage
            check_fold(self.trainer, data, getattr(task, "encoder", None), allow_leakage=allow)

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        """Build the trainer: safe against crashes and foreign files, its processes share cores."""
        trainer = super().instantiate_trainer(**kwargs)
        load_safely(trainer.strategy)
        show_parameters(trainer)
        if trainer.strategy.launcher is not None:  # it starts the other processes itself
            share = share_threads(trainer.num_devices)
            torch.set_num_threads(share or torch.get_num_threads())
        return trainer

    def _need_trained_weights(self) -> None:
        """Refuse weights as they were drawn; tasks of others may bring trained ones."""
        check_step(type(self.model), str(self.subcommand))
        if isinstance(self.model, EcgTask):
            check = TrainedWeights(str(self.subcommand))
            self.trainer.callbacks.append(check)  # type: ignore[attr-defined]

    before_validate = before_test = before_predict = _need_trained_weights

    def before_fit(self) -> None:
        """Log the configuration; let a run stop and go on, and keep what it sees for `cv`."""
        config = self.config[self.subcommand] if self.subcommand else self.config
        log_configuration(self.trainer.logger, config.as_dict())
        resume = config.get("ckpt_path") is not None
        own = [StopSignal(), SameThreads(), ContinuedLog(self.trainer, resume=resume),
               SameSettings(self.config_dump)]  # fmt: skip
        self.trainer.callbacks.insert(0, SoleWriter())  # type: ignore[attr-defined]
        self.trainer.callbacks.extend(own)  # type: ignore[attr-defined]
        if isinstance(self.model, Pretrainer) and isinstance(self.datamodule, StoreDataModule):
            keep = partial(keep_trained_on, data=self.datamodule)
            self.trainer.callbacks.append(LambdaCallback(on_fit_start=keep))  # type: ignore[attr-defined]


def build_cli(
    arguments: list[str],
    *,
    run: bool,
    save_config: bool = False,
    kind: type[EcgCLI] = EcgCLI,
) -> EcgCLI:
    """Return the CLI with everything instantiated; `run` also runs the subcommand in front."""
    silence_lightning()
    secure_configurations()
    check_arguments(arguments)
    check_configs(arguments)
    return _with_one_subcommand(kind, arguments[0] if run else "")(
        LightningModule,
        LightningDataModule,
        subclass_mode_model=True,
        subclass_mode_data=True,
        save_config_callback=ConfigFile if save_config else None,
        parser_kwargs={"exit_on_error": False},
        args=arguments,
        run=run,
    )


def _with_one_subcommand(kind: type[EcgCLI], name: str) -> type[EcgCLI]:
    """Return the CLI with the parser of one subcommand; all four take four times as long."""
    if name not in SUBCOMMANDS:
        return kind
    only = {name: LightningCLI.subcommands()[name]}
    return type(kind.__name__, (kind,), {"subcommands": staticmethod(lambda: only)})


def run_lightning(arguments: list[str], *, others_follow: bool = False) -> Path | None:
    """Run one of LightningCLI's subcommands; only fit writes its configuration beside its log.

    Args:
        arguments: as typed.
        others_follow: whether the caller goes on: then a signal to stop, which a run that is in its
            last epoch passes over, ends it.

    Returns:
        The last checkpoint that was written, None where there is none.

    Raises:
        InputError: settings that Lightning refuses.
    """
    set_private_defaults()
    if not torch.cuda.is_available():
        keep_freed_memory()
    settle_float32_products()
    try:
        began = time()
        cli = build_cli(arguments, run=True, save_config=arguments[0] == "fit")
        if others_follow:
            _answer_signals(cli.trainer)
        if arguments[0] == "fit":
            tell_what_stayed(cli.trainer, cli.config.fit, began)
        return _last_checkpoint(cli)
    except MisconfigurationException as error:
        raise InputError(" ".join(str(error).split())) from error
    except REFUSALS as error:
        if (line := failed_run(error)) is None:
            raise
        raise line from error
    finally:
        end_process_group()


def _answer_signals(trainer: Trainer) -> None:
    callbacks: list[Any] = trainer.callbacks  # type: ignore[attr-defined]
    for one in callbacks:
        if isinstance(one, StopSignal):
            one.answer()


def _last_checkpoint(cli: EcgCLI) -> Path | None:
    kept = cli.trainer.checkpoint_callback
    if not isinstance(kept, ModelCheckpoint):
        return None
    name = kept.last_model_path or kept.best_model_path
    return Path(name) if name else None
