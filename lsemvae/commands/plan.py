"""Say how many patients a study needs: `lsemvae plan`."""

from pathlib import Path

from lsemvae.core.figure_files import save_figure
from lsemvae.core.outputs import check_picture_file
from lsemvae.core.printable import say

CAPTION = (
    "Patients that a study needs, one recording each. Expected: AUROC {auroc:g}, prevalence "
    "{prevalence:g}, normal log odds of a calibrated model. The upper rows are for measuring a "
    "model that is applied as it is; the rows `develop` for a regression by maximum likelihood. A "
    "network that is trained end to end needs more, and no formula says how many."
)


def plan(
    prevalence: float,
    auroc: float,
    *,
    n_patients: int | None = None,
    sensitivity: float = 0.9,
    auroc_half_width: float = 0.05,
    share_half_width: float = 0.1,
    slope_half_width: float = 0.2,
    ratio_half_width: float = 0.1,
    n_parameters: list[int] | None = None,
    out: str = "reports/plan",
) -> None:
    """Say how many patients a study needs, as a table and a picture.

    Precision of the AUROC, of sensitivity and specificity, of observed / expected and of the
    calibration slope, and the criteria of Riley and others for developing a prediction model.

    Args:
        prevalence: share of positives to expect, 0 to 1.
        auroc: of the model, to expect.
        n_patients: of a study that is given: what it would reach.
        sensitivity: at which the model is to be used; the specificity there follows.
        auroc_half_width: wanted half width of the AUROC's 95 % interval.
        share_half_width: the same of sensitivity and specificity.
        slope_half_width: the same of the calibration slope.
        ratio_half_width: the same of observed / expected positives.
        n_parameters: candidate parameters of a regression that is developed; 3, 10 and 30 where
            nothing is given (age, sex and heart rate are 3).
        out: path of the files without extension.
    """
    from rich.table import Table

    from lsemvae.core.errors import InputError
    from lsemvae.core.one_writer import writing_alone
    from lsemvae.evaluation.plots.study_plan import plan_figure
    from lsemvae.evaluation.tables.study_plan import StudyPlan, plan_table, precisions
    from lsemvae.evaluation.tables.table_files import table_stem, write_table
    from lsemvae.evaluation.tables.terminal import PlainConsole

    if n_patients is not None and n_patients < 2:
        raise InputError(f"n_patients must be at least 2, got {n_patients}")
    wanted = StudyPlan(
        prevalence, auroc, sensitivity, auroc_half_width, share_half_width, slope_half_width,
        n_parameters or StudyPlan.n_parameters, ratio_half_width,
    )  # fmt: skip
    table = plan_table(wanted, n_patients)
    stem = table_stem(Path(out.removesuffix(".png")))
    picture = stem.with_name(f"{stem.name}.png")
    check_picture_file(picture)
    shown = Table(*table.columns, title=f"expected AUROC {auroc:g}, prevalence {prevalence:g}")
    for row in table.itertuples(index=False):
        shown.add_row(*map(str, row))
    PlainConsole().print(shown)
    caption = CAPTION.format(auroc=auroc, prevalence=prevalence)
    title = f"Expected: AUROC {auroc:g}, prevalence {prevalence:g}"
    with writing_alone(picture.parent, wait=True):
        files = write_table(table, stem, caption)
        save_figure(plan_figure(precisions(wanted), title, n_patients), picture, dpi=150)
    say("written: " + ", ".join(map(str, [*files, picture])))
