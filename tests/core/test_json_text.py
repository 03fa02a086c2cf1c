import pytest

from lsemvae.core.json_text import parse_json


def test_a_name_with_two_values_is_refused() -> None:
    assert parse_json('{"unit": {"a": 1}, "a": [{"a": 2}, {"a": 3}]}')["a"] == [{"a": 2}, {"a": 3}]
    with pytest.raises(ValueError, match="the name 'unit' stands twice"):
        parse_json('[{"unit": "mV", "n": 1, "unit": "uV"}]')


def test_a_text_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="nests too deep"):
        parse_json("[" * 100_000)
