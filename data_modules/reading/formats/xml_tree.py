"""Parse foreign XML: no entities, no external references, bounded size."""

import math
import re
from xml.etree.ElementTree import Element

from data_modules.reading.reasons import RecordError

MAX_ELEMENTS = 200_000  # an annotated ECG of 12 leads has some hundreds


def parse_xml(content: bytes, *, record: str) -> Element:
    """Return the root element, namespaces removed from the tags.

    Raises:
        RecordError: `file_invalid` (no XML, or forbidden parts), `file_limit` (too many elements),
            `reader_missing`.
    """
    try:
        from defusedxml import DefusedXmlException
        from defusedxml.ElementTree import ParseError, fromstring
    except ImportError as error:
        problem = "XML files need the package defusedxml; pip install -e '.[readers]'"
        raise RecordError("reader_missing", record=record, problem=problem) from error
    if content.count(b"<") > MAX_ELEMENTS:
        problem = f"the XML file has more than {MAX_ELEMENTS} tags; cut the recording first"
        raise RecordError("file_limit", record=record, problem=problem)
    try:
        root: Element = fromstring(content)
    # a wrong encoding is a LookupError or ValueError, an entity a DefusedXmlException
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise invalid(f"it is no plain XML: {str(error)[:200]}", record=record) from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def invalid(problem: str, *, record: str) -> RecordError:
    """Return the error of a file that breaks the rules of its kind."""
    problem = f"{problem}; export the recording again"
    return RecordError("file_invalid", record=record, problem=problem)


def text_of(element: Element, path: str, *, record: str) -> str:
    """Return the text of a child that must be there once.

    Raises:
        RecordError: `file_invalid`.
    """
    found = element.findall(path)
    if len(found) != 1 or not (text := (found[0].text or "").strip()):
        raise invalid(f"{element.tag}/{path} must be stated once", record=record)
    return text


def number(text: str, *, what: str, record: str) -> float:
    """Read a finite number that a file must state.

    Raises:
        RecordError: `file_invalid`.
    """
    plain = re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?", text.strip(), re.ASCII)
    value = float(text) if plain else math.nan
    if not math.isfinite(value):
        raise invalid(f"{what} is {text[:40]!r}; expected a number", record=record)
    return value
