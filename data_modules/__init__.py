"""Read, store, split and batch recordings; its DataModules by their short names."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from data_modules.mimic_ecg import MimicEcg
    from data_modules.rhc_cohort import RhcCohort
    from data_modules.synthetic import SyntheticEcg

__all__ = ["MimicEcg", "RhcCohort", "SyntheticEcg"]

# Imported when asked for: commands that only read recordings start without torch.
_HOMES = {
    "MimicEcg": "data_modules.mimic_ecg",
    "RhcCohort": "data_modules.rhc_cohort",
    "SyntheticEcg": "data_modules.synthetic",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'data_modules' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
