"""Files of every kind that hold signals and none of the twelve leads, as an EEG does."""

import io
import struct
from pathlib import Path

import pydicom
import pytest

from benchmarks.mutants import mend_crc
from benchmarks.recording_files import SCP_NUMBERS, WRITERS, Files, make_counts
from data_modules.reading.read import read_recording
from data_modules.reading.reasons import RecordError


def by_code(kind: str, files: Files, leads: tuple[str, ...]) -> Files:
    """Exchange the codes of the leads for those of others where a kind has codes, not names."""
    name, content = next(iter(files.items()))
    if kind == "DICOM":
        data = pydicom.dcmread(io.BytesIO(content))
        for channel in data.WaveformSequence[0].ChannelDefinitionSequence:
            channel.ChannelSourceSequence[0].CodeValue = "X"
            channel.ChannelSourceSequence[0].CodeMeaning = "Pleth"
        stream = io.BytesIO()
        data.save_as(stream)
        return {name: stream.getvalue()}
    if kind == "SCP-ECG":
        for lead in leads:
            row = struct.pack("<IIB", 1, 1500, SCP_NUMBERS[lead])
            content = content.replace(row, row[:-1] + b"\x7f")
        return {name: mend_crc(content, kind)}
    if kind == "ISHNE":
        changed = bytearray(content)
        struct.pack_into(f"<{len(leads)}h", changed, 158, *([19] * len(leads)))
        return {name: bytes(changed)}
    raise AssertionError(kind)


@pytest.mark.parametrize("kind", [kind for kind in WRITERS if kind != "Kardia JSON"])
def test_no_known_lead_is_said_by_name(kind: str, tmp_path: Path) -> None:
    record, leads, write = WRITERS[kind]
    counts = make_counts(leads)
    if kind in ("DICOM", "SCP-ECG", "ISHNE"):
        files = by_code(kind, write(counts, leads), leads)
    else:
        files = write(counts, tuple(f"Fp{number}" for number in range(len(leads))))
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(RecordError) as caught:
        read_recording(tmp_path, record, amplitude="calibrated")
    assert caught.value.code == "no_known_lead"
    assert "is one of the twelve leads" in caught.value.problem
