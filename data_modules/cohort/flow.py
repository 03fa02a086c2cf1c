"""Count who came into a study and who did not, step by step, in a file that travels with it."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from lsemvae.core.errors import InputError
from lsemvae.core.files import file_sha256, read_json, write_text

FORMAT = "lsemvae-flow"
VERSION = 1
FLOW_NAME = "flow.json"

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
    """

    steps: tuple[FlowStep, ...]
    rules: str = ""
    table_sha256: str = ""
    synthetic: bool = False


def write_flow(path: Path, flow: Flow) -> None:
    """Write a flow as JSON: the fields of the three records under their names.

    Raises:
        InputError: its steps do not add up, or the file cannot be written.
    """
    _check(flow, path)
    steps = [
        {**step._asdict(), "excluded": [one._asdict() for one in step.excluded]}
        for step in flow.steps
    ]
    content = {"format": FORMAT, "version": VERSION, **flow._asdict(), "steps": steps}
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def read_flow(path: Path) -> Flow:
    """Read the flow that `write_flow` wrote.

    Raises:
        InputError: it is no flow, or its steps do not add up.
    """
    content = read_json(path, "run `lsemvae link` again")
    if not isinstance(content, dict):
        raise _refuse(path, "is no JSON object")
    head = content.pop("format", None), content.pop("version", None)
    if head != (FORMAT, VERSION):
        raise _refuse(path, f"states {head}, expected {(FORMAT, VERSION)}")
    try:
        flow = Flow(**content | {"steps": tuple(map(_step, content["steps"]))})
    except (KeyError, TypeError) as error:
        raise _refuse(path, f"lacks a field or has another one ({error})") from error
    _check(flow, path)
    return flow


def flow_of_store(store: Path) -> Path:
    """Return where a store's flow lies: STORE.flow.json."""
    return store.with_name(f"{store.name}.{FLOW_NAME}")


def is_flow_of(flow: Flow, table: Path) -> bool:
    """Tell whether a flow leads to this very table, to the byte."""
    return flow.table_sha256 == file_sha256(table)


def _step(stored: dict[str, Any]) -> FlowStep:
    return FlowStep(**stored | {"excluded": tuple(Exclusion(**one) for one in stored["excluded"])})


def _check(flow: Flow, path: Path) -> None:
    """Refuse counts that are none, names that are none, and steps that lose somebody unseen."""
    for step in flow.steps:
        counts = [step.n, *(one.n for one in step.excluded)]
        if step.arm not in get_args(Arm) or step.unit not in get_args(Unit):
            raise _refuse(path, f"has a step of arm {step.arm!r} in {step.unit!r}")
        if not all(isinstance(n, int) and n >= 0 for n in counts):
            raise _refuse(path, f"counts {counts} at {step.text!r}; expected whole numbers from 0")
    for arm in get_args(Arm):
        for before, after in pairwise(step for step in flow.steps if step.arm == arm):
            left = before.n - sum(one.n for one in after.excluded)
            if before.unit == after.unit and left != after.n:
                raise _refuse(path, f"leaves {left} at {after.text!r} and states {after.n}")


def _refuse(path: Path, problem: str) -> InputError:
    return InputError(f"{path} {problem}; run `lsemvae link` again")
