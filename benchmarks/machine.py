"""Say beside the figures of a benchmark which machine they are of, and write them."""

import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.pages import update


def describe_machine() -> dict[str, Any]:
    """Return processor, cores, load of other programs, and versions."""
    text = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    models = [line.partition(":")[2].strip() for line in text if line.startswith("model name")]
    packages = ("numpy", "scipy", "h5py", "wfdb", "joblib", "torch")
    return {
        "processor": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in packages},
    }


def machine_line(machine: dict[str, Any]) -> str:
    """Return the line that stands above figures: whose they are, and what else ran."""
    return (
        f"{machine['processor']}, {machine['cores']} cores, torch {machine['versions']['torch']}; "
        f"load of other programs before: {machine['load_before']}."
    )


def write_results(
    out: Path, results: Any, markdown: str, *, page: Path | None = None, program: str = ""
) -> None:
    """Write figures as JSON and, beside it, as Markdown; print the latter.

    Above the Markdown stands the machine, where the figures name it and the text does not.

    Args:
        out: the JSON file.
        results: what it gets; a dictionary may hold `describe_machine` as `machine`.
        markdown: the same for readers.
        page: page of docs/ whose marked part gets the Markdown, too.
        program: module that made it, as the mark names it.
    """
    machine = results.get("machine") if isinstance(results, dict) else None
    if machine is not None and machine["processor"] not in markdown:
        markdown = f"{machine_line(machine)}\n\n{markdown}"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(results, indent=1) + "\n")
    out.with_suffix(".md").write_text(markdown)
    print(markdown)
    print(f"figures: {out}")
    if page is not None:
        update(page, program, markdown)
