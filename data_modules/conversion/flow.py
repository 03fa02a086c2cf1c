"""Carry a study's flow from its table to the store, with the step that made the store."""

from pathlib import Path

from data_modules.cohort.flow import (
    FLOW_NAME,
    flow_of_store,
    is_flow_of,
    read_flow,
    write_flow,
)
from data_modules.conversion.quarantine import ConversionSummary
from data_modules.reading.reasons import REASONS
from lsemvae.core.errors import InputError
from lsemvae.core.printable import say
from lsemvae.core.study_flow import Exclusion, Flow, FlowStep


def carry_flow(table: Path, summary: ConversionSummary) -> None:
    """Write STORE.flow.json where the table has a flow beside it that leads to it.

    Args:
        table: that was converted.
        summary: of the conversion.
    """
    there, here = table.with_name(FLOW_NAME), flow_of_store(summary.store)
    here.unlink(missing_ok=True)  # that of an older store
    if not there.is_file():
        return
    try:
        flow = read_flow(there)
    except InputError as error:
        say(f"warning: {error}")
        return
    if not is_flow_of(flow, table):
        say(f"warning: {table} was changed since {there} was written; the flow was left out")
        return
    left_out = flow.steps[-1].n - summary.listed
    write_flow(here, flow._replace(steps=(*flow.steps, *_steps(flow, summary, left_out))))


def _steps(flow: Flow, summary: ConversionSummary, left_out: int) -> list[FlowStep]:
    asked = [Exclusion("left out with --exclude", left_out)] if left_out else []
    rejected = [Exclusion(REASONS[code], n) for code, n in summary.rejected.items()]
    unit = flow.steps[-1].unit
    text = "recordings in the store"
    return [FlowStep("study", text, unit, summary.accepted, (*asked, *rejected))]
