"""Print what pre-training was worth, alone or after a cross-validation."""

from pathlib import Path
from typing import Any

import pandas as pd
from rich import box
from rich.table import Table

from lsemvae.core.errors import InputError
from lsemvae.core.figure_files import save_figure
from lsemvae.core.leads import lead_set_name
from lsemvae.core.one_writer import writing_alone
from lsemvae.core.printable import say
from lsemvae.core.targets import refuse_unless_binary
from lsemvae.crossval.frozen_encoder import read_encoder
from lsemvae.crossval.printed import print_table
from lsemvae.crossval.run import cross_validate, open_cohort
from lsemvae.crossval.settings import FEATURES, CvSettings
from lsemvae.evaluation.plots.label_curve import label_curve
from lsemvae.evaluation.tables.terminal import PlainConsole
from lsemvae.evaluation.worth import HEADER, worth_cells
from lsemvae.heads.mlp import MlpSettings
from lsemvae.models.methods import find_method
from lsemvae.references.probing import ProbeSettings
from lsemvae.references.study import StudySettings, study
from lsemvae.tasks import FocalSettings


def print_worth(result: dict[str, Any], folder: Path) -> None:
    """Print a study's table and sentence, and draw its label curves.

    Args:
        result: of `study`.
        folder: gets `label_curve.svg`.
    """
    lines = pd.DataFrame(result["rows"])
    data = f"{result['data']}{' (SYNTHETIC)' if result['synthetic'] else ''}"
    title = f"{result['task']}, {lead_set_name(result['leads'])}, {data}"
    PlainConsole().print(_terminal_table(title, worth_cells(lines)))
    save_figure(label_curve(lines, title), folder / "label_curve.svg")
    say(result["statement"])
    say(f"results: {folder}")


def _terminal_table(title: str, rows: list[list[str]]) -> Table:
    """Return a table that cuts no word in a terminal of 80 columns; head and labels are one."""
    table = Table(title=title, box=box.SIMPLE_HEAD, pad_edge=False)
    joined = [[f"{head}, {labels}", *others] for head, labels, *others in [list(HEADER), *rows]]
    for texts in zip(*joined, strict=True):
        longest = max(len(word) for text in texts for word in text.split())
        table.add_column(texts[0], width=longest)  # rich cuts below a min_width
    for cells in joined[1:]:
        table.add_row(*cells)
    return table


def run_with_references(settings: CvSettings, cohort: str, out: Path, **others: Any) -> Path:
    """Cross-validate, then say what pre-training was worth, with the head's schedule of the run.

    Arguments as in `cross_validate`.

    Raises:
        InputError: as `cross_validate`; the method freezes no encoder.
    """
    method = find_method(settings.method)
    if not method.pretrained or method.encoder_file is not None:
        raise InputError(
            f"--references judges a frozen encoder of ours by its untrained twins, method "
            f"{settings.method} is none; leave it out"
        )
    refuse_unless_binary(
        {"task": settings.task, "target": settings.target.described()}, "cv --references"
    )
    folder, metrics = cross_validate(settings, cohort, out, **others)
    print_table(metrics, folder)
    pretrained = read_encoder(method, settings.method, others["encoder"])
    data = open_cohort(settings, cohort, out, pretrained)
    focal = FocalSettings(settings.focal_alpha, settings.focal_gamma)
    head = MlpSettings(
        settings.epochs, settings.batch_size, settings.lr, focal=focal, seed=settings.seed
    )
    with writing_alone(folder):
        found = study(
            [pretrained], data, folder, out / FEATURES,
            StudySettings(ProbeSettings(seed=settings.seed), head), leakage=metrics,
            jobs=settings.jobs, overwrite=others.get("overwrite", False),
        )  # fmt: skip
        print_worth(found, folder)
    return folder
