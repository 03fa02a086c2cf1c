"""Write one page, and every number of it, from the files of finished runs."""

from functools import partial
from pathlib import Path

from lsemvae.core.errors import InputError
from lsemvae.core.printable import say


def report(
    runs: list[str] | None = None,
    *,
    cv: str | None = None,
    cohort: str | None = None,
    pretrain: str | None = None,
    explain: str | None = None,
    out: str = "reports",
    title: str | None = None,
    reference: str = "ls_emvae",
    subgroups: list[str] | None = None,
    n_resamples: int = 2000,
    max_days: int = 30,
    pdf: bool = False,
) -> Path:
    """Write a page about finished cross-validations from their files alone.

    Writes index.html (needs no other file), report.json (every number), model cards and figures.
    Refuses missing folds, patients predicted twice, runs of other data or folds, and leaks that
    the runs do not admit.

    Args:
        runs: folders of runs (OUT/TASK/METHOD/LEADS) or folders above them; words without an
            option, `lsemvae report RUN RUN --out DIR`.
        cv: one more folder above runs (the --out of `lsemvae cv`).
        cohort: the store that was cross-validated; without it sections that need it say so.
        pretrain: folder of the pre-training run, for the diagnostics of the latent space.
        explain: folder of `lsemvae explain`.
        out: folder that gets the report.
        title: of the page; the names of the methods by default.
        reference: method that the others are compared with, and that the long tables show first.
        subgroups: columns of the cohort to split by, besides sex and age.
        n_resamples: of every bootstrap, 100 to 100000.
        max_days: allowed days between ECG and catheter.
        pdf: print report.pdf too, by a Chromium that is installed.

    Returns:
        The page, index.html.
    """
    from data_modules.progress import show_each
    from lsemvae.core.resamples import check_resamples
    from lsemvae.evaluation.report.page import check_report_folder, write_report
    from lsemvae.evaluation.report.pdf import find_chromium, print_pdf

    folders = [*(runs or []), *([cv] if cv is not None else [])]
    if not folders:
        raise InputError("name the folders of runs: `lsemvae report runs/cv --out reports`")
    check_resamples("n_resamples", n_resamples, least=100)
    check_report_folder(Path(out))
    chromium = find_chromium() if pdf else None
    from lsemvae.report_evidence.gather import SUBGROUPS, gather_evidence

    columns = list(dict.fromkeys([*SUBGROUPS, *(subgroups or [])]))
    evidence = gather_evidence(
        folders, cohort, pretrain, explain, title=title, reference=reference, subgroups=columns,
        n_resamples=n_resamples, max_days=max_days,
    )  # fmt: skip
    page = write_report(evidence, Path(out), partial(show_each, text="sections of the report"))
    say(f"report: {page}")
    if chromium is not None:
        say(f"report: {print_pdf(page, chromium)}")
    return page
