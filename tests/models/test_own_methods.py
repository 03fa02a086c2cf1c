import os
from pathlib import Path

import pytest

from lsemvae.core.errors import InputError
from lsemvae.core.yaml_text import read_yaml
from lsemvae.models.methods import METHOD_GROUPS, METHODS, encoder_method, find_method
from lsemvae.runtime.own_classes import import_class

EXPERIMENT = """\
model:
  class_path: lsemvae.tasks.Classifier
  init_args:
    network: {{class_path: lsemvae.models.MultimodalCnn, init_args: {{lead_features: {units}}}}}
"""


def test_an_experiment_file_is_read_once_and_again_when_it_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []
    monkeypatch.setattr(
        "lsemvae.models.own_methods.read_yaml", lambda file: read.append(file) or read_yaml(file)
    )
    file = tmp_path / "mine.yaml"
    for time_ns, units in ((1_000, 8), (2_000, 16)):
        file.write_text(EXPERIMENT.format(units=units))
        os.utime(file, ns=(time_ns, time_ns))
        found = [find_method(str(file)).init_args for _ in range(3)]
        assert found == [{"lead_features": units}] * 3
    assert read == [file, file]


def test_one_pretraining_serves_all_methods_that_read_it_in_another_way() -> None:
    shared = {name: encoder_method(name) for name in METHODS if METHODS[name].pretrained}
    others = {name: first for name, first in shared.items() if name != first}
    assert others == {"ls_emvae_lead_means": "ls_emvae"}
    assert encoder_method("my_net.TinyNet") == "my_net.TinyNet"


def test_every_method_has_a_group_and_every_group_names_methods_that_are_known() -> None:
    assert set().union(*METHOD_GROUPS.values()) == set(METHODS)
    assert METHOD_GROUPS["authors_code"] == (
        "mvae_authors_code", "mopoe_vae_authors_code", "ls_emvae_authors_code"
    )  # fmt: skip


@pytest.mark.parametrize("path", ["./my_net.py", "my_net.py", "nets/my_net.TinyNet", "TinyNet."])
def test_a_file_of_code_in_place_of_a_class_path_is_told_what_to_write(path: str) -> None:
    with pytest.raises(InputError, match=r"write module\.Class, such as my_net\.TinyNet"):
        import_class(path)
