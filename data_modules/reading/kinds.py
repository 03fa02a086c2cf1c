"""Tell the kind of a file by its first bytes: those that are read, those only named."""

import re
import struct
from collections.abc import Callable, Iterable
from typing import NamedTuple

from data_modules.reading.recording import RawRecording

HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
_SIGNATURES: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"ANN  1.0", "an ISHNE annotation file", "name the file of the recording"),
    (0, b"@ MFR", "an MFER file", "export it as DICOM, HL7 aECG or SCP-ECG"),
    (0, b"@ MFER", "an MFER file", "export it as DICOM, HL7 aECG or SCP-ECG"),
    (0, b"@\x20\x20MFER", "an MFER file", "export it as DICOM, HL7 aECG or SCP-ECG"),
    (2, b"MFR", "an MFER file", "export it as DICOM, HL7 aECG or SCP-ECG"),
    (
        0,
        HDF5_MAGIC,
        "an HDF5 file (or MATLAB 7.3)",
        "save it as MATLAB 5 (-v7), or its matrix with numpy.save",
    ),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel or Office file", "save it as CSV UTF-8"),
    (0, b"%PDF-", "a PDF file, a picture of an ECG", "export the signal, not the printout"),
    (0, b"\x1f\x8b", "a gzip file", "unpack it first"),
    (0, b"BZh", "a bzip2 file", "unpack it first"),
    (0, b"\xfd7zXZ\0", "an xz file", "unpack it first"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip file", "unpack it first"),
    (0, b"Rar!\x1a\x07", "a RAR file", "unpack it first"),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard file", "unpack it first"),
    (0, b"\x89PNG\r\n", "a picture", "export the signal, not the picture"),
    (0, b"\xff\xd8\xff", "a picture", "export the signal, not the picture"),
    (0, b"II*\0", "a picture", "export the signal, not the picture"),
    (0, b"MM\0*", "a picture", "export the signal, not the picture"),
    (0, b"GIF8", "a picture", "export the signal, not the picture"),
    (0, b"PAR1", "a Parquet table", "save it as CSV UTF-8"),
    (0, b"ARROW1", "an Arrow table", "save it as CSV UTF-8"),
    (0, b"SQLite format 3\0", "an SQLite database", "export the table as CSV UTF-8"),
    (0, b"$FL2", "an SPSS file", "save it as CSV UTF-8"),
    (0, b"$FL3", "an SPSS file", "save it as CSV UTF-8"),
    (0, b"<stata_dta>", "a Stata file", "save it as CSV UTF-8"),
    (0, b"r\x02\x01\0", "a Stata file", "save it as CSV UTF-8"),
    (0, b"s\x02\x01\0", "a Stata file", "save it as CSV UTF-8"),
    (0, b"ASCII SPSS PORT FILE", "an SPSS file", "save it as CSV UTF-8"),
    (0, b"ID;P", "an Excel sheet as SYLK", "save it as CSV UTF-8"),
    (0, b"\x80\x04", "a Python pickle", "save it as CSV or WFDB; pickles can run code"),
    (0, b"\x80\x05", "a Python pickle", "save it as CSV or WFDB; pickles can run code"),
    (0, b"RIFF", "a RIFF file (audio, or AliveCor)", "export it as EDF, CSV or WFDB"),
    (0, b"ALIVE\0\0\0", "an AliveCor ATC file", "export it as EDF or CSV"),
    (257, b"ustar", "a tar file", "unpack it first"),
    (0, b"EEG-1100", "a Nihon Kohden EEG file", "export the ECG as DICOM, HL7 aECG or EDF"),
    (0, b"EEG-2100", "a Nihon Kohden EEG file", "export the ECG as DICOM, HL7 aECG or EDF"),
    (0, b"GDF ", "a GDF file (BioSig)", "save it as EDF"),
    (0, b"CFWB", "a LabChart file", "export it as CSV or MATLAB 5"),
    (0, b"Brain Vision ", "a BrainVision header", "save it as EDF"),
    (0, b"CDF\x01", "a netCDF file", "save it as MATLAB 5 (-v7) or WFDB"),
    (0, b"CDF\x02", "a netCDF file", "save it as MATLAB 5 (-v7) or WFDB"),
    (0, b"MSH|", "an HL7 version 2 message", "export the recording itself, as HL7 aECG or DICOM"),
    (0, b"%!PS", "a PostScript file, a picture of an ECG", "export the signal, not the printout"),
    (0, b"{\\rtf", "an RTF document", "export the signal, or save the table as CSV UTF-8"),
    (0, b"\0\0\0\x0cjP  ", "a picture", "export the signal, not the picture"),
    (12, b"\xc2\xea\x81\x60", "a SAS file", "save it as CSV UTF-8"),
    (0, b"FEA1", "a Feather table", "save it as CSV UTF-8"),
    (4, b"ftypheic", "a picture", "export the signal, not the picture"),
    (4, b"ftyp", "a film or sound (MP4)", "export the signal as EDF, CSV or WFDB"),
    (0, b"RDX2\n", "an R workspace", "save the table as CSV UTF-8"),
    (0, b"RDX3\n", "an R workspace", "save the table as CSV UTF-8"),
    (0, b"X\n\0\0\0", "an R object (.rds)", "save the table as CSV UTF-8"),
    (0, b"\x04\x22\x4d\x18", "an LZ4 file", "unpack it first"),
    (0, b"L\0\0\0\x01\x14\x02\0", "a Windows shortcut", "copy the file that it points to"),
    (0, b"%MatrixMarket", "a MatrixMarket file", "save it as CSV or MATLAB 5"),
    (0, b"\0\5\x16\7", "a file of macOS beside the true one", "name the file without ._"),
    (0, b"# Dicom-File-Format", "a DICOM text dump", "name the DICOM file itself"),
    (0, b"version https://git-lfs", "a pointer of Git LFS", "fetch the file itself: git lfs pull"),
)
_ZIPPED = (
    (b"xl/workbook.bin", "a binary Excel workbook (.xlsb)", "save it as .xlsx or CSV UTF-8"),
    (b"xl/", "an Excel workbook (.xlsx)", "save the sheet as CSV UTF-8"),
    (b"opendocument.spreadsheet", "a LibreOffice sheet (.ods)", "save the sheet as CSV UTF-8"),
    (b"Index/Document.iwa", "a sheet of Numbers", "export it as CSV UTF-8"),
    (b"word/", "a Word document", "export the signal, or save the table as CSV UTF-8"),
)
_XML_NAMED = {
    "cardiologyxml": (
        "CardioSoft XML (root CardiologyXML)",
        "GE MUSE XML, HL7 aECG or DICOM",
    ),
    "ecg": ("Mortara ELI or Schiller XML", "HL7 aECG, DICOM or SCP-ECG"),
    "examdescript": ("Schiller SEMA XML", "HL7 aECG, DICOM or SCP-ECG"),
    "dicomgraph": ("a DICOM text dump", "the DICOM file itself"),
    "nativedicommodel": ("DICOM as XML", "the DICOM file itself"),
    "clinicaldocument": ("an HL7 CDA document", "HL7 aECG"),
    "healthdata": ("an Apple Health export", "the CSV files of its folder electrocardiograms"),
    "workbook": ("an Excel sheet as XML", "CSV UTF-8"),
    "svg": ("a picture (SVG)", "the signal"),
    "html": ("a web page", "the signal; a failed download may be the cause"),
}
_XML_STEP = "GE MUSE XML, HL7 aECG or DICOM"
_FIRST_TAG = re.compile(r"<(?:[A-Za-z_][\w.-]{0,40}:)?([A-Za-z_][\w.-]{0,40})[\s/>]")
_JSON = re.compile(rb"\s*[\[{]\s*[\[{\"]")
_WFDB_HEADER = re.compile(rb"(?:#[^\n]*\n|\s)*[\w.-]{1,60}(?:/\d+)? \d{1,4} [\d.]{1,12} \d{1,9}\b")
_SNIFFED = 16_384
_EDF_PART = 256  # bytes of the header, and for each signal
_ZIP = b"PK\x03\x04"


class Format(NamedTuple):
    """A kind of file that is read.

    Attributes:
        name: as messages and pages name it.
        read: `read(content, record=...)`, or `read(content, layout, record=...)`.
        magic: places and bytes; any of them tells the kind.
        xml_root: root element that tells it, without its prefix; "" where it is no XML.
        json_keys: keys that all stand in a JSON file of the kind; none where it is no JSON.
        zipped: ending of the first file in a zip of the kind; empty where it is no zip.
        needs_layout: whether a layout file says what the numbers are.
    """

    name: str
    read: Callable[..., RawRecording]
    magic: tuple[tuple[int, bytes], ...] = ()
    xml_root: str = ""
    json_keys: tuple[bytes, ...] = ()
    zipped: bytes = b""
    needs_layout: bool = False

    def tells(self, content: bytes, xml_root: str | None) -> bool:
        """Tell whether a file is of this kind."""
        by_bytes = any(content[at : at + len(magic)] == magic for at, magic in self.magic)
        by_root = bool(self.xml_root) and self.xml_root == xml_root
        return by_bytes or by_root or self._is_json(content) or self._is_zip(content)

    def _is_zip(self, content: bytes) -> bool:
        """Tell by the name in the local header of the first file."""
        if not self.zipped or not content.startswith(_ZIP):
            return False
        length = int.from_bytes(content[26:28], "little")
        return content[30 : 30 + length].endswith(self.zipped)

    def _is_json(self, content: bytes) -> bool:
        return (
            bool(self.json_keys)
            and content[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
            and all(key in content for key in self.json_keys)
        )


def format_of(content: bytes, formats: Iterable[Format]) -> Format | None:
    """Tell the kind of a file by its contents, None where it is another or text."""
    root = _xml_root(content)
    return next((one for one in formats if one.tells(content, root)), None)


def named_kind(content: bytes, ending: str = "") -> str | None:
    """Name a kind of file that is not read, and the next step; None where it is not recognised.

    Args:
        content: the file.
        ending: of its name, which tells one zipped kind from another where it is all there is.
    """
    found = kind_and_step(content, ending)
    if found is None:
        return None
    name, step = found
    return f"it is {name}{'' if step.startswith('name it') else ', which is not read'}; {step}"


def kind_and_step(content: bytes, ending: str = "") -> tuple[str, str] | None:
    """Return the name of a kind of file that is not read and the next step, see `named_kind`."""
    for position, magic, name, step in _SIGNATURES:
        if content[position : position + len(magic)] == magic:
            return name, step
    if content[:4] in (_ZIP, b"PK\x05\x06"):
        if ending.lower() in (".xlsx", ".xlsm"):
            return _ZIPPED[1][1:]
        found = (kind for mark, *kind in _ZIPPED if mark in content)
        name, step = next(found, ("a zip file", "unpack it first"))
        return name, step
    return _named_by_numbers(content) or _named_text(content)


def _named_by_numbers(content: bytes) -> tuple[str, str] | None:
    """Name a kind that is told by the numbers of its header."""
    if _has_edf_sizes(content):
        return (
            "an EDF or BDF file by its sizes, with other first bytes",
            "write 0 and seven blanks into its first 8 bytes (EDF), or save it again in EDFbrowser",
        )
    if _is_matlab_4(content):
        return "a MATLAB 4 file", "save it as MATLAB 5 (-v7)"
    if content[:4] in (b"\x08\0\x05\0", b"\x08\0\x16\0", b"\x08\0\x00\0"):
        name = "a DICOM data set without preamble and file header (how is it encoded?)"
        return name, "save it as DICOM Part 10"
    return None


def _has_edf_sizes(content: bytes) -> bool:
    """Tell by the stated size of the header, which follows from the number of signals."""
    size, n_signals = content[184:192].strip(), content[252:256].strip()
    numbers = size.isdigit() and n_signals.isdigit()
    return numbers and int(size) == _EDF_PART * (int(n_signals) + 1)


def _is_matlab_4(content: bytes) -> bool:
    """Tell by the header of the first matrix: type, shape, imaginary part, length of its name."""
    if len(content) < 24:
        return False
    kind, rows, columns, imaginary, length = struct.unpack_from("<5I", content)
    name = content[20 : 19 + length]
    shape = 0 < rows < 1 << 28 and 0 < columns < 1 << 28
    named = 1 < length <= 64 and name.isascii() and name.decode("latin-1").isidentifier()
    return kind in (0, 10, 20, 30, 40, 50) and shape and imaginary < 2 and named


def _named_json(content: bytes) -> tuple[str, str]:
    """Name a kind of JSON that is not read."""
    if b'"resourceType"' in content[:_SNIFFED]:
        return "a FHIR resource", "export the recording itself"
    if b'"data12L"' in content:
        return "a Kardia 12L recording (it states no amplitude)", "export it as DICOM or EDF"
    if b'"recordedAt"' in content:
        return "a Kardia recording without the unfiltered leads (data.raw)", "export them"
    return "JSON and no Kardia recording", "export it as EDF, CSV or WFDB"


def _named_text(content: bytes) -> tuple[str, str] | None:
    """Name a kind of JSON or XML that is not read; None where it is neither."""
    if _JSON.match(content[:64].removeprefix(b"\xef\xbb\xbf")):
        return _named_json(content)
    if _WFDB_HEADER.match(content[:_SNIFFED]) and b".dat" in content[:_SNIFFED]:
        return "a WFDB header", "name it NAME.hea, and the record NAME"
    root = _xml_root(content)
    if root is None:
        return None
    name, step = _XML_NAMED.get(root.lower(), (f"XML with the root {root}", _XML_STEP))
    return name, f"export it as {step}"


def _xml_root(content: bytes) -> str | None:
    """Return the name of an XML file's root element without its prefix."""
    wide = content[:2] in (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")
    encoding = {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}.get(content[:2], "utf-16")
    start = content[:_SNIFFED].decode(encoding if wide else "latin-1", errors="replace")
    text = start.lstrip("\ufeff\xef\xbb\xbf \t\r\n")
    if text[:1] != "<":
        return None
    tag = _FIRST_TAG.search(re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL))
    return tag[1] if tag else None
