"""Parse JSON so that whatever a text holds is a value or one kind of error."""

import json
from typing import Any


def parse_json(text: str | bytes) -> Any:
    """Parse JSON.

    Raises:
        ValueError: it is no JSON, or nests deeper than Python's own parser goes (about 1,000).
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it nests too deep") from error
