"""State on a report's first page what is known about leakage, from a run's metrics.json."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from lsemvae.core.counted import counted


class LeakageStatement(NamedTuple):
    """One sentence or two for the first page.

    Attributes:
        clean: whether everything was compared and nothing is shared.
        text: what was compared and what was found.
    """

    clean: bool
    text: str


def leakage_statement(metrics: Mapping[str, Any]) -> LeakageStatement:
    """Say what was compared between pre-training, training and test, and what they share.

    Args:
        metrics: with `leaks` and `pretraining_compared`, which runs of an older version lack, and
            `near_other_patients` and `near_pretraining` where there are some.
    """
    if "leaks" not in metrics:
        return LeakageStatement(
            False, "This run was made before leakage was checked; run it again."
        )
    compared = {
        None: "The folds were compared with one another",
        True: "The folds were compared with one another and with the pre-training recordings",
        False: "The folds were compared with one another; what the encoder was pre-trained on is "
        "not known and was not compared",
    }[metrics["pretraining_compared"]]
    how = f"{compared}, by patient id and by the digest of every signal."
    names_differ = metrics.get("patients_compared") is False
    if names_differ:
        how += (
            " The pre-training's patients alone stand under pseudonyms, so whether it shares "
            "patients with the cohort is not known."
        )
    near = near_counts(metrics)
    near = f" {near}: the results may be too good." if near else ""
    if not metrics["leaks"]:
        clean = metrics["pretraining_compared"] is not False and not near and not names_differ
        shared = "" if names_differ else " They share nothing."
        return LeakageStatement(clean, f"{how}{shared}{near}")
    shared = "; ".join(
        f"{' and '.join(leak['between'])}: {counted(leak['n'], leak['kind'])}"
        for leak in metrics["leaks"]
    )
    return LeakageStatement(
        False,
        f"LEAKAGE, allowed by whoever ran this: {shared}. {how} The results may be too good.{near}",
    )


def near_counts(metrics: Mapping[str, Any]) -> str:
    """Count the recordings that are nearly others, as altered copies are; empty where none is.

    Args:
        metrics: as above.
    """
    pairs = (("near_other_patients", "another patient"), ("near_pretraining", "the pre-training"))
    said = [
        f"{counted(metrics[name], 'recording is', 'recordings are')} nearly the same as one of {of}"
        for name, of in pairs
        if metrics.get(name)
    ]
    return f"{', '.join(said)}, as altered copies are" if said else ""


def encoder_saw(metrics: Mapping[str, Any]) -> bool | None:
    """Tell whether the encoder was trained on recordings or patients of the run.

    Args:
        metrics: as above.

    Returns:
        None where nobody knows what the encoder was trained on.
    """
    leaks = [leak for leak in metrics.get("leaks", []) if "pre-training" in leak["between"]]
    if leaks or metrics["encoder_saw_these_recordings"]:
        return True
    known = metrics.get("pretraining_compared") is True or not metrics.get("encoder_sha256")
    return False if known else None
