"""Take a patient's next recording where a rule excludes the one that is nearest to the catheter."""

from collections.abc import Collection

import pandas as pd

from data_modules.linking.eligibility import Rule, Rules, judge
from data_modules.linking.id_rule import IdRule
from data_modules.linking.match import Ecgs, Match, When, Window, age_years, match
from data_modules.linking.signal_measures import SignalMeasures
from lsemvae.core.errors import InputError

DAYS = 30


def choose_window(rules: Rules, days: int | None, when: When | None, ecgs: Ecgs) -> Window:
    """Return the window of the options or of the rules, which must not contradict each other.

    Raises:
        InputError: they do, the days are negative, or rules replace where all recordings are kept.
    """
    if days is not None and days < 0:
        raise InputError(f"window_days must be 0 or more, got {days}")
    _refuse_another("--window_days", days, "days", rules)
    _refuse_another("--when", when, "when", rules)
    if ecgs == "all" and any(rule.replace for rule in rules.rules):
        raise InputError(
            "a rule says `replace: true`, and --ecgs all keeps all recordings of a patient; leave "
            "one of them out"
        )
    return Window(
        rules.window.get("days", DAYS) if days is None else days,
        rules.window.get("when", "nearest") if when is None else when,
        ecgs,
    )


def _refuse_another(option: str, given: object, name: str, rules: Rules) -> None:
    stated = rules.window.get(name, given)
    if given is not None and stated != given:
        raise InputError(
            f"{option} is {given} and the rules' window says {name}: {stated}; leave one of them "
            "out"
        )


def match_by_rules(
    files: pd.DataFrame, rows: pd.DataFrame, ids: IdRule, window: Window, *, rules: Rules,
    signals: SignalMeasures, unusable: Collection[str] = (),
) -> Match:  # fmt: skip
    """Link recordings to rows, passing over those that a rule with `replace` excludes.

    A recording is passed over as long as its patient has another one in the window; the last one
    stays, and is excluded by the rule as if it had been the nearest.

    Args:
        files: from `take_dated`.
        rows: from `read_hospital_table`.
        ids: which spellings are one id.
        window: of dates.
        rules: from `read_rules`.
        signals: of the folder of the recordings.
        unusable: patients of rows of the table that were left out.
    """
    replaced: dict[str, str] = {}
    sound: set[str] = set()
    replacing = [rule for rule in rules.rules if rule.replace]
    while True:
        linked = match(files, rows, ids, window, replaced, unusable=unusable)
        pairs = with_ages(linked.pairs)
        faults = _faults(replacing, pairs[~pairs["record"].isin(list(sound))], signals)
        sound |= set(pairs["record"]) - set(faults)
        left = {plain: records - set(replaced) for plain, records in linked.possible.items()}
        owner = dict(zip(pairs["record"], pairs["plain"], strict=True))
        passed = {record: why for record, why in faults.items() if len(left[owner[record]]) > 1}
        if not passed:
            return linked
        replaced |= passed


def _faults(rules: list[Rule], pairs: pd.DataFrame, signals: SignalMeasures) -> dict[str, str]:
    """Return the records that a rule excludes, with the reason of the first that does."""
    faults: dict[str, str] = {}
    for rule in rules:
        rest = pairs[~pairs["record"].isin(list(faults))]
        excluded = judge(rule, rest, signals).excluded
        faults |= dict.fromkeys(rest["record"][excluded], rule.reason)
    return faults


def with_ages(pairs: pd.DataFrame) -> pd.DataFrame:
    """Add the ages by the table, else by the files, in years as `age`."""
    stated = pairs.get("table_age_years", pd.Series("", index=pairs.index))
    ages = pd.to_numeric(stated, errors="coerce").astype(float).fillna(age_years(pairs))
    return pairs.assign(age=ages.round(1))
