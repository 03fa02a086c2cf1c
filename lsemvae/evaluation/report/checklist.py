"""Show where this report answers each item of TRIPOD+AI, and what it lacks."""

from collections.abc import Sequence

from lsemvae.evaluation.report.blocks import Section, Table, Text
from lsemvae.evaluation.tripod import tripod_index

INTRO = (
    "Items of TRIPOD+AI (doi:10.1136/bmj-2023-078378) in short words of our own, with the sections "
    "that hold an answer. It is an index with gaps, not a score."
)


def checklist_section(sections: Sequence[Section]) -> Section:
    """Return the index over the other sections."""
    facts: dict[str, str] = {}
    titles = {f"#{section.anchor}": section.title for section in sections}
    for section in sections:
        for name in section.answers:
            facts.setdefault(name, f"#{section.anchor}")
    index = tripod_index(facts)
    rows = [
        [row.item, row.topic, row.asks, ", ".join(titles[anchor] for anchor in row.where) or "-",
         row.gap or "-"]
        for row in index
    ]  # fmt: skip
    table = Table("TRIPOD+AI index of this report.",
                  ("item", "topic", "asks", "answered in", "gap"), rows, wrap=True)  # fmt: skip
    listed = {"items": [row._asdict() | {"where": list(row.where)} for row in index]}
    return Section("tripod", "TRIPOD+AI index", [Text(INTRO), table], listed)
