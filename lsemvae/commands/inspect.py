"""Say what a store holds, and whether it is what was written."""

import json
from typing import TYPE_CHECKING

from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.printable import say

N_MEASURED = 500  # 60 MB of signals, read in a moment whatever the store's size

if TYPE_CHECKING:
    from data_modules.store.read import EcgStore


def inspect(store: str, *, verify: bool = False) -> None:
    """Say what is in a store, from what and with which settings it was made.

    The table is always compared with the store's digest.

    Args:
        store: made by `lsemvae prepare`.
        verify: also hash every signal and compare it with the digest in the table; reads the whole
            store, about a minute for each 50 GB.

    Raises:
        InputError: the file is no store, or not what was written.
    """
    from data_modules.store.read import EcgStore

    opened = EcgStore(store)
    described = describe(opened)
    width = max(map(len, described))
    for name, text in described.items():
        say(f"{name:{width}}  {text}")
    say(f"{'table':{width}}  as written")
    if verify:
        _verify(opened, store)
        say(f"{'signals':{width}}  as written, all {len(opened):,}")
    else:
        say(f"{'signals':{width}}  not compared; --verify does")


def describe(store: "EcgStore") -> dict[str, str]:
    """Return what a store says about itself, line by line."""
    import numpy as np

    from lsemvae.core.leads import LEADS

    listed, patients = store.plan.n_listed, len(np.unique(store.column("patient_id")))
    lacking = {lead: int(n) for lead, n in zip(LEADS, (~store.present).sum(0), strict=True) if n}
    shards = counted(store.plan.n_shards, "shard")
    files = f"an index and {shards}" if store.shard_folder else "one file"
    return {
        "store": f"{store.path}, {files}",
        "data": f"{store.label}{', SYNTHETIC' if store.synthetic else ''}",
        "made from": f"{counted(listed, 'listed recording')} in {store.source or '(not named)'}",
        "made by": store.made_by or "(not named)",
        "records": f"{len(store):,} of {counted(patients, 'patient')}",
        "rejected": _counts(store.reasons.get("rejected", {})),
        "warnings": _counts(store.reasons.get("warnings", {})),
        "signals": f"12 leads of {store.n_samples} samples at {store.sampling_rate_hz:g} Hz, int16 "
        f"counts of 1/1000 {store.unit}",
        "amplitudes": _amplitudes(store),
        "leads lacking": _counts(lacking),
        "settings": json.dumps(store.settings),
        "columns": ", ".join(f"{name} ({n:,})" for name, n in _filled(store).items()),
        "sha256": store.sha256,
    }


def _amplitudes(store: "EcgStore") -> str:
    """Compare the amplitudes of some recordings with usual ones."""
    import numpy as np

    from data_modules.signals.gains import gain_doubts, store_amplitudes

    if store.unit != "mV":
        return "arbitrary, so not compared with usual ones"
    amplitude = store_amplitudes(store, N_MEASURED)
    found = gain_doubts(amplitude)
    told = (
        f"{np.nanmedian(amplitude):.2g} times the usual ones, median of "
        f"{counted(len(amplitude), 'record')}"
    )
    return f"WARNING: {found.cohort}" if found.cohort else told


def _filled(store: "EcgStore") -> dict[str, int]:
    """Count the filled cells of each column."""
    import numpy as np

    columns = {name: store.column(name) for name in store.columns}
    return {
        name: int((~np.isnan(values) if values.dtype.kind == "f" else values != b"").sum())
        for name, values in columns.items()
    }


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in counts.items()) or "none"


def _verify(opened: "EcgStore", store: str) -> None:
    """Hash every signal; name the changed ones."""
    from data_modules.progress import show_progress
    from data_modules.store.check import BLOCK, changed_signals

    blocks = ((BLOCK, names) for names in changed_signals(opened))
    progress = show_progress(blocks, total=len(opened), text="hashing signals")
    changed = [name for names in progress for name in names]
    if changed:
        raise InputError(
            f"{store}: the signals of {counted(len(changed), 'record')} are not those that were "
            f"written, the first is {changed[0]}; copy the store again, or prepare it again"
        )
