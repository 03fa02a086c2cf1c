"""Choose the one part of a file that is the recording: a rhythm of all leads, long enough."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from data_modules.reading.lead_names import known_lead
from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import RawRecording
from lsemvae.core.counted import counted
from lsemvae.core.leads import LEADS

SHORTEST_RHYTHM_S = 4.0  # a median beat or a template lasts 0.6 to 2 s
MAX_LISTED = 12
_MOST_TOLD = 300  # signs of a warning
_RHYTHM = re.compile(r"|rhythm([ _-]?strip)?", re.IGNORECASE)


class Part(NamedTuple):
    """One part of a file, as far as it can be told before its samples are decoded.

    Attributes:
        label: the file's name for it.
        names: its signals.
        sampling_rate_hz: 0 where it states none.
        n_samples: of each signal; 0 where it states none.
        read: decodes it.
        kind: what the file says that it is, empty where it says nothing.
    """

    label: str
    names: tuple[str, ...]
    sampling_rate_hz: float
    n_samples: int
    read: Callable[[], RawRecording]
    kind: str = "RHYTHM"

    @property
    def leads(self) -> frozenset[str]:
        """The known leads among its signals."""
        return frozenset(filter(None, map(known_lead, self.names)))

    @property
    def derived(self) -> bool:
        """Whether it is no rhythm: a median beat, or of no kind and as short as one."""
        short = not self.kind and self.seconds < SHORTEST_RHYTHM_S
        return short or _RHYTHM.fullmatch(self.kind) is None

    @property
    def seconds(self) -> float:
        """Its duration; 0 where it states none."""
        return self.n_samples / self.sampling_rate_hz if self.sampling_rate_hz > 0 else 0.0


def read_parts(parts: Sequence[Part], *, record: str) -> RawRecording:
    """Read the part that holds all leads of the file and lasts long enough, if it is the only one.

    Args:
        parts: every part of the file.
        record: the record as the user names it.

    Raises:
        RecordError: `layout_unsupported`, with a list of what is there; or what reading raises.
    """
    recorded = [part for part in parts if not part.derived]
    if len(recorded) == 1:
        return recorded[0].read()
    every = frozenset[str]().union(*(part.leads for part in recorded))
    whole = [
        part
        for part in recorded
        if part.leads == every and every and part.seconds >= SHORTEST_RHYTHM_S
    ]
    if len(whole) == 1:
        raw = whole[0].read()
        others = "; ".join(_described(part) for part in recorded if part is not whole[0])
        text = f"of {len(recorded)} parts one was read; left out: {others}"
        return raw._replace(warnings=(*raw.warnings, ("signals_ignored", text[:_MOST_TOLD])))
    problem = f"{_why(recorded, every, len(whole))}; {describe_parts(parts)}; {_step(recorded)}"
    raise RecordError("layout_unsupported", record=record, problem=problem)


def describe_parts(parts: Sequence[Part]) -> str:
    """List what a file holds: label, leads, rate and seconds of each part."""
    if not parts:
        return "it holds no signal"
    lines = [_described(part) for part in parts[:MAX_LISTED]]
    more = f" and {len(parts) - MAX_LISTED} more" if len(parts) > MAX_LISTED else ""
    return "it holds " + "; ".join(lines) + more


def _described(part: Part) -> str:
    return (
        f"{part.label[:40]!r} with {_names(part)}, {part.sampling_rate_hz:g} Hz, "
        f"{part.seconds:.3g} s ({part.n_samples} samples)"
    )


def _names(part: Part) -> str:
    known = sorted(part.leads, key=LEADS.index)
    return ", ".join(known) if known else f"{len(part.names)} signals that are no lead"


def _why(recorded: Sequence[Part], every: frozenset[str], n_whole: int) -> str:
    if not recorded:
        return "it holds no rhythm, only what was computed from one"
    if n_whole > 1:
        return (
            f"{counted(n_whole, 'part holds', 'parts hold')} all its leads, and nobody can tell "
            "which one is meant"
        )
    if sum(len(part.leads) for part in recorded) == len(every):
        return "each of its parts holds other leads, as where they were recorded in turn"
    return "no part holds all its leads at the same time for long enough"


def _step(recorded: Sequence[Part]) -> str:
    wanted = "the rhythm of all leads at the same time, 10 s, as one part"
    return f"export {wanted}" if recorded else f"export {wanted}, not the beat alone"
