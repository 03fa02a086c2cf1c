"""Show what a network is made of when a training begins."""

from typing import Any

from lightning import Trainer
from lightning.pytorch.callbacks import RichModelSummary
from rich import get_console
from rich.table import Table

SHOWN = (" ", "Name", "Type", "Params", "Mode")


class ParameterSummary(RichModelSummary):
    """Lightning's summary without its count of operations, which is 0 for tasks without an example.

    Args:
        max_depth: of the modules that are listed.
    """

    @staticmethod
    def summarize(  # noqa: PLR0917 - Lightning's arguments
        summary_data: list[tuple[str, list[str]]],
        total_parameters: int,
        trainable_parameters: int,
        model_size: float,
        total_training_modes: dict[str, int],
        total_flops: int,
        **summarize_kwargs: Any,
    ) -> None:
        """Print a row for each module, and a line for all; arguments are Lightning's."""
        del total_training_modes, total_flops, summarize_kwargs
        shown = [(name, cells) for name, cells in summary_data if name in SHOWN]
        table = Table(*(name for name, _ in shown))
        for row in zip(*(cells for _, cells in shown), strict=True):
            table.add_row(*row)
        console = get_console()
        console.print(table)
        trained = f"{trainable_parameters:,} trained"
        console.print(f"{total_parameters:,} parameters ({model_size:.1f} MB), {trained}")


def show_parameters(trainer: Trainer) -> None:
    """Put `ParameterSummary` in the place of Lightning's summary, where there is one."""
    callbacks: list[Any] = trainer.callbacks  # type: ignore[attr-defined]
    for place, one in enumerate(callbacks):
        if type(one) is RichModelSummary:
            callbacks[place] = ParameterSummary(one._max_depth)
