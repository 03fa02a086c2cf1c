"""Learn and judge lead-specific ECG models of pulmonary hypertension: LS-EMVAE and its rivals.

The verbs below are imported when they are first used: `import lsemvae` alone imports nothing.
"""

import os
from typing import TYPE_CHECKING, Any

# onnxruntime reads it when it is loaded. Version 1.32 keeps an id of this machine and a record of
# each use in the user's home, made to be sent to its maker; nothing here is for others.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from lsemvae.commands.cv import cross_validate as cv
    from lsemvae.commands.in_python import fit, prepare
    from lsemvae.commands.predict import predict
    from lsemvae.commands.report import report
    from lsemvae.encoding.arrays import encode
    from lsemvae.encoding.transformer import EcgEncoder

__all__ = ["EcgEncoder", "cv", "encode", "fit", "predict", "prepare", "report"]

_TARGETS = {
    "EcgEncoder": "lsemvae.encoding.transformer:EcgEncoder",
    "cv": "lsemvae.commands.cv:cross_validate",
    "encode": "lsemvae.encoding.arrays:encode",
    "fit": "lsemvae.commands.in_python:fit",
    "predict": "lsemvae.commands.predict:predict",
    "prepare": "lsemvae.commands.in_python:prepare",
    "report": "lsemvae.commands.report:report",
}


def __getattr__(name: str) -> Any:
    """Import a verb when it is first asked for."""
    if name not in _TARGETS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from lsemvae.command_table import load_target

    return load_target(_TARGETS[name])


def __dir__() -> list[str]:
    """Return the verbs beside what is imported."""
    return sorted({*globals(), *__all__})
