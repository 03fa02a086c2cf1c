"""`lsemvae check`: published tables, cohorts."""

from collections.abc import Sequence
from pathlib import Path

from lsemvae.findings import Finding, describe_findings, write_findings


def check_published(
    *, table1: str | None = None, table2: str | None = None, out: str | None = None
) -> None:
    """List what contradicts itself in published tables; without arguments the paper's own.

    Group sizes and accuracies, MCC and accuracy, pooled columns, pressures, p-values, and what the
    paper's text says of its tables. Findings are no error: the exit code is 0. It is 2 where a
    table cannot be read.

    Args:
        table1: another table of characteristics, a CSV file in the form of the package's
            evaluation/paper_tables/table1.csv; its group sizes serve table 2 too.
        table2: another table of results, in the form of evaluation/paper_tables/table2.csv.
        out: CSV file for the findings.
    """
    from lsemvae.evaluation.paper import paper_table
    from lsemvae.evaluation.table_checks import check_tables, read_published

    first, second = (
        paper_table(name) if path is None else read_published(Path(path), name)
        for name, path in (("table1", table1), ("table2", table2))
    )
    counts, gains = paper_table("text_counts"), paper_table("text_gains")
    if table1 is not None:
        counts = counts[:0]
    if table2 is not None:
        gains = gains[:0]
    show(check_tables(first, second, counts, gains), out)


def show(findings: Sequence[Finding], out: str | None) -> None:
    """Print findings and write them to a CSV file where one is named."""
    print(describe_findings(findings))
    if out is not None:
        write_findings(findings, Path(out))
        print(f"written: {out}")
