"""Appendix: what contradicts itself in the paper's own tables, which stand beside ours."""

from lsemvae.evaluation.report.blocks import Section, Table, Text
from lsemvae.evaluation.tables.paper import paper_table
from lsemvae.evaluation.tables.table_checks import check_tables


def published_section() -> Section:
    """Return the self-check of the paper's Tables 1 and 2."""
    tables = (paper_table(name) for name in ("table1", "table2", "text_counts", "text_gains"))
    found = check_tables(*tables)
    rows = [[f.check, "; ".join(f.where), f.message] for f in found]
    text = Text(
        "The paper's figures stand beside ours in this report; these of them contradict each other "
        f"or cannot be ({len(found)} findings of `lsemvae check tables`)."
    )
    table = Table("Findings in the paper's Tables 1 and 2 and in what its text says of them.",
                  ("check", "where", "finding"), rows, wrap=True)  # fmt: skip
    facts = {"findings": [{"check": f.check, "where": list(f.where), "message": f.message}
                          for f in found]}  # fmt: skip
    return Section("published", "Appendix: the paper's tables", [text, table], facts)
