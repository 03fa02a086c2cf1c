import importlib
import json
from pathlib import Path

import pytest

from lsemvae.core.leads import LEADS, LIMB_LEADS
from lsemvae.models.methods import TABLE_2, Method

ROOT = Path(__file__).parents[2]
# Parameters as published: with two outputs where the method has a head of its own.
COUNTS = {
    "resnet1d": (18_322_498, 18_319_810),
    "xresnet1d101": (1_871_874, 1_870_914),
    "xresnet1d34": (714_754, 712_642),
    "beta_vae": (61_771_340, None),
    "st_mem": (88_534_753, 88_534_753 - 6 * 768),
    "ls_emvae": (256_157_961, 256_157_961),
    "mvae": (369_344_460, 369_344_460),
    "mopoe_vae": (369_344_460, 369_344_460),
}


def tiny_row(name: str, **init_args: int) -> Method:
    row = TABLE_2[name]
    tiny = type("TinyRow", (Method,), {"init_args": init_args})
    return tiny(row.title, row.experiment)


@pytest.fixture
def zoo(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.zoo")


@pytest.mark.parametrize("name", COUNTS)
def test_parameters_are_counted_as_published(zoo, name: str) -> None:
    found = tuple(
        zoo.n_parameters(TABLE_2[name], zoo.input_of(name), leads) for leads in (LEADS, LIMB_LEADS)
    )
    assert found == COUNTS[name]


def test_every_method_gets_a_row_with_its_costs(
    zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At tiny sizes and in this process; the program starts one per method."""
    tiny = {
        "ls_emvae": tiny_row("ls_emvae", latent_dim=4),
        "resnet1d": tiny_row("resnet1d", width=4),
    }
    monkeypatch.setattr(zoo, "TABLE_2", tiny)
    monkeypatch.setattr(zoo, "WHOLE", zoo.WHOLE._replace(n_samples=100))
    rows = [zoo.measure_here(name, 3, 1) for name in tiny]
    assert [row["method"] for row in rows] == list(tiny)
    assert all(row["step_s"] > 0 and row["inference_s"] > 0 for row in rows)
    table = zoo.markdown(json.loads(json.dumps(rows)))
    assert table.count("\n") == 3
    assert "| ResNet1d | 12 x 100 at 500 Hz |" in table
