"""Read who came into a store and who did not: from the study's flow, else from the store."""

from pathlib import Path

from data_modules.cohort.flow import flow_of_store, read_flow
from data_modules.reading.reasons import REASONS
from data_modules.store.read import EcgStore
from lsemvae.core.counted import counted
from lsemvae.core.study_flow import Exclusion, Flow, FlowStep


def study_flow(store: EcgStore) -> tuple[Flow, str]:
    """Return the flow that leads to a store, and a note where its file was not used.

    Raises:
        InputError: the file of the flow is none.
    """
    file = flow_of_store(Path(store.path))
    if not file.is_file():
        return flow_of_preparation(store), (
            f"{file.name} is not there: the flow begins with the recordings that were listed"
        )
    flow = read_flow(file)
    if flow.steps[-1].n != len(store):
        return flow_of_preparation(store), (
            f"{file.name} leads to {counted(flow.steps[-1].n, 'recording')} and the store has "
            f"{len(store)}; it was left out"
        )
    return flow, ""


def flow_of_preparation(store: EcgStore) -> Flow:
    """Return the last steps alone, as the store tells them: recordings listed, and those in it."""
    rejected = tuple(
        Exclusion(REASONS.get(code, code), n)
        for code, n in store.reasons.get("rejected", {}).items()
    )
    n_patients = store.table["patient_id"].nunique()
    return Flow((
        FlowStep("study", "recordings listed", "recordings", store.plan.n_listed),
        FlowStep("study", "recordings in the store", "recordings", len(store), rejected,
                 n_patients),
    ), synthetic=store.synthetic)  # fmt: skip
