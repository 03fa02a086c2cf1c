"""Files that state one fact in two places: those that contradict themselves do not go unnoticed."""

import io
import json
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from benchmarks.array_files import numpy_files
from benchmarks.mutants import mend_crc
from benchmarks.recording_files import (
    Files,
    aecg_files,
    edf_files,
    make_counts,
    muse_files,
    philips_files,
    scp_files,
    wfdb_files,
)
from data_modules.reading.read import read_recording
from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import Recording
from lsemvae.core.leads import LEADS

COUNTS = make_counts()
AECG = aecg_files(COUNTS)["r1.xml"].decode()
DIGITS = re.compile(r"(<digits>(?:\S+ ){700})")


def read(root: Path, record: str, files: Files) -> Recording:
    for name, content in files.items():
        (root / name).write_bytes(content)
    return read_recording(root, record, amplitude="calibrated")


def refusal(root: Path, record: str, files: Files) -> str:
    with pytest.raises(RecordError) as caught:
        read(root, record, files)
    return caught.value.problem


@pytest.mark.parametrize(
    ("within", "said"),
    [("<br/> ", "holds <br> within its text"), ("</digits><digits>", "must be stated once")],
)
def test_digits_of_an_aecg_are_read_whole_or_not_at_all(
    within: str, said: str, tmp_path: Path
) -> None:
    files = {"r1.xml": DIGITS.sub(rf"\1{within}", AECG).encode()}
    assert said in refusal(tmp_path, "r1.xml", files)


def test_comments_within_the_digits_of_an_aecg_cut_nothing(tmp_path: Path) -> None:
    files = {"r1.xml": DIGITS.sub(r"\1<!-- page 2 --> ", AECG).encode()}
    np.testing.assert_allclose(read(tmp_path, "r1.xml", files).ecg, COUNTS * 0.005, atol=1e-6)


def test_an_aecg_lead_of_two_names_is_refused(tmp_path: Path) -> None:
    files = {"r1.xml": AECG.replace('LEAD_V1"', 'LEAD_V1" displayName="Lead V2"').encode()}
    assert "a lead is V1 by its code and V2 by its name" in refusal(tmp_path, "r1.xml", files)


def timed(high: str) -> Files:
    times = f'<effectiveTime><low value="20200101100000"/><high value="{high}"/></effectiveTime>'
    return {"r1.xml": AECG.replace("<series>", f"<series>{times}").encode()}


def test_an_aecg_that_lasts_otherwise_by_its_times_is_doubtful(tmp_path: Path) -> None:
    told = dict(read(tmp_path, "r1.xml", timed("20200101100012.000-0500")).warnings)
    assert "12 s by its effectiveTime and 6 s" in told["rate_doubtful"]


@pytest.mark.parametrize(
    "high", ["20200101100006", "20200101100007.5", "20200101100000", "20200101110000", "2020", "x"]
)
def test_times_of_an_aecg_that_say_nothing_of_its_rate_are_no_doubt(
    high: str, tmp_path: Path
) -> None:
    assert "rate_doubtful" not in dict(read(tmp_path, "r1.xml", timed(high)).warnings)


def test_a_part_that_is_left_out_is_told(tmp_path: Path) -> None:
    series = re.search("<component><series>.*</series></component>", AECG)
    assert series is not None
    short = re.sub(r"(<digits>(?:\S+ ){750})[^<]*", r"\1", series[0])
    files = {"r1.xml": AECG.replace("</AnnotatedECG>", f"{short}</AnnotatedECG>").encode()}
    recording = read(tmp_path, "r1.xml", files)
    np.testing.assert_allclose(recording.ecg, COUNTS * 0.005, atol=1e-6)
    assert "left out: 'RHYTHM' with I, II" in dict(recording.warnings)["signals_ignored"]
    assert "3 s (750 samples)" in dict(recording.warnings)["signals_ignored"]


@pytest.mark.parametrize(("limit", "told"), [("100", True), ("219", False)])
def test_samples_beyond_the_range_that_an_edf_states_are_told(
    limit: str, told: bool, tmp_path: Path
) -> None:
    content = edf_files(COUNTS)["r1.edf"].replace(b"32767   ", limit.encode().ljust(8))
    warnings = dict(read(tmp_path, "r1.edf", {"r1.edf": content}).warnings)
    assert ("gain_doubtful" in warnings) is told
    if told:
        assert (
            "II has samples of 0 to 220 outside its range -32768..100" in warnings["gain_doubtful"]
        )


def test_an_edf_with_other_first_bytes_is_named(tmp_path: Path) -> None:
    content = b"0\xe9      " + edf_files(COUNTS)["r1.edf"][8:]
    assert "write 0 and seven blanks" in refusal(tmp_path, "r1.edf", {"r1.edf": content})


@pytest.mark.parametrize("differences", [1, 2])
def test_scp_leads_that_hold_more_than_they_declare_are_refused(
    differences: int, tmp_path: Path
) -> None:
    content = scp_files(COUNTS, differences=differences)["r1.scp"]
    fewer = content.replace(struct.pack("<II", 1, 1500), struct.pack("<II", 1, 1000))
    problem = refusal(tmp_path, "r1.scp", {"r1.scp": mend_crc(fewer, "SCP-ECG")})
    assert "more than the 1000 samples that it declares" in problem


def test_first_samples_of_another_file_are_told_where_no_checksum_does(tmp_path: Path) -> None:
    files = wfdb_files(COUNTS + 7)
    plain = re.sub(rb" 16 0 (\S+) \d+ 0 ", rb" 16 0 \1 0 0 ", files["r1.hea"])
    told = dict(read(tmp_path, "r1", files | {"r1.hea": plain}).warnings)["checksum_missing"]
    assert "may belong to another file" not in told
    files["r1.dat"] = (COUNTS + 9).T.astype("<i2").tobytes()
    told = dict(read(tmp_path, "r1", files | {"r1.hea": plain}).warnings)["checksum_missing"]
    assert "(I: 9, stated 7), so it may belong to another file" in told


def matlab_text(group: Any, name: str, texts: tuple[str, ...]) -> Any:
    """Write letters as MATLAB 7.3 does: numbers, a column for each text."""
    letters = np.array([list(map(ord, text.ljust(3))) for text in texts], np.uint16).T
    group[name] = letters
    group[name].attrs["MATLAB_class"] = np.bytes_("char")
    return group[name].ref


def cells(file: Any, names: tuple[str, ...]) -> None:
    held = file.create_group("#refs#")
    references = [matlab_text(held, f"r{i}", (name,)) for i, name in enumerate(names)]
    file["leads"] = np.array([references], dtype=h5py.ref_dtype)
    file["leads"].attrs["MATLAB_class"] = np.bytes_("cell")


def saved(build: Callable[[Any], object]) -> Files:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["val"] = 5.0 * COUNTS.T
        build(file)
    layout = {"leads": list(LEADS), "sampling_rate_hz": 250, "unit": "uV", "variable": "val"}
    return {"r1.h5": buffer.getvalue(), "layout.json": json.dumps(layout).encode()}


@pytest.mark.parametrize(
    "build",
    [cells, lambda file, names: matlab_text(file, "names", names),
     lambda file, names: file["val"].attrs.update({"channels": ", ".join(names)})],
    ids=["cells", "letters", "one text"],
)  # fmt: skip
def test_leads_that_a_matlab_7_3_file_lists_are_compared(
    build: Callable[[Any, tuple[str, ...]], None], tmp_path: Path
) -> None:
    problem = refusal(tmp_path, "r1.h5", saved(lambda file: build(file, LEADS[::-1])))
    assert "the file lists its leads as V6, V5" in problem
    recording = read(tmp_path, "r1.h5", saved(lambda file: build(file, LEADS)))
    np.testing.assert_allclose(recording.ecg, COUNTS * 0.005, atol=1e-6)


def test_a_unit_that_a_matlab_7_3_file_states_is_compared(tmp_path: Path) -> None:
    files = saved(lambda file: matlab_text(file, "units", ("mV",)))
    assert "states the unit mV, the layout uV" in refusal(tmp_path, "r1.h5", files)


def test_leads_as_lists_of_their_own_are_told_what_to_do(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.update(dict(zip(LEADS, COUNTS, strict=True)))
    files = numpy_files(COUNTS) | {"r1.h5": buffer.getvalue()}
    assert "one dataset of two axes" in refusal(tmp_path, "r1.h5", files)


@pytest.mark.parametrize("name", ["r1.xml", "r1.EDF", "r1.h5", "r1.hea", "r1.npz"])
def test_a_missing_file_with_an_ending_is_named_as_itself(name: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, name, {}).startswith(f"{name} is not in the source folder")


@pytest.mark.parametrize(("line", "refused"), [("Unit,\u00b5V", True), ("# units = uV", True),
                                               ("Unit,mV", False), ("unit 4b", False)])  # fmt: skip
def test_a_unit_above_a_table_is_compared_with_the_layout(
    line: str, refused: bool, tmp_path: Path
) -> None:
    rows = [line, ",".join(LEADS), *(",".join(f"{v:.3f}" for v in row) for row in COUNTS.T * 0.005)]
    layout = {"sampling_rate_hz": 250, "unit": "mV", "skip_lines": 1}
    files = {"r1.csv": "\n".join(rows).encode(), "layout.json": json.dumps(layout).encode()}
    if refused:
        assert "the layout mV" in refusal(tmp_path, "r1.csv", files)
    else:
        np.testing.assert_allclose(read(tmp_path, "r1.csv", files).ecg, COUNTS * 0.005, atol=1e-6)


@pytest.mark.parametrize(
    ("packing", "refused"),
    [({"scale_factor": 0.001}, True), ({"add_offset": 100.0}, True), ({"scale_factor": 1.0}, False),
     ({"scale_factor": 0.005, "add_offset": 0.0}, False), ({"scale_factor": "x"}, False)],
)  # fmt: skip
def test_the_packing_that_an_hdf5_dataset_states_is_compared(
    packing: dict[str, Any], refused: bool, tmp_path: Path
) -> None:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["val"] = COUNTS.T
        file["val"].attrs.update(packing)
    layout = {"leads": list(LEADS), "sampling_rate_hz": 250, "unit": "mV", "counts_per_unit": 200}
    files = {"r1.h5": buffer.getvalue(), "layout.json": json.dumps(layout).encode()}
    if refused:
        assert "counts_per_unit as 1 / scale_factor" in refusal(tmp_path, "r1.h5", files)
    else:
        np.testing.assert_allclose(read(tmp_path, "r1.h5", files).ecg, COUNTS * 0.005, atol=1e-6)


def test_signals_of_one_file_with_two_offsets_are_named(tmp_path: Path) -> None:
    files = wfdb_files(COUNTS)
    files["r1.hea"] = files["r1.hea"].replace(b"r1.dat 16 ", b"r1.dat 16+512 ", 1)
    assert "begins at byte 512 for one signal and at 0" in refusal(tmp_path, "r1", files)


def test_an_aecg_lead_without_an_origin_is_named(tmp_path: Path) -> None:
    files = {"r1.xml": AECG.replace('<origin value="0" unit="uV"/>', "", 1).encode()}
    assert "value/origin of MDC_ECG_LEAD_I states no value" in refusal(tmp_path, "r1.xml", files)


def test_an_empty_text_of_matlab_7_3_is_no_list_of_leads(tmp_path: Path) -> None:
    def empty(file: Any) -> None:
        file["names"] = np.array([0, 5_000_000], np.uint64)
        file["names"].attrs.update({"MATLAB_class": np.bytes_("char"), "MATLAB_empty": 1})

    recording = read(tmp_path, "r1.h5", saved(empty))
    np.testing.assert_allclose(recording.ecg, COUNTS * 0.005, atol=1e-6)


def test_a_muse_lead_of_two_names_is_refused(tmp_path: Path) -> None:
    content = muse_files(COUNTS, LEADS)["r1.xml"].replace(
        b"<LeadID>V1", b"<LeadID>V2</LeadID><LeadID>V1"
    )
    assert "LeadID must be stated once" in refusal(tmp_path, "r1.xml", {"r1.xml": content})


def test_a_philips_file_of_two_offsets_is_refused(tmp_path: Path) -> None:
    text = philips_files(COUNTS)["r1.xml"].decode("utf-16")
    other = "<signaloffset>2048</signaloffset></signalcharacteristics>"
    files = {"r1.xml": text.replace("</signalcharacteristics>", other).encode("utf-16")}
    assert "signaloffset must be stated once" in refusal(tmp_path, "r1.xml", files)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [('resolution="5"', 'resolution="5" samplespersecond="500"', "samplespersecond 500"),
     ("<signaloffset>", "<resolution>2.5</resolution><signaloffset>", "resolution 5")],
)  # fmt: skip
def test_a_philips_file_of_two_rates_or_resolutions_is_refused(
    old: str, new: str, said: str, tmp_path: Path
) -> None:
    text = philips_files(COUNTS)["r1.xml"].decode("utf-16")
    files = {"r1.xml": text.replace(old, new).encode("utf-16")}
    assert f"its samples state {said}, signalcharacteristics" in refusal(tmp_path, "r1.xml", files)
