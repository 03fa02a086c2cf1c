"""Apply the rules of a small YAML file that say who is not part of a study."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import yaml

from data_modules.linking.archive import Left
from data_modules.linking.signal_measures import SignalMeasures
from data_modules.reading.read import read_recording
from data_modules.reading.reasons import RecordError
from data_modules.signals.clean import clean_ecg
from data_modules.signals.pacing import find_spikes
from data_modules.signals.settings import SignalSettings
from lsemvae.core.errors import InputError
from lsemvae.core.suggestion import suggestion
from lsemvae.core.yaml_text import read_yaml

_NEGATED = r"(?<!no )(?<!not )(?<!without )"
_EXPECTED = (
    "a list `exclude` of rules, each with `reason` and one of `statement` (words), `paced` "
    "(statement, signal or any), `age_below`, `age_above`, `leads_below`, and `replace: true` "
    "where the patient's next recording may take its place; beside it `window` with `days` and "
    "`when` (nearest, before, after) if wanted"
)
_KEYS = ("exclude", "window")
PACED_WORDS = ("paced", "pacemaker", "pacing", "pacer")
SLOWEST_HZ = 250.0  # a spike is one sample of it


class Rule(NamedTuple):
    """One rule.

    Attributes:
        reason: as the flow shows it.
        condition: the key of what it looks at.
        value: of that key.
        text: the rule in one line, as the file has it.
        replace: whether the patient's next recording in the window takes the place of one that the
            rule excludes.
    """

    reason: str
    condition: str
    value: Any
    text: str
    replace: bool = False


class Rules(NamedTuple):
    """The rules of a file, its window (`days`, `when`) where it has one, its text word by word."""

    rules: tuple[Rule, ...]
    text: str
    window: Mapping[str, Any] = {}


class Verdict(NamedTuple):
    """Whom a rule excludes, and of whom it cannot tell; both (N,) bool."""

    excluded: "pd.Series[bool]"
    unknown: "pd.Series[bool]"


def read_rules(path: str | None) -> Rules:
    """Read the rules; none where there is no file.

    Raises:
        InputError: the file is missing, no YAML, or holds a rule that nobody knows.
    """
    if path is None:
        return Rules((), "")
    file = Path(path)
    if not file.is_file():
        raise InputError(f"there is no file of rules {path}; leave --rules out to exclude nobody")
    try:
        text, content = read_yaml(file)
    except InputError as error:
        raise InputError(f"{error}; expected {_EXPECTED}") from error
    if isinstance(content, dict) and (odd := [key for key in content if key not in _KEYS]):
        meant = suggestion(str(odd[0]), _KEYS)
        raise InputError(f"{path} has {str(odd[0])[:60]!r}{meant}; expected {_EXPECTED}")
    fields = content if isinstance(content, dict) else {}
    found, window = fields.get("exclude"), fields.get("window", {})
    if not isinstance(found, list) or not _is_window(window):
        raise InputError(f"{path} is not {_EXPECTED}")
    return Rules(tuple(_rule(one, path) for one in found), text, window)


def _is_window(found: object) -> bool:
    return (
        isinstance(found, dict)
        and set(found) <= {"days", "when"}
        and found.get("when", "nearest") in ("nearest", "before", "after")
        and type(found.get("days", 0)) is int
        and found.get("days", 0) >= 0
    )


def _rule(found: object, path: str) -> Rule:
    if isinstance(found, dict) and isinstance(found.get("reason"), str):
        conditions = [key for key in found if key not in ("reason", "replace")]
        replace = found.get("replace", False)
        check = _CHECKS.get(conditions[0]) if len(conditions) == 1 else None
        if check is not None and check(found[conditions[0]]) and isinstance(replace, bool):
            shown = yaml.safe_dump(found, default_flow_style=True, sort_keys=False, width=10_000)
            return Rule(
                found["reason"], conditions[0], found[conditions[0]], shown.strip(), replace
            )
    raise InputError(
        f"{path}: the rule {str(found)[:120]} is not known: {_why_unknown(found)}; expected "
        f"{_EXPECTED}"
    )


def _why_unknown(found: object) -> str:
    """Say what is wrong with a rule."""
    if not isinstance(found, dict):
        return "it is no mapping of names to values"
    known = ["reason", "replace", *_CHECKS]
    unknown = [str(key) for key in found if key not in known]
    if unknown:
        return f"nothing is called {unknown[0]}{suggestion(unknown[0], known)}"
    if not isinstance(found.get("reason"), str):
        return "it needs a reason, a text that the flow shows"
    conditions = [key for key in found if key in _CHECKS]
    if len(conditions) != 1:
        return f"it has {len(conditions)} conditions, and a rule has one"
    key = "replace" if _CHECKS[conditions[0]](found[conditions[0]]) else conditions[0]
    return f"{key} is {found[key]!r}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _are_words(value: object) -> bool:
    words = [value] if isinstance(value, str) else value
    return isinstance(words, list) and bool(words) and all(
        isinstance(word, str) and word.strip() for word in words
    )  # fmt: skip


_CHECKS: dict[str, Callable[[object], bool]] = {
    "statement": _are_words,
    "paced": lambda value: value in ("statement", "signal", "any"),
    "age_below": _is_number,
    "age_above": _is_number,
    "leads_below": lambda value: isinstance(value, int) and 1 <= value <= 12,
}


def judge(rule: Rule, pairs: pd.DataFrame, signals: SignalMeasures) -> Verdict:
    """Say whom a rule excludes.

    A rule that cannot be decided, because the file says nothing of it, excludes nobody.

    Args:
        rule: one of `read_rules`.
        pairs: linked recordings: path, statements, age (years).
        signals: of the folder of the recordings.
    """
    if rule.condition == "statement":
        return _by_statement([rule.value] if isinstance(rule.value, str) else rule.value, pairs)
    if rule.condition == "paced":
        return _by_pacing(rule.value, pairs, signals)
    if rule.condition == "leads_below":
        counts = signals.of(_n_leads, pairs["path"], "counting usable leads")
        usable = pd.Series(counts, pairs.index, dtype=int)
        return Verdict(usable < rule.value, pd.Series(False, pairs.index))
    wrong = pairs["age"] < rule.value if rule.condition == "age_below" else (
        pairs["age"] > rule.value
    )  # fmt: skip
    return Verdict(wrong, pairs["age"].isna())


def _by_statement(words: Sequence[str], pairs: pd.DataFrame) -> Verdict:
    pattern = _pattern(list(words))
    said = [any(pattern.search(line) for line in lines) for lines in pairs["statements"]]
    silent = [not lines for lines in pairs["statements"]]
    return Verdict(pd.Series(said, pairs.index, bool), pd.Series(silent, pairs.index, bool))


def _by_pacing(how: str, pairs: pd.DataFrame, signals: SignalMeasures) -> Verdict:
    """Judge by words, by spikes, or by whichever of both finds a pacemaker."""
    if how == "statement":
        return _by_statement(PACED_WORDS, pairs)
    spikes = signals.of(_is_paced, pairs["path"], "looking for pacing spikes")
    found = pd.Series(spikes, pairs.index, dtype=object)
    by_signal = Verdict(found.eq(True), found.isna())
    if how == "signal":
        return by_signal
    by_words = _by_statement(PACED_WORDS, pairs)
    return Verdict(by_words.excluded | by_signal.excluded, by_words.unknown & by_signal.unknown)


def _pattern(words: list[str]) -> re.Pattern[str]:
    """Return what finds one of the words as a whole one, not behind no, not or without."""
    listed = "|".join(re.escape(" ".join(word.split())) for word in words)
    return re.compile(rf"{_NEGATED}(?<!\w)(?:{listed})(?!\w)", re.IGNORECASE)


def _n_leads(source: Path, path: str) -> int:
    """Count the usable leads of a recording; none where it cannot be read."""
    try:
        recording = read_recording(source, path, amplitude="calibrated")
        return int(clean_ecg(recording, SignalSettings(min_leads=1)).present.sum())
    except RecordError:
        return 0


def _is_paced(source: Path, path: str) -> bool | None:
    """Tell whether a recording shows spikes; None where it cannot be read, or is too slow."""
    try:
        recording = read_recording(source, path, amplitude="calibrated")
    except RecordError:
        return None
    if recording.sampling_rate_hz < SLOWEST_HZ:
        return None
    return len(find_spikes(recording.ecg, recording.sampling_rate_hz)) > 0


def apply_rules(
    rules: Rules, pairs: pd.DataFrame, signals: SignalMeasures
) -> tuple[pd.DataFrame, list[tuple[Rule, list[Left]]], list[Left]]:
    """Exclude rule by rule.

    Args:
        rules: in their order; each judges those that the ones before left.
        pairs: see `judge`.
        signals: of the folder of the recordings.

    Returns:
        Who is left, for each rule who was excluded, and who was kept although a rule could not be
        decided.
    """
    found, undecided = [], []
    for rule in rules.rules:
        verdict = judge(rule, pairs, signals)
        gone = pairs[verdict.excluded]
        found.append((rule, [Left(f"row {row}", rule.reason, "nothing") for row in gone["row"]]))
        unknown = pairs[verdict.unknown & ~verdict.excluded]
        step = "look at it; the file does not say what the rule asks for"
        undecided += [
            Left(f"row {row}", f"kept, not decided: {rule.reason}", step) for row in unknown["row"]
        ]
        pairs = pairs[~verdict.excluded]
    return pairs, found, undecided
