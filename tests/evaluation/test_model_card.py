from dataclasses import fields
from pathlib import Path

import pytest

from lsemvae.core.errors import InputError
from lsemvae.evaluation.model_card import ModelCard, model_card, write_model_card


def test_empty_card_states_nothing() -> None:
    card = model_card({})
    assert card.startswith("# Model card: not stated")
    for section in ("Model", "Use", "Data", "Performance", "Subgroups", "Calibration", "Limits",
                    "Provenance"):  # fmt: skip
        assert f"\n## {section}\n" in card
    assert "None" not in card
    assert "SYNTHETIC" not in card
    assert "no medical device" in card


def test_numbers_stand_in_tables() -> None:
    rows = [{"measure": "AUROC", "value": "0.81", "interval": "0.78 to 0.84"},
            {"measure": "MCC", "value": "0.4", "interval": ""}]  # fmt: skip
    card = model_card({"performance": rows, "n_patients": 691, "n_positive": 0})
    assert "| AUROC | 0.81 | 0.78 to 0.84 |\n| MCC | 0.4 | not stated |\n" in card
    assert "- Patients: 691, of them positive 0\n" in card


def test_cell_of_a_table_cannot_break_it() -> None:
    group = {"group": "ward|A", "n": "3", "value": "0.7", "interval": "0.5 to 0.9"}
    assert r"| ward\|A | 3 | 0.7 | 0.5 to 0.9 |" in model_card({"subgroups": [group]})


def test_what_a_reader_must_know_first_comes_first(tmp_path: Path) -> None:
    leak = "LEAKAGE, allowed"
    facts = {"synthetic": True, "leakage": leak, "leads_cut": True, "limits": ["one hospital"],
             "provenance": {"code": "abc"}}  # fmt: skip
    write_model_card(facts, tmp_path / "deep/card.md")
    card = (tmp_path / "deep/card.md").read_text(encoding="utf-8")
    head = card.partition("## Model")[0]
    assert "SYNTHETIC" in head
    assert leak in head
    assert "cut from 12-lead recordings" in card
    assert "\n- one hospital\n" in card
    assert "\n- code: abc\n" in card
    clean = model_card({"leakage": "share nothing", "leakage_clean": True})
    assert "share nothing" not in clean.partition("## Model")[0]


def test_misspelt_fact_is_refused() -> None:
    with pytest.raises(InputError, match="has no licens; it has name"):
        model_card({"licens": "MIT"})


def test_no_name_brings_html_or_a_heading_into_the_card() -> None:
    hostile = "<script>alert(1)</script>\n# Approved\x1b[31m"
    text = [part.name for part in fields(ModelCard) if part.type in ("str", str)]
    card = model_card({
        **dict.fromkeys(text, hostile), "limits": [hostile], "provenance": {hostile: hostile},
        "performance": [{"measure": hostile, "value": hostile, "interval": hostile}],
        "subgroups": [{"group": hostile, "n": hostile, "value": hostile, "interval": hostile}],
    })  # fmt: skip
    assert "<script" not in card
    assert "&lt;script" in card
    assert "\x1b" not in card
    assert "\n# Approved" not in card
