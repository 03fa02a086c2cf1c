"""Call from Python what `lsemvae prepare` and `lsemvae fit` are on the command line."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsemvae.command_table import load, members
from lsemvae.core.errors import InputError

if TYPE_CHECKING:
    from data_modules.conversion.quarantine import ConversionSummary


def prepare(what: str, /, **arguments: Any) -> "ConversionSummary":
    """Make a store of recordings, as `lsemvae prepare WHAT` does.

    Args:
        what: cohort, mimic, archive or another second word of the command.
        arguments: of that command, by name: `table`, `source`, `out` ... of `cohort`; the signal
            settings are `signal=SignalSettings(...)` of data_modules.signals.settings.

    Returns:
        The store, the quarantine list and how many recordings were accepted and why not.

    Raises:
        InputError: as the command, or another word.
    """
    if what not in members("prepare"):
        raise InputError(f"prepare takes {', '.join(members('prepare'))}; got {what!r}")
    summary: ConversionSummary = load(f"prepare {what}")(**arguments)
    return summary


def fit(config: str | Path, options: Mapping[str, Any] | None = None) -> Path | None:
    """Train what a YAML describes, as `lightning fit --config CONFIG` does.

    Args:
        config: an experiment file.
        options: by the names of the command line without dashes, such as
            `{"data.init_args.store": "data/mimic.h5", "trainer.max_epochs": 5}`.

    Returns:
        The last checkpoint, None where the configuration writes none.

    Raises:
        InputError: as the command.
    """
    from lsemvae.lightning_cli import run_lightning

    given = [f"--{name}={value}" for name, value in (options or {}).items()]
    return run_lightning(["fit", "--config", str(config), *given])
