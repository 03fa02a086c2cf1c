import re

import pytest

from lsemvae.core.errors import InputError
from lsemvae.evaluation.tripod import BY_AUTHORS, fact_names, tripod_index, tripod_items


def test_list_has_27_items_in_order() -> None:
    numbers = [item.item for item in tripod_items()]
    main = [int(re.match(r"\d+", number)[0]) for number in numbers]
    assert sorted(set(main)) == list(range(1, 28))
    assert main == sorted(main)
    assert len(numbers) == len(set(numbers)) == 52
    letters = "".join(number[-1] for number in numbers if number.startswith("12"))
    assert letters == "abcdefg"


def test_items_that_files_can_fill_have_facts() -> None:
    fillable = {"5a", "5b", "6b", "7", "8a", "9b", "10", "11", "13", "14", "15", "16", "18f",
                "20a", "20b", "20c", "21", "22", "23a", "23b", "24"}  # fmt: skip
    fillable |= {f"12{letter}" for letter in "abcdefg"}
    with_facts = {item.item for item in tripod_items() if item.facts}
    assert fillable <= with_facts
    assert with_facts - fillable == {"27a"}  # recordings that the reader rejects


def test_empty_report_answers_nothing_and_names_every_gap() -> None:
    rows = tripod_index({})
    assert len(rows) == 52
    assert all(row.gap and not row.where for row in rows)
    (title,) = (row for row in rows if row.item == "1")
    assert title.gap == BY_AUTHORS


def test_full_report_has_only_the_gaps_of_its_authors() -> None:
    rows = tripod_index({name: f"#{name}" for name in fact_names()})
    assert {row.gap for row in rows} == {"", BY_AUTHORS}
    assert all(bool(row.where) == (row.gap == "") for row in rows)


def test_part_of_an_answer_is_a_gap_too() -> None:
    rows = {row.item: row for row in tripod_index({"output": "#results", "leakage": ""})}
    assert rows["15"].where == ("#results",)
    assert rows["15"].gap == "the report lacks: operating points"
    assert rows["16"].gap == "the report lacks: leakage"


def test_section_that_answers_twice_is_named_once() -> None:
    rows = {row.item: row for row in tripod_index({"performance": "#r", "subgroups": "#r"})}
    assert rows["23a"].where == ("#r",)


def test_fact_that_no_item_asks_for_is_refused() -> None:
    with pytest.raises(InputError, match="asks for performanse; known are"):
        tripod_index({"performanse": "#results"})
