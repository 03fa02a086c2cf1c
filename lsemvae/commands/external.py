"""Validate a locked model on a labelled cohort of another place: `lsemvae external`."""

from pathlib import Path

from lsemvae.core.printable import say


def external(
    model: str,
    *,
    cohort: str,
    out: str = "reports/external",
    label: str | None = None,
    site: str | None = None,
    point: str | None = None,
    subgroups: list[str] | None = None,
    n_resamples: int = 2000,
    n_draws: int = 200,
    title: str | None = None,
) -> None:
    """Write a report of how a locked model does on patients of another place.

    Discrimination, calibration, the model's own thresholds, decision curve, case mix, subgroups,
    recalibration with patients of the new place, and sites. Patients that the model was trained on
    are withheld. Research software, not a medical device.

    Args:
        model: written by `lsemvae lock`, or by `lsemvae export`.
        cohort: store made by `lsemvae prepare cohort`, with the model's task among its columns.
        out: folder that gets index.html, external.json, CSV files and figures.
        label: column of 0 and 1 that means the same as the model's task, where it has another name.
        site: column of the sites; `site`, `hospital` or `centre` by default, where there is one.
        point: operating point in use; the model's own by default.
        subgroups: columns of the cohort to split by, besides sex and age.
        n_resamples: of every bootstrap, 20 to 100000.
        n_draws: of patients, for each size of the recalibration's learning curve.
        title: of the page.
    """
    from lsemvae.commands.predict import open_yes_or_no
    from lsemvae.core.one_writer import writing_alone
    from lsemvae.core.resamples import check_resamples
    from lsemvae.external.gather import gather_external
    from lsemvae.external.page import check_external_folder, write_external_report
    from lsemvae.external.performance import cautions, of_how_many

    for name, value in (("n_resamples", n_resamples), ("n_draws", n_draws)):
        check_resamples(name, value, least=20)
    folder = Path(out)
    check_external_folder(folder)
    with writing_alone(folder):
        evidence = gather_external(
            open_yes_or_no(Path(model), "external"), cohort, folder, label=label, site=site,
            point=point, subgroups=subgroups, n_resamples=n_resamples, n_draws=n_draws, title=title,
        )  # fmt: skip
        page = write_external_report(evidence, folder)
    say(of_how_many(evidence))
    for text in cautions(evidence):
        say(f"warning: {text}")
    say(f"report: {page}")
