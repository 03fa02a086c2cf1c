"""Read how a frozen encoder of somebody else wants its recordings, from a YAML file."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from lsemvae.core.errors import InputError
from lsemvae.core.files import file_sha256
from lsemvae.core.leads import canonical_lead, parse_leads
from lsemvae.core.yaml_text import read_yaml
from lsemvae.runtime.own_classes import import_class, source_sha256

Kind = Literal["class_path", "torchscript", "onnx", "st_mem"]
KINDS = ("class_path", "torchscript", "onnx", "st_mem")
CHOICES = {
    "crop": ("start", "centre"),
    "fewer_leads": ("refuse", "zeros"),
    "unit": ("mV", "uV", "V"),
    "normalisation": ("none", "recording", "lead"),
}
KEY = "adapter"
"""Top-level key that tells the YAML of an adapter from that of a training."""


@dataclass(frozen=True)
class Adapter:
    """A frozen encoder of somebody else and what it takes.

    Attributes:
        kind: a Python class, TorchScript, ONNX, or the published ST-MEM weights.
        source: class path, or the file of the weights.
        sampling_rate_hz: that it takes; recordings are resampled.
        n_samples: that it takes; longer recordings are cut, shorter ones end in zeros.
        licence: of the weights, as tables name it.
        title: as tables show it.
        leads: that it takes, in their order.
        crop: which part of longer recordings is kept.
        fewer_leads: refuse a lead set that lacks some, or give zeros for them.
        unit: of the amplitudes that it takes.
        normalisation: none; recording (one mean and SD over present leads and samples); lead.
        init_args: of a Python class.
    """

    kind: str
    source: str
    sampling_rate_hz: float
    n_samples: int
    licence: str
    title: str
    leads: tuple[str, ...]
    crop: str = "start"
    fewer_leads: str = "refuse"
    unit: str = "mV"
    normalisation: str = "none"
    init_args: Mapping[str, Any] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """Return plain values for the settings of a run."""
        return json.loads(json.dumps(asdict(self)))  # type: ignore[no-any-return]

    def sha256(self) -> str:
        """Return a digest of all that decides a feature: the statement, and weights or source.

        Raises:
            InputError: the weights are missing, or the class may not be imported.
        """
        content = (
            source_sha256(import_class(self.source))
            if self.kind == "class_path"
            else file_sha256(Path(self.source))
        )
        stated = {**self.plain(), "source": content, "title": ""}
        return hashlib.sha256(json.dumps(stated, sort_keys=True).encode()).hexdigest()


def is_adapter(path: Path) -> bool:
    """Tell whether a YAML file states an adapter."""
    if not path.is_file():
        return False
    content = read_yaml(path).content
    return isinstance(content, Mapping) and KEY in content


def read_adapter(path: Path) -> Adapter:
    """Read the YAML file of an adapter.

    Raises:
        InputError: names everything that is wrong with it.
    """
    content = read_yaml(path).content
    given = dict(content) if isinstance(content, Mapping) else {}
    where = given.pop(KEY, None)
    named = dict(where) if isinstance(where, Mapping) else {}
    init_args = named.pop("init_args", {})
    wrong = []
    if len(named) != 1 or set(named) - set(KINDS):
        wrong.append(f"{KEY} must name one of {', '.join(KINDS)}, got {', '.join(named) or where}")
    stated = {one.name for one in fields(Adapter)} - {"kind", "source", "init_args"}
    unknown = sorted(set(given) - stated)
    wrong += [f"unknown {', '.join(unknown)}"] if unknown else []
    needed = [name for name in ("sampling_rate_hz", "n_samples", "licence") if name not in given]
    wrong += [f"it does not state {', '.join(needed)}"] if needed else []
    wrong += [
        f"{name} must be {' or '.join(allowed)}, got {given[name]!r}"
        for name, allowed in CHOICES.items()
        if name in given and given[name] not in allowed
    ]
    wrong += _wrong_numbers(given) + _wrong_texts(given)
    if not isinstance(init_args, Mapping) or (init_args and "class_path" not in named):
        wrong.append("init_args are names with values, of a class_path only")
    if wrong:
        raise InputError(f"{path}: {'; '.join(wrong)}; see docs/adapters.md")
    (kind, source), *_ = named.items()
    if kind != "class_path":
        source = str((path.parent / str(source)).resolve())
        if not Path(source).is_file():
            raise InputError(f"{path}: there is no file {source}; name it beside the YAML file")
    given["leads"] = _ordered_leads(given.get("leads", 12), path)
    given.setdefault("title", path.stem)
    return Adapter(kind=kind, source=str(source), init_args=init_args, **given)


def refuse_adapter(settings: Mapping[str, Any], command: str) -> None:
    """Refuse a run whose encoder is somebody else's.

    Args:
        settings: of the run: network and method.
        command: that cannot take it.

    Raises:
        InputError: names the command.
    """
    if KEY in (settings.get("network") or {}):
        raise InputError(
            f"`lsemvae {command}` takes networks of this program, {settings['method']} is an "
            "adapter of somebody else's encoder; `lsemvae cv`, `benchmark` and `report` take it"
        )


def _ordered_leads(leads: Any, path: Path) -> tuple[str, ...]:
    """Return canonical names in the order of the file; 12 and 6 are the usual order."""
    if isinstance(leads, int):
        return parse_leads(leads)
    names = leads.split(",") if isinstance(leads, str) else leads
    if not isinstance(names, list) or not names:
        raise InputError(f"{path}: leads must be 12, 6 or a list of names, got {leads!r}")
    found = tuple(canonical_lead(str(name)) for name in names)
    if len(set(found)) < len(found):
        raise InputError(f"{path}: a lead stands twice in {', '.join(found)}")
    return found


def _wrong_texts(given: Mapping[str, Any]) -> list[str]:
    """Name what tables would show empty or as something else than a text."""
    return [
        f"{name} must be a text, got {given[name]!r:.40}"
        for name in ("title", "licence")
        if name in given and not (isinstance(given[name], str) and given[name].strip())
    ]


def _wrong_numbers(given: Mapping[str, Any]) -> list[str]:
    limits = {"sampling_rate_hz": (10.0, 5000.0), "n_samples": (2, 1_000_000)}
    return [
        f"{name} must be a number from {low:g} to {high:g}, got {given[name]!r}"
        for name, (low, high) in limits.items()
        if name in given and not (type(given[name]) in (int, float) and low <= given[name] <= high)
    ]
