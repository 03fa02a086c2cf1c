"""Write the quarantine list, and count what became of recordings."""

import csv
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from data_modules.reading.reasons import NOTES, REMEDIES, SKIPPED
from data_modules.store.mark import QUARANTINE
from lsemvae.core.counted import counted
from lsemvae.core.files import replacing
from lsemvae.core.printable import spreadsheet_cell


class RecordFate(NamedTuple):
    """What became of one recording.

    Attributes:
        record: as the table names it.
        accepted: whether it is in the store.
        reasons: (code, message) of its rejection, or of its warnings and notes.
        signal_sha256: first 16 digits of the digest of its stored signal; empty when rejected.
        synthetic: whether its header says that it is synthetic.
        amplitude: from `relative_amplitude`; None where it means nothing.
        step_mv: from `adc_step`; None where it means nothing.
        subject: whom its header names; empty where it names nobody.
        beats_per_min: of the heart, by the signal; None where it is not known.
        fingerprint: from `pack`, by which altered copies are found; empty when rejected.
    """

    record: str
    accepted: bool
    reasons: tuple[tuple[str, str], ...]
    signal_sha256: str = ""
    synthetic: bool = False
    amplitude: float | None = None
    step_mv: float | None = None
    subject: str = ""
    beats_per_min: float | None = None
    fingerprint: str = ""

    @property
    def kind(self) -> str:
        """Name the outcome: accepted, accepted_with_warnings, skipped or rejected."""
        if self.accepted:
            return "accepted_with_warnings" if self.warned else "accepted"
        return "skipped" if self.reasons[0][0] in SKIPPED else "rejected"

    @property
    def warned(self) -> bool:
        """Tell whether anything is doubtful; notes are not."""
        return any(code not in NOTES for code, _ in self.reasons)


class ConversionSummary(NamedTuple):
    """What became of the listed recordings.

    Attributes:
        store: the store that was written.
        quarantine: CSV file of every recording that was rejected or has warnings or notes.
        listed: recordings in the table.
        accepted: recordings in the store, with or without warnings.
        with_warnings: those of them that were repaired, masked or are doubtful.
        rejected: rejected and skipped recordings for each reason code.
        warnings: accepted recordings for each warning code.
        notes: accepted recordings for each code of `NOTES`.
        seconds: wall-clock time.
        doubts: what looks wrong in the set as a whole, a sentence each.
    """

    store: Path
    quarantine: Path
    listed: int
    accepted: int
    with_warnings: int
    rejected: dict[str, int]
    warnings: dict[str, int]
    notes: dict[str, int]
    seconds: float
    doubts: tuple[str, ...] = ()


def write_quarantine(path: Path, outcomes: Iterable[RecordFate]) -> None:
    """Write one line for each reason why a recording was not simply accepted, and what to do."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(QUARANTINE)
        for outcome in outcomes:
            writer.writerows(
                (
                    outcome.record,
                    outcome.kind,
                    code,
                    spreadsheet_cell(message),
                    REMEDIES[code],
                )
                for code, message in outcome.reasons
            )


def summarise(
    outcomes: Iterable[RecordFate], store: Path, quarantine: Path, *, seconds: float
) -> ConversionSummary:
    """Count what became of the recordings, by reason."""
    listed = accepted = with_warnings = 0
    rejected: Counter[str] = Counter()
    told: Counter[str] = Counter()
    for outcome in outcomes:
        listed += 1
        if outcome.accepted:
            accepted += 1
            with_warnings += outcome.warned
            told.update({code for code, _ in outcome.reasons})
        else:
            rejected[outcome.reasons[0][0]] += 1
    ordered = sorted(told.items(), key=lambda item: (-item[1], item[0]))
    return ConversionSummary(
        store=store,
        quarantine=quarantine,
        listed=listed,
        accepted=accepted,
        with_warnings=with_warnings,
        rejected=dict(rejected.most_common()),
        warnings={code: n for code, n in ordered if code not in NOTES},
        seconds=seconds,
        notes={code: n for code, n in ordered if code in NOTES},
    )


def describe(summary: ConversionSummary) -> str:
    """Return the lines that end a conversion."""
    rate = summary.listed / max(summary.seconds, 1e-9)
    lines = [
        f"{summary.store}: {summary.accepted} of {counted(summary.listed, 'recording')} accepted, "
        f"{summary.with_warnings} of them with warnings, in {summary.seconds:.1f} s ({rate:.0f}/s)"
    ]
    skipped = {code: n for code, n in summary.rejected.items() if code in SKIPPED}
    rejected = {code: n for code, n in summary.rejected.items() if code not in SKIPPED}
    if rejected:
        lines.append(f"  rejected: {count_text(rejected)}")
    if skipped:
        lines.append(f"  skipped:  {count_text(skipped)}")
    if summary.warnings:
        lines.append(f"  warnings: {count_text(summary.warnings)}")
    if summary.notes:
        lines.append(f"  notes:    {count_text(summary.notes)}")
    if summary.rejected or summary.warnings or summary.notes:
        lines.append(f"  details:  {summary.quarantine}")
    lines += [f"  warning:  {doubt}" for doubt in summary.doubts]
    return "\n".join(lines)


def count_text(counts: dict[str, int]) -> str:
    """Write counts by reason in one line."""
    return ", ".join(f"{code} {count}" for code, count in counts.items())
