import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from lsemvae.core.errors import InputError
from lsemvae.core.files import file_sha256
from lsemvae.core.leads import LEADS
from lsemvae.models import (
    ElboObjective,
    Fusion,
    LsEmvae,
    Pretrained,
    check_same_input,
    load_pretrained,
)
from lsemvae.models.checkpoint import NETWORK_KEY, DataState, read_data_state
from lsemvae.tasks import Pretrainer
from tests.tiny_batches import (
    LATENT_DIM,
    N_SAMPLES,
    TINY_INPUT,
    TinyData,
    tiny_batch,
    tiny_checkpoint,
    tiny_ecg,
    tiny_trainer,
)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoint(tmp_path_factory.mktemp("encoder"))


def changed(checkpoint: Path, folder: Path, **entries: Any) -> str:
    """Return a copy of a checkpoint with other entries; None takes an entry out."""
    content = {**torch.load(checkpoint, weights_only=True), **entries}
    path = folder / "changed.ckpt"
    torch.save({name: value for name, value in content.items() if value is not None}, path)
    return str(path)


def test_a_round_trip_gives_bit_equal_features(tmp_path: Path) -> None:
    torch.manual_seed(3)
    network = LsEmvae(
        N_SAMPLES,
        LATENT_DIM,
        decoder="conditioned",
        fusion=Fusion("moe", gate_floor=0.1),
        objective=ElboObjective(gamma=0.5, lead_weights={"V1": 2.0}),
        feature="lead_means",
    )
    trainer = tiny_trainer(max_steps=1, default_root_dir=tmp_path)
    trainer.fit(Pretrainer(network, lr=1e-2), datamodule=TinyData([tiny_batch()]))
    path = tmp_path / "encoder.ckpt"
    trainer.save_checkpoint(path)

    read = load_pretrained(str(path))

    ecg = tiny_ecg(4)
    assert isinstance(read.network, LsEmvae)
    assert torch.equal(read.network.encode(ecg, LEADS), network.eval().encode(ecg, LEADS))
    assert (read.network.fusion, read.network.objective) == (network.fusion, network.objective)
    assert torch.equal(read.network.lead_weights, network.lead_weights)
    assert not read.network.training
    data = DataState(TINY_INPUT, "tiny", synthetic=True, calibrated=True, sha256="0" * 64)
    assert read == Pretrained(read.network, file_sha256(path), data)


def test_the_file_is_not_changed_by_training_on_what_was_read(checkpoint: Path) -> None:
    before = file_sha256(checkpoint)
    network = load_pretrained(str(checkpoint)).network
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(1.0)
    assert file_sha256(checkpoint) == before


def test_a_missing_file_says_how_to_make_one() -> None:
    with pytest.raises(InputError, match=r"no encoder no_such\.ckpt .*; pre-train one with"):
        load_pretrained("no_such.ckpt")


@pytest.mark.parametrize(
    "content", [b"", b"no checkpoint at all", b"\x80\x04garbage", b"PK\x03\x04"]
)
def test_garbage_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "garbage.ckpt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"garbage\.ckpt is not a readable checkpoint"):
        load_pretrained(str(path))


def test_a_checkpoint_cut_short_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    path = tmp_path / "short.ckpt"
    path.write_bytes(checkpoint.read_bytes()[:20_000])
    with pytest.raises(InputError, match="is not a readable checkpoint"):
        load_pretrained(str(path))


def test_a_foreign_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "foreign.ckpt"
    for content in ({"state_dict": {"weight": torch.zeros(2)}}, torch.zeros(2)):
        torch.save(content, path)
        with pytest.raises(InputError, match=r"holds no (pre-trained network|weights)"):
            load_pretrained(str(path))


def test_an_unknown_network_is_refused_by_name(checkpoint: Path, tmp_path: Path) -> None:
    path = changed(checkpoint, tmp_path, **{NETWORK_KEY: {"class": "Oracle", "init_args": {}}})
    with pytest.raises(InputError, match="network 'Oracle'; known are AuthorsCode, "):
        load_pretrained(path)


def test_the_description_of_another_version_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    init_args = torch.load(checkpoint, weights_only=True)[NETWORK_KEY]["init_args"]
    for other in ({**init_args, "n_heads": 3}, {"n_samples": N_SAMPLES}):
        described = {NETWORK_KEY: {"class": "LsEmvae", "init_args": other}}
        path = changed(checkpoint, tmp_path, **described)
        with pytest.raises(InputError, match="describes its LsEmvae as another version does"):
            load_pretrained(path)


def test_weights_that_do_not_fit_are_refused(checkpoint: Path, tmp_path: Path) -> None:
    weights = torch.load(checkpoint, weights_only=True)["state_dict"]
    weights.pop("network.gate.bias")
    with pytest.raises(InputError, match=r"do not fit its own network.*gate\.bias"):
        load_pretrained(changed(checkpoint, tmp_path, state_dict=weights))


def test_a_checkpoint_that_does_not_know_its_recordings_is_refused(
    checkpoint: Path, tmp_path: Path
) -> None:
    path = changed(checkpoint, tmp_path, TinyData=None)
    with pytest.raises(InputError, match="does not say what recordings"):
        load_pretrained(path)


def test_the_digest_names_the_content_and_not_the_path(checkpoint: Path, tmp_path: Path) -> None:
    copy = shutil.copy(checkpoint, tmp_path / "copy.ckpt")
    assert load_pretrained(str(copy)).sha256 == load_pretrained(str(checkpoint)).sha256
    other = tiny_checkpoint(tmp_path, seed=1)
    assert load_pretrained(str(other)).sha256 != load_pretrained(str(checkpoint)).sha256


def test_recordings_unlike_those_of_the_encoder_are_refused_with_every_difference() -> None:
    given = TINY_INPUT._replace(sampling_rate_hz=500.0, normalisation="lead")
    with pytest.raises(InputError) as caught:
        check_same_input("encoder.ckpt", TINY_INPUT, given)
    assert "sampling_rate_hz 50.0 against 500.0" in str(caught.value)
    assert "normalisation record against lead" in str(caught.value)
    assert "band_hz" not in str(caught.value)
    check_same_input("encoder.ckpt", TINY_INPUT, TINY_INPUT._replace())


@pytest.mark.parametrize(("calibrated", "unit"), [(True, "mV"), (False, "NU")])
def test_unit_of_an_older_checkpoint_is_what_it_says_of_calibration(
    checkpoint: Path, tmp_path: Path, calibrated: bool, unit: str
) -> None:
    content = torch.load(checkpoint, weights_only=True)
    ((name, state),) = (
        (name, value) for name, value in content.items()
        if isinstance(value, dict) and "ecg_input" in value
    )  # fmt: skip
    older = {**state, "ecg_input": tuple(TINY_INPUT)[:6], "calibrated": calibrated}
    path = changed(checkpoint, tmp_path, **{name: older})
    assert read_data_state(path).ecg_input == TINY_INPUT._replace(unit=unit)
