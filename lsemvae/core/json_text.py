"""Parse JSON so that whatever a text holds is a value or one kind of error."""

import json
from typing import Any


def parse_json(text: str | bytes) -> Any:
    """Parse JSON.

    Raises:
        ValueError: it is no JSON, nests deeper than Python's own parser goes (about 1,000), or
            gives one name two values, of which only the last would count.
    """
    try:
        return json.loads(text, object_pairs_hook=_with_each_name_once)
    except RecursionError as error:
        raise ValueError("it nests too deep") from error


def _with_each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice[:40]!r} stands twice in one object")
    return found
