"""The header parser takes every field as it stands or says which one is wrong."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_modules.reading.limits import MAX_HEADER_BYTES
from data_modules.reading.reasons import RecordError
from data_modules.reading.wfdb_header import parse_header

LINE = "r1.dat 16 200(-3)/mV 16 0 12 -345 0 Lead II"


def parse(record_line: str, *signals: str) -> object:
    return parse_header("\n".join([record_line, *signals]).encode(), record="a/r1")


def test_all_fields_are_read() -> None:
    header = parse_header(
        f"# early\nr1 1 500/1000(0) 5000 11:58:00\n{LINE}\n#late".encode(), record="r1"
    )
    assert (header.sampling_rate_hz, header.n_samples) == (500.0, 5000)
    assert header.comments == ("early", "late")
    (signal,) = header.signals
    assert signal == ("r1.dat", "16", 0, 0, 200.0, -3, "mV", -345, "Lead II", 12, True)


def test_a_comment_behind_the_name_of_a_lead_is_no_part_of_it() -> None:
    lines = [f"{LINE} # noisy", LINE.replace("Lead II", "Probe #2")]
    header = parse_header("\n".join(["r1 2 500 10", *lines]).encode(), record="r1")
    assert [signal.description for signal in header.signals] == ["Lead II", "Probe #2"]


def test_a_blank_within_a_field_is_named() -> None:
    line = LINE.replace("(-3)/mV", "(-3)/ mV")
    with pytest.raises(RecordError, match="a field too many before 'Lead II'"):
        parse_header(f"r1 1 500 10\n{line}".encode(), record="r1")


def test_a_baseline_of_32_bits_is_read() -> None:
    line = LINE.replace("200(-3)", "6344117.125(-2062153171)").replace(" 16 2", " 32 2")
    header = parse_header(f"r1 1 500 10\n{line}".encode(), record="r1")
    assert header.signals[0].baseline == -2062153171


def test_baseline_defaults_to_the_adc_zero_as_the_format_says() -> None:
    header = parse_header(b"r1 1 360 10\nr1.dat 212 200/mV 11 1024 995 1 0 I", record="r1")
    assert header.signals[0].baseline == 1024


@pytest.mark.parametrize("text", ["\u00b5V", "\u03bcV", "uV"])
def test_micro_signs_survive_in_the_unit(text: str) -> None:
    line = LINE.replace("mV", text)
    header = parse_header(f"r1 1 500 10\n{line}".encode(), record="r1")
    assert header.signals[0].unit == text


def test_a_latin_1_micro_sign_is_read() -> None:
    line = LINE.replace("mV", "\u00b5V")
    header = parse_header(f"r1 1 500 10\n{line}".encode("latin-1"), record="r1")
    assert header.signals[0].unit == "\u00b5V"


@pytest.mark.parametrize(
    ("record_line", "signals", "code"),
    [
        ("", [], "header_invalid"),
        ("<html>", [], "header_invalid"),
        ("other 1 500 10", [LINE], "header_invalid"),
        ("r1 2 500 10", [LINE], "header_invalid"),
        ("r1 1 500", [LINE], "length_missing"),
        ("r1 1 500 0", [LINE], "length_missing"),
        ("r1 1 500 -10", [LINE], "header_invalid"),
        ("r1/3 1 500 10", [LINE], "multi_segment"),
        ("r1 1 500 10", [LINE.replace("16 200", "16x2 200")], "layout_unsupported"),
        ("r1 1", [LINE], "rate_invalid"),
        ("r1 1 -500 10", [LINE], "rate_invalid"),
        ("r1 1 nan 10", [LINE], "rate_invalid"),
        ("r1 1 0 10", [LINE], "rate_invalid"),
        ("r1 1 5e9 10", [LINE], "rate_invalid"),
        ("r1 1 500 10", [LINE.replace("200(", "0(")], "gain_invalid"),
        ("r1 1 500 10", [LINE.replace("200(", "-200(")], "gain_invalid"),
        ("r1 1 500 10", [LINE.replace("200(", "nan(")], "gain_invalid"),
        ("r1 1 500 10", [LINE.replace("200(", "4,88(")], "gain_invalid"),
        ("r1 1 500 10", [LINE.replace("200(", "1e999(")], "gain_invalid"),
        ("r1 1 500 10", [LINE.replace("200(", "1e-300(")], "gain_invalid"),
        ("r1 1 500 10", ["r1.dat 16 200/mV 16 zero"], "header_invalid"),
        ("r1 1 500 10", ["r1.dat 16"], "header_invalid"),
        ("r1 2 500 10", [LINE, "r1.dat 16 200/mV"], "header_invalid"),
        ("r1 1 500 99999999999", [LINE], "header_limit"),
        ("r1 1000 500 10", [LINE], "header_limit"),
        ("r1 1 500 10", [LINE + "x" * 20_000], "header_invalid"),
        ("r1 1 500 10", [LINE.replace(" 16 0 ", " -16 0 ")], "header_invalid"),
        ("r1 1 500 10", [LINE.replace(" -345 0", " -345\u00a00")], "header_invalid"),
        ("r1 1 500 10", [LINE.replace(" -345", " \u0663")], "header_invalid"),
        ("r1 1 500 10", [LINE.replace("(-3)", "(99999999999)")], "header_invalid"),
    ],
)
def test_a_wrong_field_is_named_by_its_code(
    record_line: str, signals: list[str], code: str
) -> None:
    with pytest.raises(RecordError, match="record a/r1: ") as caught:
        parse(record_line, *signals)
    assert caught.value.code == code


def test_a_huge_header_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(RecordError) as caught:
        parse_header(b"#" * (MAX_HEADER_BYTES + 1), record="r1")
    assert caught.value.code == "header_limit"


@given(st.binary(max_size=300))
def test_any_bytes_parse_or_are_a_record_error(content: bytes) -> None:
    with contextlib.suppress(RecordError):
        assert parse_header(content, record="r1").n_samples > 0


@given(st.integers(0, 60), st.characters())
def test_a_header_with_one_changed_character_parses_or_is_a_record_error(
    position: int, character: str
) -> None:
    text = f"r1 1 500 10\n{LINE}"
    changed = text[:position] + character + text[position + 1 :]
    try:
        header = parse_header(changed.encode("utf-8", "surrogatepass"), record="r1")
    except RecordError:
        return
    assert header.n_samples > 0
    assert header.signals[0].gain > 0
