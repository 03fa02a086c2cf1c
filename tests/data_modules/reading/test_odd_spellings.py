"""Unusual but legal spellings in each kind of file: the same millivolts as the usual one."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.recording_files import WRITERS, Files, make_counts
from data_modules.reading.read import read_recording

Change = tuple[bytes, bytes]


def wide(content: bytes) -> bytes:
    """Return XML as UTF-16, without a declaration."""
    text = content.decode("latin-1").partition("?>")[2]
    return text.encode("utf-16")


SPELLINGS: list[tuple[str, str, list[Change | Callable[[bytes], bytes]]]] = [
    ("WFDB", "r1.hea", [(b"\n", b"\r\n")]),
    ("WFDB", "r1.hea", [(b" 16 200", b"\t16\t200")]),
    ("WFDB", "r1.hea", [(b"r1 12", b"\xef\xbb\xbfr1 12")]),
    ("WFDB", "r1.hea", [(b"200(0)/mV", b"2.0e2/mV")]),
    ("WFDB", "r1.hea", [(b"200(0)/mV", b"0.0002(0)/nV")]),
    ("WFDB", "r1.hea", [(b"200(0)/mV", b"0.2/\xc2\xb5V")]),
    ("WFDB", "r1.hea", [(b"200(0)/mV", b"200000/V")]),
    ("WFDB", "r1.hea", [(b"r1 12 250 1500", b"r1 12 250/250(0) 1500 12:00:00 01/01/2020")]),
    ("WFDB", "r1.hea", [(b"r1 12 250 1500", b"# made by hand\n\nr1 12 250.000 1500")]),
    ("WFDB", "r1.hea", [(b" 0 aV", b" 0 AV"), (b" 0 V", b" 0 v")]),
    ("WFDB", "r1.hea", [(b" 0 V1", b" 0 MDC_ECG_LEAD_V1"), (b" 0 II\n", b" 0 Lead II:\n")]),
    ("GE MUSE XML", "r1.xml", [(b"MICROVOLTS", b"microvolt")]),
    ("GE MUSE XML", "r1.xml", [(b"MICROVOLTS", b" \xb5V ")]),
    ("GE MUSE XML", "r1.xml", [(b"<SampleBase>250<", b"<SampleBase> 250.0\n<")]),
    ("GE MUSE XML", "r1.xml", [(b"SampleBase>250<", b"SampleBase>25<"),
                               (b"<SampleExponent>0<", b"<SampleExponent>+1<")]),
    ("GE MUSE XML", "r1.xml", [(b"<LeadSampleCountTotal>1500<", b"<LeadSampleCountTotal>1500.0<")]),
    ("GE MUSE XML", "r1.xml", [(b"<LeadID>V", b"<LeadID> v")]),
    ("GE MUSE XML", "r1.xml", [(b"<WaveFormData>\n", b"<WaveFormData>\r\n   ")]),
    ("GE MUSE XML", "r1.xml", [(b"PerBit>5<", b"PerBit>5.00<")]),
    ("GE MUSE XML", "r1.xml", [wide]),
    ("HL7 aECG", "r1.xml", [(b'scale value="5" unit="uV"', b'scale value="5.0" unit="UV"')]),
    ("HL7 aECG", "r1.xml", [(b'increment value="0.004" unit="s"',
                             b'increment value="4" unit="ms"')]),
    ("HL7 aECG", "r1.xml", [(b'increment value="0.004"', b'increment value="4E-3"')]),
    ("HL7 aECG", "r1.xml", [(b'origin value="0" unit="uV"',
                             b'origin value="0.0" unit="microvolt"')]),
    ("HL7 aECG", "r1.xml", [(b" 0 0 ", b"\n0\t0 ")]),
    ("HL7 aECG", "r1.xml", [(b"MDC_ECG_LEAD_aV", b"MDC_ECG_LEAD_AV")]),
    ("HL7 aECG", "r1.xml", [(b'code="RHYTHM"', b'code="rhythm"')]),
    ("Philips XML", "r1.xml", [(b"True".decode().encode("utf-16-le"), "true".encode("utf-16-le"))]),
    ("EDF", "r1.edf", [(b"I".ljust(16) + b"II".ljust(16),
                        b"ECG I".ljust(16) + b"EKG II".ljust(16))]),
    ("EDF", "r1.edf", [(b"V1              ", b"C1 (V1)         ")]),
    ("EDF", "r1.edf", [(b"uV      ", b"\xb5V      ")]),
    ("EDF", "r1.edf", [(b"-163840 ", b"-163.84 "), (b"163835  ", b"163.835 "),
                       (b"uV      ", b"mV      ")]),
    ("EDF", "r1.edf", [(b"32767   ", b"+32767  ")]),
    ("EDF", "r1.edf", [(b"01.01.20", b"01.13.99")]),
    ("Kardia JSON", "r1.json", [(b"{", b"\xef\xbb\xbf {")]),
    ("CSV", "r1.csv.layout.json", [(b'"uV"', b'"\\u00b5V"')]),
    ("CSV", "r1.csv.layout.json", [(b"{", b"\xef\xbb\xbf{")]),
    ("CSV", "r1.csv", [(b"aVR", b'"aVR"')]),
    ("MATLAB", "layout.json", [(b'"uV"', b'"microvolts"')]),
]  # fmt: skip


def spelt(files: Files, name: str, changes: list[Change | Callable[[bytes], bytes]]) -> Files:
    content = files[name]
    for change in changes:
        if callable(change):
            content = change(content)
            continue
        assert change[0] in content
        # the first brace of a JSON file opens it
        content = content.replace(*change, 1 if change[0] == b"{" else -1)
    return files | {name: content}


@pytest.mark.parametrize(("kind", "name", "changes"), SPELLINGS)
def test_the_millivolts_do_not_depend_on_the_spelling(
    kind: str, name: str, changes: list[Change | Callable[[bytes], bytes]], tmp_path: Path
) -> None:
    record, leads, writer = WRITERS[kind]
    counts = make_counts(leads)
    for file, content in spelt(writer(counts, leads), name, changes).items():
        (tmp_path / file).write_bytes(content)
    recording = read_recording(tmp_path, record, amplitude="calibrated")
    assert recording.leads == leads
    assert recording.sampling_rate_hz == 250
    np.testing.assert_allclose(recording.ecg, counts * 0.005, atol=2e-6)
