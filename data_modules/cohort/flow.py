"""Keep the flow of a study in a file that travels with it."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

from lsemvae.core.errors import InputError
from lsemvae.core.files import file_sha256, write_text
from lsemvae.core.sealed_json import read_json
from lsemvae.core.study_flow import Arm, Exclusion, Flow, FlowStep, Unit

FORMAT = "lsemvae-flow"
VERSION = 1
FLOW_NAME = "flow.json"


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
    fields = {**flow._asdict(), "linking": dict(flow.linking)}
    content = {"format": FORMAT, "version": VERSION, **fields, "steps": steps}
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def read_flow(path: Path) -> Flow:
    """Read the flow that `write_flow` wrote.

    Raises:
        InputError: it is no flow, or its steps do not add up.
    """
    content = read_json(path, "run `lsemvae link` again")
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
