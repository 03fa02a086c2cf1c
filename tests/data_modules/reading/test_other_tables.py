"""Tables and arrays of signals as others write them: the same millivolts, or what to write."""

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.recording_files import LEADS, make_counts
from data_modules.reading.read import read_recording
from data_modules.reading.reasons import RecordError

MV = {"sampling_rate_hz": 250, "unit": "mV"}
NAMED = MV | {"leads": list(LEADS)}
ECG_MV = make_counts() * 0.005


def table(
    delimiter: str = ",",
    *,
    names: Sequence[str] = LEADS,
    quote: str = "",
    first: Callable[[int], str] | None = None,
) -> str:
    rows = []
    for i, samples in enumerate(ECG_MV.T.tolist()):
        cells = [f"{quote}{value:.4f}{quote}" for value in samples]
        rows.append(delimiter.join([first(i), *cells] if first else cells))
    return "\n".join([delimiter.join(names), *rows])


def put(root: Path, name: str, content: str | bytes, layout: object) -> str:
    raw = content if isinstance(content, bytes) else content.encode()
    (root / name).write_bytes(raw)
    written = layout if isinstance(layout, bytes) else json.dumps(layout).encode()
    (root / f"{name}.layout.json").write_bytes(written)
    return name


def agrees(root: Path, record: str, atol: float = 2e-6) -> None:
    recording = read_recording(root, record, amplitude="calibrated")
    assert recording.leads == LEADS
    np.testing.assert_allclose(recording.ecg, ECG_MV, atol=atol)


def refusal(root: Path, record: str) -> RecordError:
    with pytest.raises(RecordError) as caught:
        read_recording(root, record, amplitude="calibrated")
    return caught.value


def seconds(step: float) -> Callable[[int], str]:
    return lambda i: f"{i * step:.4f}"


PLAIN = table()
UNITS = ",".join(["mV"] * 12)
TIMED = ["Time", *LEADS]


@pytest.mark.parametrize(
    ("content", "layout"),
    [
        (table(names=[f'"{lead}, mV"' for lead in LEADS]), MV),
        (table(names=[f"{lead} {{mV}}" for lead in LEADS]), MV),
        (table(names=[f"{lead}..mV." for lead in LEADS]), MV),
        (table(quote="'"), MV),
        (table(quote='"'), MV),
        (PLAIN.replace("-", "\u2212"), MV),
        (PLAIN.replace("\n", "\n\n"), MV),
        (PLAIN + "\n\x1a", MV),
        (PLAIN.encode("utf-16"), MV),
        (table(first=lambda i: f'"{i + 1}"'), MV),
        (table(" ", first=lambda i: f'"{i + 1}"', quote='"'), MV),
        (table("\t", first=str), MV),
        (table("\t", first=str, quote="'", names=["", *LEADS]), MV),
        (table(" ", names=[f"{lead}_(mV)" for lead in LEADS]), MV),
        (PLAIN, json.dumps(MV).encode("utf-16")),
        (PLAIN.replace("\n", f"\n{UNITS}\n", 1), NAMED),
        (table(names=TIMED, first=seconds(0.004)), NAMED),
        (table(names=TIMED, first=seconds(4.0)), MV),
        (table(names=["t [ms]", *LEADS], first=seconds(4.0)), MV),
        (table(names=["Time", *LEADS], first=str), MV),
        (table(names=["Time", *LEADS], first=lambda i: f"10:00:{i / 250:06.3f}"), MV),
    ],
)
def test_tables_of_other_programs_are_read(
    content: str | bytes, layout: object, tmp_path: Path
) -> None:
    agrees(tmp_path, put(tmp_path, "r1.csv", content, layout))


def test_cs_words_for_nothing_are_missing_samples(tmp_path: Path) -> None:
    content = PLAIN.replace("\n0.0000", "\n-1.#IND", 2)
    recording = read_recording(tmp_path, put(tmp_path, "r1.csv", content, MV),
                               amplitude="calibrated")  # fmt: skip
    assert np.flatnonzero(np.isnan(recording.ecg).any(axis=0)).tolist() == [0, 1]


BY_LEADS = "\n".join(f"{lead}," + ",".join(f"{value:.3f}" for value in row)
                     for lead, row in zip(LEADS, ECG_MV.tolist(), strict=True))  # fmt: skip


@pytest.mark.parametrize(
    ("content", "layout", "code", "text"),
    [
        (table(names=["time (s)", *LEADS], first=seconds(0.002)), MV, "rate_invalid",
         "'time (s)' goes on by 0.002 s a sample, and the layout states 250 Hz"),
        (table(names=["ms", *LEADS], first=seconds(0.004)), MV, "rate_invalid", "by 0.004 ms"),
        (table(names=["Time", *LEADS], first=seconds(0.002)), MV, "rate_invalid", "by 0.002"),
        (PLAIN, MV | {"leads": LEADS[::-1]}, "file_invalid", "line 1 names the columns I, II"),
        (table(names=[f'"{lead}, uV"' for lead in LEADS]), MV, "unit_unknown", "uV in its name"),
        (BY_LEADS, MV, "file_invalid", "the leads stand in lines"),
        (BY_LEADS.replace("I,", "").replace("V,", ""), NAMED, "size_mismatch", "transpose"),
        (PLAIN + "\n# end", MV, "file_invalid", "line 1502 has 1 cell for 12 columns; remove"),
        (",".join(LEADS), MV, "size_mismatch", "no line of numbers"),
        (table(first=lambda i: f'"{i * i}"'), MV, "size_mismatch", "line 2 has 13 cells for 12"),
        (PLAIN.replace("\n0.0000", '\n"0.0000', 1), MV, "file_invalid", "a quote in or behind"),
        ("", MV, "format_unknown", "it holds nothing (0 bytes)"),
        (PLAIN, {"fs": 250, "unit": "mV"}, "file_invalid", "it has the field fs; known are leads"),
        (PLAIN, {"sampling_rate_hz": 250}, "file_invalid", "it states no unit"),
        (PLAIN, MV | {"sampling_rate_hz": 0}, "rate_invalid", "the sampling rate is 0"),
    ],
)  # fmt: skip
def test_an_unclear_table_says_what_to_write(
    content: str, layout: dict[str, Any], code: str, text: str, tmp_path: Path
) -> None:
    error = refusal(tmp_path, put(tmp_path, "r1.csv", content, layout))
    assert error.code == code
    assert text in error.problem


def saved(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("array", "atol"),
    [(ECG_MV, 2e-6), (ECG_MV.T, 2e-6), (ECG_MV[None], 2e-6), (ECG_MV.astype(">f4"), 2e-6),
     (np.asfortranarray(ECG_MV), 2e-6), (ECG_MV.astype(np.float16), 1e-3)],
)  # fmt: skip
def test_a_numpy_array_of_one_recording_is_read(array: Any, atol: float, tmp_path: Path) -> None:
    agrees(tmp_path, put(tmp_path, "r1.npy", saved(array), NAMED), atol)


@pytest.mark.parametrize(
    ("content", "layout", "text"),
    [
        (saved(np.stack([ECG_MV] * 5)), NAMED, "name one of them as r1.npy#0 to r1.npy#4"),
        (saved(ECG_MV), MV, 'write its "leads"'),
        (saved(ECG_MV[0]), NAMED, "shape (1500,)"),
        (saved(ECG_MV + 0j), NAMED, "expected plain numbers"),
        (saved(np.array([{"a": 1}], dtype=object)), NAMED, "expected plain numbers"),
        (saved(ECG_MV)[:-8], NAMED, "it declares (12, 1500) of float64"),
        (saved(ECG_MV).replace(b"(12, 1500)", b"(12, 9**9)"), NAMED, "no whole NumPy array"),
        (saved(ECG_MV).replace(b"1500), ", b"15" + b"0" * 2 + b"00,"), NAMED, "r1.npy"),
    ],
)
def test_other_numpy_arrays_say_what_they_are(
    content: bytes, layout: dict[str, Any], text: str, tmp_path: Path
) -> None:
    assert text in refusal(tmp_path, put(tmp_path, "r1.npy", content, layout)).problem


@pytest.mark.parametrize(
    ("held", "layout", "text"),
    [
        ({"val": ECG_MV}, {"variable": "ecg"}, "its matrices are val 12 x 1500"),
        ({"d": {"val": ECG_MV}}, {"variable": "d"}, "its matrices are d.val 12 x 1500"),
        (
            {"val": ECG_MV, "raw": ECG_MV},
            {},
            "states no variable; the file's matrices are val 12 x 1500, raw 12 x 1500",
        ),
        ({"val": ECG_MV[:3]}, {"variable": "val"}, "val is (3, 1500) for the 12 leads"),
    ],
)
def test_a_matlab_file_says_which_matrices_it_holds(
    held: dict[str, Any], layout: dict[str, Any], text: str, tmp_path: Path
) -> None:
    from scipy.io import savemat

    buffer = io.BytesIO()
    savemat(buffer, held)
    error = refusal(tmp_path, put(tmp_path, "r1.mat", buffer.getvalue(), NAMED | layout))
    assert text in error.problem


def test_the_only_matrix_of_a_matlab_file_with_the_leads_needs_no_name(tmp_path: Path) -> None:
    from scipy.io import savemat

    buffer = io.BytesIO()
    savemat(buffer, {"age": 61, "qrs": np.arange(40), "d": {"val": ECG_MV.T}})
    agrees(tmp_path, put(tmp_path, "r1.mat", buffer.getvalue(), NAMED))


def test_matlab_4_is_refused_by_name(tmp_path: Path) -> None:
    from scipy.io import savemat

    buffer = io.BytesIO()
    savemat(buffer, {"ecg": ECG_MV}, format="4")
    assert "a MATLAB 4 file" in refusal(
        tmp_path, put(tmp_path, "r1.mat", buffer.getvalue(), NAMED)
    ).problem  # fmt: skip
