"""Parse foreign XML: no entities, no external references, bounded size."""

import re
from typing import NamedTuple
from xml.etree.ElementTree import Element

from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import Warnings
from data_modules.reading.stated_numbers import invalid
from lsemvae.core.extras import install_extra

MAX_ELEMENTS = 200_000  # an annotated ECG of 12 leads has some hundreds
MAX_ATTRIBUTES = 400_000

_DECLARED = re.compile(r"""^(\s*<\?xml[^>]{0,80}?)\s+encoding\s*=\s*["']([^"'>]{0,40})["']""")
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_CUT = ("no element found", "unclosed token", "unclosed CDATA section")
_BOMS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))


class XmlFile(NamedTuple):
    """The root element, namespaces removed, and what had to be assumed to read it."""

    root: Element
    warnings: Warnings


def parse_xml(content: bytes, *, record: str) -> XmlFile:
    """Parse a file; one whose bytes are not in its stated encoding is read as what they are.

    Raises:
        RecordError: `file_invalid` (no XML, or forbidden parts), `file_limit` (too many elements),
            `reader_missing`.
    """
    try:
        from defusedxml import DefusedXmlException
        from defusedxml.ElementTree import ParseError, fromstring
    except ImportError as error:
        problem = f"XML files need the package defusedxml; {install_extra('readers')}"
        raise RecordError("reader_missing", record=record, problem=problem) from error
    n_attributes = content.count(b'="') + content.count(b"='")
    if content.count(b"<") > MAX_ELEMENTS or n_attributes > MAX_ATTRIBUTES:
        problem = (
            f"the XML file has more than {MAX_ELEMENTS} tags or {MAX_ATTRIBUTES} attributes; cut "
            "the recording first"
        )
        raise RecordError("file_limit", record=record, problem=problem)
    if content[:2] in (b"\xff\xfe", b"\xfe\xff") and len(content) % 2:
        problem = "it ends within a character of UTF-16: it is cut off; copy it again"
        raise RecordError("file_invalid", record=record, problem=problem)
    warnings: Warnings = ()
    try:
        try:
            root: Element = fromstring(content)
        # a wrong encoding is a ParseError, LookupError or ValueError
        except (ParseError, LookupError, ValueError):
            mended, stated, found = _as_utf8(content)
            root = fromstring(mended)
            text = f"its encoding is not {stated} as it states; read as {found}; names may be wrong"
            warnings = (("encoding_assumed", text),) if stated else ()
    except DefusedXmlException as error:
        problem = (
            f"it declares entities, which may hide anything ({error!s:.80}); remove them from its "
            "DOCTYPE, and write their text where they are used"
        )
        raise RecordError("file_invalid", record=record, problem=problem) from error
    except (ParseError, ValueError, LookupError) as error:
        if any(text in str(error) for text in _CUT):
            problem = f"it ends before its last tag is closed ({error!s:.80}); copy it again"
            raise RecordError("file_invalid", record=record, problem=problem) from error
        control = _CONTROL.search(content)
        hint = (
            f" (the sign 0x{control[0][0]:02x} at byte {control.start() + 1} is none of XML)"
            if control and content[:2] not in (b"\xff\xfe", b"\xfe\xff")
            else " (a bare & must be &amp;)"
        )
        hint = hint if "invalid token" in str(error) else ""
        raise invalid(f"it is no plain XML: {error!s:.200}{hint}", record=record) from error
    for element in root.iter():
        element.tag = local_name(element.tag)
        for name in [name for name in element.attrib if "}" in name]:
            element.attrib.setdefault(local_name(name), element.attrib[name])
    return XmlFile(root, warnings)


def local_name(name: str) -> str:
    """Return an element's or attribute's name without its namespace."""
    return name.rpartition("}")[2]


def _as_utf8(content: bytes) -> tuple[bytes, str, str]:
    """Return the text as UTF-8 without a declared encoding, the declared and the true encoding.

    The declared one is empty where leading blanks alone were in the way.
    """
    found = next((name for mark, name in _BOMS if content.startswith(mark)), "")
    if not found:
        try:
            content.decode("utf-8")
            found = "utf-8"
        except UnicodeDecodeError:
            found = "windows-1252"
    text = content.decode(found, errors="replace").strip(" \t\r\n\0\x1a\ufeff")
    declared = _DECLARED.match(text)
    stated = declared[2].upper() if declared else "UTF-8"
    text = _DECLARED.sub(r"\1", text, count=1)
    same = stated.replace("-", "") == found.upper().replace("-", "") or _reads_as(content, stated)
    return text.encode("utf-8"), "" if same else stated, found.upper()


def _reads_as(content: bytes, encoding: str) -> bool:
    """Whether plain signs alone, which most encodings share, are read alike as it is stated."""
    try:
        return content.isascii() and content.decode(encoding) == content.decode("ascii")
    except (LookupError, ValueError):
        return False


def text_of(element: Element, path: str, *, record: str) -> str:
    """Return the text of a child that must be there once, and hold nothing but text.

    Raises:
        RecordError: `file_invalid`.
    """
    found = element.findall(path)
    if len(found) != 1 or not (text := (found[0].text or "").strip()):
        raise invalid(f"{element.tag}/{path} must be stated once", record=record)
    if len(found[0]):  # what stands behind a tag is no part of the text before it
        within = found[0][0].tag[:40]
        raise invalid(f"{element.tag}/{path} holds <{within}> within its text", record=record)
    return text


def text_if_any(element: Element, path: str, *, record: str) -> str:
    """Return the text of a child that may be left out, empty then; two could contradict each other.

    Raises:
        RecordError: `file_invalid`, it is stated twice.
    """
    found = element.findall(path)
    if len(found) > 1:
        raise invalid(f"{element.tag}/{path} must be stated once", record=record)
    return (found[0].text or "").strip() if found else ""


def loose_number(text: str | None) -> float:
    """Return a number for a list of what a file holds, 0 where there is none."""
    try:
        value = float((text or "").strip()[:40])
    except ValueError:
        return 0.0
    return value if 0 <= value < 1e9 else 0.0
