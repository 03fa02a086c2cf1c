"""Results of different settings are not mixed."""

import pytest

from lsemvae.core.errors import InputError
from lsemvae.core.made_with import refuse_other_settings


def test_every_difference_is_named_with_both_values() -> None:
    found = {"lr": 0.1, "network": {"dim": 4, "kind": "a"}, "leads": ["I"], "more": 1}
    asked = {"lr": 0.2, "network": {"dim": 8, "kind": "a"}, "leads": ("I",), "new": None}
    with pytest.raises(InputError) as refused:
        refuse_other_settings("runs/x was run with other settings", found, asked, "take another")
    assert str(refused.value) == (
        "runs/x was run with other settings (lr 0.1 against 0.2; network.dim 4 against 8); "
        "take another"
    )


def test_settings_that_were_not_kept_are_a_difference_unless_they_are_none() -> None:
    with pytest.raises(InputError, match="seed None against 3"):
        refuse_other_settings("x was made", {}, {"seed": 3, "note": None}, "go on")


def test_equal_settings_pass_whatever_else_was_kept() -> None:
    refuse_other_settings("x", {"a": [1, 2], "b": 5}, {"a": (1, 2)}, "go on")
