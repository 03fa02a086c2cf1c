import pytest

from lsemvae.core.errors import InputError
from lsemvae.runtime.missing_values import (
    refuse_empty_lists,
    refuse_no_mapping,
    refuse_null,
    refuse_null_in_classes,
)


def command(n: int = 3, text: str | None = None, names: list[str] | None = None) -> None:
    """Stand for a command."""


def test_null_is_refused_where_a_value_is_needed() -> None:
    refuse_null(command, {"n": 0, "text": None, "names": None, "unknown": None})
    with pytest.raises(InputError, match="--n needs a value, got null; leave it out for 3"):
        refuse_null(command, {"n": None})


def test_an_empty_list_is_no_way_to_say_what_is_usual() -> None:
    refuse_empty_lists(command, {"names": None, "n": 1})
    with pytest.raises(InputError, match=r"--names needs a value, got \[\]"):
        refuse_empty_lists(command, {"names": []})


def test_null_within_a_class_has_the_name_of_its_option() -> None:
    network = {"class_path": "lsemvae.models.LsEmvae", "init_args": {"latent_dim": None}}
    task = {"class_path": "lsemvae.tasks.Pretrainer", "init_args": {"network": network}}
    line = r"--model\.init_args\.network\.init_args\.latent_dim needs a value, got null"
    with pytest.raises(InputError, match=line):
        refuse_null_in_classes({"model": task, "other": [1, None]})


def test_a_list_in_place_of_names_is_refused() -> None:
    with pytest.raises(InputError, match=r"--trainer takes names with values.*got \[\]"):
        refuse_no_mapping({"trainer": []}, "trainer")
