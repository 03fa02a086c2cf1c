"""Turn results into what JSON can hold."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd


def to_json(value: Any) -> Any:
    """Return plain dictionaries, lists, text and numbers.

    Named tuples become dictionaries, tables lists of rows, and numbers without a value (NaN or
    infinite), which JSON does not know, None.

    Args:
        value: named tuples, mappings, sequences, arrays, tables and scalars, nested at will.

    Raises:
        TypeError: anything else.
    """
    if isinstance(value, pd.DataFrame):
        value = value.to_dict("records")
    elif isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    elif isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Sequence):
        return [to_json(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no form in JSON")
