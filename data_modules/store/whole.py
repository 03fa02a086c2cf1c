"""Compare the table of a store with its digest."""

from typing import TYPE_CHECKING

from data_modules.store.content import StoreDescription, content_attributes, content_digest
from lsemvae.core.errors import InputError

if TYPE_CHECKING:
    from data_modules.store.read import EcgStore


def table_is_whole(store: "EcgStore") -> bool:
    """Tell whether table, flags and description are those that the store's digest was made of."""
    description = StoreDescription(
        store.sampling_rate_hz, store.n_samples, store.unit, store.label, store.settings,
        store.source, store.made_by,
    )  # fmt: skip
    attributes = content_attributes(
        description,
        n_listed=store.plan.n_listed,
        synthetic=store.synthetic,
        reasons=store.reasons,
    )
    return (
        content_digest(attributes, {name: store.part(name) for name in store.parts}) == store.sha256
    )


def check_table(store: "EcgStore") -> None:
    """Refuse a table or a description with a changed bit, which may be a label or a unit.

    Raises:
        InputError: names the store.
    """
    if not table_is_whole(store):
        raise InputError(
            f"{store.named}: the table is not the one that was written (its SHA-256 differs): the "
            "disk or a copy has changed it; copy the store again or prepare it again"
        )
