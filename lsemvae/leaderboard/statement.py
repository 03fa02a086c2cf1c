"""Read what somebody states of a row: method, licence, folds and commands, and never a metric."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lsemvae.core.errors import InputError
from lsemvae.core.leads import lead_set_name, parse_leads
from lsemvae.core.printable import one_line
from lsemvae.core.targets import task_folder

FILE = "statement.yaml"
LONGEST = 1000
NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,60}[A-Za-z0-9])?")
PLAIN_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_ .,=+-]*")
SHA256 = re.compile(r"[0-9a-f]{64}")
FORMULA = "=+-@\t"
METRICS = ("metrics", "auroc", "accuracy", "mcc", "mae", "r2", "scores", "results")
TEXTS = ("title", "licence", "version")
ONE_OF = ("class_path", "adapter")
KEYS = ("name", *TEXTS, *ONE_OF, "encoder", "predictions")
ENTRY = ("task", "leads", "file", "sha256", "folds_sha256", "cohort_sha256", "command", "seed")
ENCODER = ("sha256", "trained_on", "saw_test_patients")


@dataclass(frozen=True)
class Entry:
    """Predictions of one task from one set of leads.

    Attributes:
        task: its name.
        lead_set: such as 12L.
        file: in the folder of the statement.
        sha256: of the file.
        folds_sha256: of the folds that it was made with.
        cohort_sha256: of the store that it was made on.
        command: that made it.
        seed: of folds and training.
    """

    task: str
    lead_set: str
    file: str
    sha256: str
    folds_sha256: str
    cohort_sha256: str
    command: str
    seed: int

    @property
    def key(self) -> str:
        """Name of the entry in addresses and of its public file."""
        return f"{task_folder(self.task)}_{self.lead_set}"


@dataclass(frozen=True)
class Encoder:
    """A frozen encoder that was trained before.

    Attributes:
        sha256: of its checkpoint.
        trained_on: file with hashes of its patients and recordings; None where there is none.
        saw_test_patients: as stated; None where nobody knows.
    """

    sha256: str
    trained_on: str | None = None
    saw_test_patients: bool | None = None


@dataclass(frozen=True)
class Statement:
    """What somebody states of a row.

    Attributes:
        name: of the row, in addresses.
        title: of the method, for people.
        licence: of code and weights.
        version: of the program that made the predictions.
        class_path: of the network; empty where an adapter is named.
        adapter: of somebody else's frozen encoder; empty where a class is named.
        encoder: None where nothing was trained before.
        predictions: an entry for each task and set of leads.
    """

    name: str
    title: str
    licence: str
    version: str
    class_path: str
    adapter: str
    encoder: Encoder | None
    predictions: tuple[Entry, ...]

    @property
    def files(self) -> list[str]:
        """Every file that the statement names."""
        beside = [self.encoder.trained_on] if self.encoder and self.encoder.trained_on else []
        return [*(entry.file for entry in self.predictions), *beside]


def parse_statement(found: Any, where: str) -> Statement:
    """Check what a statement says, and return it.

    Args:
        found: content of the YAML file.
        where: names the file in messages.

    Raises:
        InputError: everything that is wrong with it.
    """
    if not isinstance(found, Mapping):
        raise InputError(f"{where} is no mapping of {', '.join(KEYS)}; see docs/leaderboard.md")
    faults = _key_faults(found, KEYS) + _name_faults(found.get("name"))
    faults += [fault for name in TEXTS for fault in text_faults(name, found.get(name))]
    stated = [name for name in ONE_OF if found.get(name) is not None]
    if len(stated) == 1:
        faults += text_faults(stated[0], found[stated[0]])
    else:
        faults.append("state one of class_path and adapter")
    encoder, more = _encoder(found.get("encoder"))
    entries, others = _entries(found.get("predictions"))
    faults += more + others
    if faults:
        raise InputError(f"{where}: {'; '.join(faults)}; see docs/leaderboard.md")
    texts = {name: str(found.get(name) or "") for name in (*TEXTS, *ONE_OF)}
    return Statement(str(found["name"]), **texts, encoder=encoder, predictions=tuple(entries))


def text_faults(name: str, value: Any) -> list[str]:
    """Say what is wrong with a text that a page and a spreadsheet will show."""
    if not isinstance(value, str) or not value.strip():
        return [f"{name} must be a text, got {value!r:.40}"]
    if len(value) > LONGEST:
        return [f"{name} is longer than {LONGEST} characters"]
    if one_line(value) != value:
        return [f"{name} must be one line of printable characters, got {value!r:.60}"]
    if set("<>") & set(value):
        return [f"{name} must be plain text without < and >, got {value!r:.60}"]
    if value[0] in FORMULA:
        return [f"{name} begins with {value[0]!r}, which spreadsheets take for a formula"]
    return []


def _key_faults(found: Mapping[Any, Any], known: tuple[str, ...], where: str = "") -> list[str]:
    unknown = [str(name) for name in found if name not in known]
    typed = [name for name in unknown if name.lower() in METRICS]
    faults = [f"{where}{name!r}: metrics are computed here, never taken" for name in typed]
    rest = [one_line(name)[:40] for name in unknown if name not in typed]
    if rest:
        faults.append(f"{where}unknown key {', '.join(map(repr, rest))}")
    return faults


def _name_faults(name: Any) -> list[str]:
    if isinstance(name, str) and NAME.fullmatch(name) and ".." not in name:
        return []
    return [f"name must be letters, digits, _ . - (at most 62), got {name!r:.60}"]


def _encoder(found: Any) -> tuple[Encoder | None, list[str]]:
    if found is None:
        return None, []
    if not isinstance(found, Mapping):
        return None, ["encoder must have the keys sha256, trained_on, saw_test_patients"]
    faults = _key_faults(found, ENCODER, "encoder.")
    faults += _digest_faults("encoder.sha256", found.get("sha256"))
    file, saw = found.get("trained_on"), found.get("saw_test_patients")
    if file is not None:
        faults += _file_faults("encoder.trained_on", file)
    if saw not in (None, True, False):
        faults.append(f"encoder.saw_test_patients must be true or false, got {saw!r:.40}")
    return Encoder(str(found.get("sha256")), file, saw), faults


def _entries(found: Any) -> tuple[list[Entry], list[str]]:
    if not isinstance(found, list) or not found:
        return [], ["predictions must list one file at least: nothing was handed in"]
    entries, faults = [], []
    for number, one in enumerate(found):
        where = f"predictions[{number}]."
        if not isinstance(one, Mapping):
            faults.append(f"{where[:-1]} must have the keys {', '.join(ENTRY)}")
            continue
        wrong = _entry_faults(one, where)
        faults += wrong
        if not wrong:
            leads = lead_set_name(parse_leads(one["leads"]))
            entries.append(Entry(**{name: one[name] for name in ENTRY if name != "leads"},
                                 lead_set=leads))  # fmt: skip
    keys = [(entry.task, entry.lead_set) for entry in entries]
    twice = sorted({"/".join(key) for key in keys if keys.count(key) > 1})
    return entries, faults + [f"predictions of {key} are listed twice" for key in twice]


def _entry_faults(one: Mapping[str, Any], where: str) -> list[str]:
    faults = _key_faults(one, ENTRY, where)
    faults += text_faults(f"{where}task", one.get("task"))
    faults += text_faults(f"{where}command", one.get("command"))
    faults += _file_faults(f"{where}file", one.get("file"))
    for name in ("sha256", "folds_sha256", "cohort_sha256"):
        faults += _digest_faults(where + name, one.get(name))
    seed, leads = one.get("seed"), one.get("leads")
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        faults.append(f"{where}seed must be a whole number of 0 or more, got {seed!r:.40}")
    try:
        parse_leads(leads if isinstance(leads, int | str | list) else str(leads))
    except (InputError, AttributeError) as error:
        faults.append(f"{where}leads: {error}")
    return faults


def _file_faults(name: str, value: Any) -> list[str]:
    if isinstance(value, str) and PLAIN_FILE.fullmatch(value) and ".." not in value:
        return []
    return [f"{name} must name a file in the folder of the statement, without / and .., got "
            f"{value!r:.60}"]  # fmt: skip


def _digest_faults(name: str, value: Any) -> list[str]:
    if isinstance(value, str) and SHA256.fullmatch(value):
        return []
    return [f"{name} must be a SHA-256 of 64 lower-case hexadecimal digits, got {value!r:.20}"]
