"""Put outcomes and findings in plain words, with what to do next."""

from typing import NamedTuple

from data_modules.reading.reasons import NOTES, REASONS, REMEDIES
from lsemvae.core.chance import GUESS, chance_text
from lsemvae.core.printable import one_line
from lsemvae.model_file.description import Skill
from lsemvae.predicting.outcome import ERROR, NEARLY_TRAINED_ON, RESULT, WITHHELD_FOR, Row
from lsemvae.serving.joining import UPLOAD_REASONS, UPLOAD_REMEDIES
from lsemvae.serving.recordings import Entry

ON_THE_PAGE = {
    "file_missing": "a file that belongs to the recording was not sent with it",
    "resampled": "the recording was brought to the model's sampling rate",
    "cut_to_length": "the recording is longer than what the model takes",
    "padded": "the recording is shorter than what the model takes, and ends in zeros",
    "too_short": "the recording is too short for the model",
    "no_beat": "no whole heartbeat was found, and the model needs one",
    "synthetic": "the recording is synthetic: no patient",
    NEARLY_TRAINED_ON: "the recording is nearly one that the model was trained on, as scaled, "
    "shifted or noisy copies are",
    "leads_fewer_than_trained": "the model is given fewer leads than it was trained on; its "
    "calibration and thresholds are not known to hold",
}
"""What codes mean to a reader of the page, where the readers' words are about stores."""

STEPS = {
    NEARLY_TRAINED_ON: "find out whose it is; of a copy the answer proves nothing",
    "file_missing": "send the file that the message names together with it",
    "too_short": "record again for ten seconds",
    "no_beat": "look at the tracing below; record again",
    "no_usable_lead": "check the electrodes and record again",
    "program_fault": "report it with the message; other recordings are not affected",
    "trained_on": "take the answer from the study; a model proves nothing on what it was "
    "trained on",
    "leads_missing": "check the electrodes and record again",
    "limb_leads_inconsistent": "check the cables of the limb electrodes and record again",
    "leads_scaled_separately": "export the recording with its true amplitudes",
    "uncertain": "record again if the tracing is noisy; else go on without the model",
}
"""What to do where there is no result."""


class Finding(NamedTuple):
    """What the checks found.

    Attributes:
        code: a reason code.
        title: what the code means.
        detail: what was found.
        step: what to do; empty where that is nothing.
        note: whether it is no more than a note.
    """

    code: str
    title: str
    detail: str
    step: str = ""
    note: bool = False


def findings_of(entry: Entry) -> list[Finding]:
    """Return the findings of a recording, warnings first."""
    found = [_finding(code, message) for code, message in entry.findings]
    known = {one.code for one in found}
    found += [_finding(code, "") for code in entry.row.findings.split() if code not in known]
    return sorted(found, key=lambda one: one.note)


def _finding(code: str, message: str) -> Finding:
    title = ON_THE_PAGE.get(code) or REASONS.get(code, code)
    remedy = STEPS.get(code) or REMEDIES.get(code, "nothing")
    # what to do about recordings for a store says nothing to a reader of this page
    step = "" if remedy.startswith("nothing") else remedy.partition(";")[0]
    step = step.replace("look at it with `lsemvae view`", "look at the tracing")
    return Finding(code, title, one_line(message), step, note=code in NOTES)


def next_step(row: Row) -> str:
    """Return what to do where there is no result."""
    step = STEPS.get(row.code) or UPLOAD_REMEDIES.get(row.code) or REMEDIES.get(row.code, "")
    return "export the recording again" if step.startswith("nothing") else step


def reason(row: Row) -> str:
    """Return in general terms why there is no result."""
    known = {**REASONS, **ON_THE_PAGE, **WITHHELD_FOR, **UPLOAD_REASONS}
    return known.get(row.code, row.code)


def verdict(row: Row) -> str:
    """Return the outcome in a few words."""
    if row.outcome == RESULT:
        return "At or above the threshold" if row.decision else "Below the threshold"
    return "No result: withheld" if row.outcome != ERROR else "No result: error"


def guess_text(skill: Skill | None) -> str:
    """Say why nothing is told of what moved an answer; empty where something can be told."""
    if skill is None or skill.above_chance:
        return ""
    found = chance_text(skill.auroc, skill.low, skill.high)
    return f"In its study: {found} {GUESS} It is not shown."
