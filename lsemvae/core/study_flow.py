"""Hold the flow of a study: who came into it and who did not, step by step."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

Arm = Literal["recordings", "table", "study"]
Unit = Literal["recordings", "rows", "patients"]


class Exclusion(NamedTuple):
    """Who was left out on the way to a step, and by what.

    Attributes:
        reason: a short text, such as `no ECG within 30 days`.
        n: how many, in the unit of the step before.
        rule: the rule of eligibility word by word; empty where no rule was asked for.
    """

    reason: str
    n: int
    rule: str = ""


class FlowStep(NamedTuple):
    """A box of the flow diagram.

    Attributes:
        arm: `recordings` and `table` are the two arms that meet in `study`.
        text: what is counted, such as `files that state id and time`.
        unit: of `n`.
        n: how many are left.
        excluded: who was left out since the step before of the same arm. Where both count the same
            unit, that step's `n` is this one's and all these together.
        patients: different patients among them, None where it is not known.
    """

    arm: Arm
    text: str
    unit: Unit
    n: int
    excluded: tuple[Exclusion, ...] = ()
    patients: int | None = None


class Flow(NamedTuple):
    """The flow of a study.

    Attributes:
        steps: each arm's from the first to the last.
        rules: the file of eligibility rules word by word; empty where there was none.
        table_sha256: digest of the cohort table that the flow leads to.
        synthetic: whether the recordings say that they are synthetic.
        linking: the options of `lsemvae link` by name; empty where they are not known.
    """

    steps: tuple[FlowStep, ...]
    rules: str = ""
    table_sha256: str = ""
    synthetic: bool = False
    linking: Mapping[str, Any] = {}
