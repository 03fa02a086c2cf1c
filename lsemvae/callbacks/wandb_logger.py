"""Log to W&B without an account, and send nothing about patients or the machine."""

import logging
import os
import tempfile
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import WandbLogger
from lightning.pytorch.utilities import rank_zero_only

from lsemvae.callbacks.hyper_parameters import hyper_parameters
from lsemvae.core.pseudonyms import local_salt, pseudonym

# Without these a run holds the command line, the console's text, the program, the repository's
# address and patch, the host's name, the user's name and the machine's hardware (wandb 0.30).
PRIVATE = {
    "WANDB_CONSOLE": "off",
    "WANDB_DISABLE_CODE": "true",
    "WANDB_DISABLE_GIT": "true",
    "WANDB_DISABLE_JOB_CREATION": "true",
    "WANDB_ERROR_REPORTING": "false",
    "WANDB_HOST": "anon",
    "WANDB_X_DISABLE_MACHINE_INFO": "true",
    "WANDB_X_DISABLE_META": "true",
    "WANDB_X_DISABLE_STATS": "true",
}
AGENT_VARIABLE = "WANDB_SWEEP_ID"  # set by `wandb agent`, which is of no use offline


def set_private_defaults() -> None:
    """Set what is not set in the environment so that W&B is offline and keeps to itself.

    WANDB_MODE=online sends the curves; any other switch can be given back the same way.
    """
    defaults = PRIVATE | {"WANDB_DATA_DIR": str(Path(tempfile.gettempdir()) / "wandb_data")}
    if AGENT_VARIABLE not in os.environ:
        defaults["WANDB_MODE"] = "offline"
    for name, value in defaults.items():
        os.environ.setdefault(name, value)


class PrivateWandbLogger(WandbLogger):
    """Log curves and hyper-parameters to W&B; offline unless WANDB_MODE=online.

    Of the configuration only `hyper_parameters` are logged. In tables every text and every column
    of ids is replaced by a pseudonym. Checkpoints are never sent.

    Args:
        save_dir: folder of the run.
        project: of W&B.
        name: of the run.
    """

    def __init__(self, save_dir: str, *, project: str = "lsemvae", name: str | None = None) -> None:
        set_private_defaults()
        super().__init__(name=name, save_dir=save_dir, project=project, log_model=False)

    @property
    def experiment(self) -> Any:
        """Return W&B's run; its local log, which holds paths, is emptied when the run begins."""
        is_new = self._experiment is None
        run = super().experiment
        if is_new:
            _quieten_local_log()
        return run

    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kw: Any) -> None:
        """Log what of a configuration may leave the machine."""
        config = vars(params) if isinstance(params, Namespace) else params
        self.experiment.config.update(hyper_parameters(config), allow_val_change=True)

    @rank_zero_only
    def log_table(
        self,
        key: str,
        columns: list[str] | None = None,
        data: list[list[Any]] | None = None,
        dataframe: Any = None,
        step: int | None = None,
    ) -> None:
        """Log a table of numbers; texts and ids become pseudonyms."""
        if dataframe is not None:
            columns, data = list(dataframe.columns), dataframe.to_numpy().tolist()
        salt, names = local_salt(), columns or []
        hidden = [
            [_hidden(value, names[number : number + 1], salt) for number, value in enumerate(row)]
            for row in data or []
        ]
        super().log_table(key, columns=columns, data=hidden, step=step)


def log_configuration(logger: Any, config: Mapping[str, Any]) -> None:
    """Give a run's configuration to a logger that knows what of it to keep back."""
    if isinstance(logger, PrivateWandbLogger):
        logger.log_hyperparams(dict(config))


def _hidden(value: Any, column: list[str], salt: bytes) -> Any:
    is_id = bool(column) and str(column[0]).lower().rstrip("s").endswith(
        ("id", "record", "patient")
    )
    if is_id or not isinstance(value, bool | int | float | None):
        return pseudonym(str(value), salt)
    return value


def _quieten_local_log() -> None:
    """Empty W&B's debug.log and let only warnings into it: it repeats paths and the config.

    The link beside it, to the log of W&B's own process, names the user's home.
    """
    for handler in logging.getLogger("wandb").handlers:
        if isinstance(handler, logging.FileHandler):
            handler.setLevel(logging.WARNING)
            log = Path(handler.baseFilename)
            log.write_text("")
            for link in filter(Path.is_symlink, log.parent.iterdir()):
                link.unlink()
