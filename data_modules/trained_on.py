"""Keep and read hashes of what a pre-training run has seen, beside its log."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_modules.dataset import EcgPool
from data_modules.near_copies import marks_of
from data_modules.parts import NONE, PRETRAINING, Members, Part, part_of
from data_modules.store.content import Hashes
from lsemvae.core.errors import InputError
from lsemvae.core.files import replacing
from lsemvae.core.npz_file import read_npz
from lsemvae.core.shipped_encoders import encoder_path

FILE_NAME = "trained_on.npz"


def write_trained_on(
    folder: Path, pool: EcgPool, rows: npt.NDArray[np.int64], *, earlier: Part | None = None,
    sha256: str | None = None,
) -> None:  # fmt: skip
    """Write hashes of what a pre-training run is about to see beside its log.

    The file holds no ids, but whoever can guess an id can tell whether it is in there: it is not
    for publication beside the checkpoint of a private cohort.

    Args:
        folder: of the log.
        pool: the stores.
        rows: of the pool that the run may see.
        earlier: what the run that this one resumes had seen.
        sha256: digests of the stores of both; those of the pool by default.
    """
    columns = ["record", "patient_id", "signal_sha256"]
    own = pd.concat([store.select(columns) for store in pool.stores], ignore_index=True)
    part = part_of(PRETRAINING, [own.iloc[rows]])._replace(near=marks_of(pool, rows))
    parts = [part, *([] if earlier is None else [earlier])]
    patient, signal, near = (
        np.unique(np.concatenate([one.members(kind, spelt=True).hashes for one in parts]))
        for kind in ("patient", "signal", "near")
    )
    named = np.array(any(one.pseudonyms for one in parts))
    digests = np.array(sha256 or pool.sha256)
    with replacing(folder / FILE_NAME) as temporary:
        np.savez(
            temporary, patient=patient, signal=signal, near=near, sha256=digests, pseudonyms=named
        )


def read_trained_on(encoder: Path, sha256: str) -> Part | None:
    """Return what a checkpoint was trained on, from the file beside its run.

    Args:
        encoder: the checkpoint; the file lies in its folder or in the one above.
        sha256: digests of the stores as the checkpoint gives them.

    Returns:
        None where there is no file, or one of another run: then nothing is known.

    Raises:
        InputError: the file cannot be read.
    """
    for folder in Path(encoder_path(str(encoder))).absolute().parents[:2]:
        file = folder / FILE_NAME
        if not file.is_file():
            continue
        try:
            kept = read_hashes(file, needs=["sha256"])
            if kept.sha256 == sha256:
                patient, signal = Members(kept.patient), Members(kept.signal)
                return Part(
                    PRETRAINING, patient, signal, near=kept.near, pseudonyms=kept.pseudonyms
                )
        except ValueError as error:
            raise InputError(
                f"{file} is damaged ({error}); remove it, or pre-train again"
            ) from error
    return None


class Kept(NamedTuple):
    """What `write_trained_on` writes; older programs wrote no `near` and no `pseudonyms`."""

    patient: Hashes
    signal: Hashes
    near: Hashes
    sha256: str
    pseudonyms: bool


def read_hashes(file: Path, needs: Sequence[str] = ()) -> Kept:
    """Return the hashes of patients and of signals in a file, and the digest of their stores.

    Args:
        file: written by `write_trained_on`.
        needs: what else it must hold: `sha256`, where the digest is asked for.

    Raises:
        ValueError: it is not what `write_trained_on` writes.
    """
    kept = read_npz(file, ["patient", "signal", *needs])
    hashes = kept["patient"], kept["signal"], kept.get("near", NONE)
    if any(one.ndim != 1 or one.dtype != np.uint64 for one in hashes):
        raise ValueError("its hashes are no whole numbers")
    return Kept(*hashes, str(kept.get("sha256", "")), bool(kept.get("pseudonyms", False)))
