"""Say what a trained head was made for, and compare it with what it is about to be used on."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from lsemvae.core.ecg_input import EcgInput
from lsemvae.core.errors import InputError
from lsemvae.core.printable import say


class HeldOut(NamedTuple):
    """Who was not trained on.

    Attributes:
        store: digest of the cohort.
        splits: digest of the frozen folds; empty where nobody was held out.
        fold: that was held out; None for a final model.
    """

    store: str
    splits: str
    fold: int | None

    def __str__(self) -> str:
        """Name the fold."""
        return "nobody" if self.fold is None else f"fold {self.fold} of splits {self.splits[:8]}"


class MadeFor(NamedTuple):
    """What decides whether the output of a head means anything; None where it is not known.

    Attributes:
        leads: their names, in order.
        task: such as `detection`.
        label: how the positive class is defined, such as `mPAP > 20 mmHg`.
        ecg_input: rate, length, band, segment, normalisation and unit of the recordings.
        held_out: whom the head was not trained on, and who is about to be predicted; compared
            within one cohort.
    """

    leads: tuple[str, ...] | None = None
    task: str | None = None
    label: str | None = None
    ecg_input: EcgInput | None = None
    held_out: HeldOut | None = None

    def plain(self) -> dict[str, Any]:
        """Return plain values for a checkpoint."""
        given = None if self.ecg_input is None else self.ecg_input._asdict()
        held_out = self.held_out and list(self.held_out)
        leads = self.leads and list(self.leads)
        return {**self._asdict(), "leads": leads, "ecg_input": given, "held_out": held_out}

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> "MadeFor":
        """Restore what `plain` returned; what this version does not know is left out."""
        given = values.get("ecg_input")
        known = {name: given[name] for name in EcgInput._fields if name in given} if given else None
        if known:
            known["band_hz"] = tuple(known["band_hz"])
        return cls(
            leads=tuple(values["leads"]) if values.get("leads") else None,
            task=values.get("task"),
            label=values.get("label"),
            ecg_input=EcgInput(**known) if known else None,
            held_out=HeldOut(*values["held_out"]) if values.get("held_out") else None,
        )

    def differences(self, other: "MadeFor") -> list[str]:
        """Name every known field in which two descriptions differ, for an error message."""
        found = [
            f"{name} {_text(mine)} against {_text(theirs)}"
            for name, mine, theirs in (
                ("leads", self.leads, other.leads),
                ("task", self.task, other.task),
                ("label", self.label, other.label),
            )
            if mine is not None and theirs is not None and mine != theirs
        ]
        if self.ecg_input is not None and other.ecg_input is not None:
            found += self.ecg_input.differences(other.ecg_input)
        mine, theirs = self.held_out, other.held_out
        if mine and theirs and mine.store == theirs.store and mine != theirs:
            found.append(
                f"held out {mine} against {theirs}, which holds patients that it was trained on"
            )
        return found


def check_made_for(
    head: str, made_for: MadeFor | None, given: MadeFor, *, used_on: str = "what is given"
) -> None:
    """Refuse a trained head on anything but what it was made for.

    Every command that applies a head calls this.

    Args:
        head: names it in the message.
        made_for: from its checkpoint; None for one of an older version, which is told.
        given: what it is about to be used on; what is None there is not compared.
        used_on: names that in the message.

    Raises:
        InputError: names every difference.
    """
    if made_for is None:
        say(
            f"note: {head} does not say what it was made for, so leads, task, label and unit "
            "cannot be compared with those given; a head that is trained now says it"
        )
        return
    differences = made_for.differences(given)
    if differences:
        raise InputError(
            f"{head} was made for something else (head against {used_on}: "
            f"{'; '.join(differences)}); use it on what it was made for, or train another"
        )


def _text(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else ",".join(value)
