"""The encoders that ship: listed, whole, known to the leakage gate, and taken by name."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from data_modules.trained_on import read_trained_on
from lsemvae.cli import main
from lsemvae.core.files import file_sha256
from lsemvae.core.leads import LEADS
from lsemvae.core.shipped_encoders import (
    about_encoder,
    encoder_path,
    shipped_encoders,
)
from lsemvae.models import load_pretrained, read_data_state
from lsemvae.models.checkpoint_file import read_checkpoint
from lsemvae.models.shipped_file import read_shipped, write_shipped
from tests.conftest import error_of
from tests.nn.test_heart_beats import recording

LARGEST_BYTES = 5 * 1024**2


def test_encoders_are_listed_with_licences_digest_and_the_command_that_makes_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["encoders"]) == 0
    printed = capsys.readouterr().out
    assert "public or public-v2" in printed
    assert "\npublic-v1" in f"\n{printed}"
    assert file_sha256(Path(encoder_path("public"))) in printed
    for part in ("CC BY 4.0", "ODC-By 1.0", "lsemvae fit --config experiments/pretrain/"):
        assert part in printed


@pytest.mark.parametrize("name", shipped_encoders())
def test_what_ships_is_whole_small_and_as_it_says(name: str) -> None:
    file = Path(encoder_path(name))
    assert file.stat().st_size <= LARGEST_BYTES
    assert about_encoder(name)["sha256"] == file_sha256(file)
    assert (file.parent / "README.md").is_file()


def test_the_leakage_gate_knows_the_recordings_that_a_shipped_encoder_saw() -> None:
    seen = read_trained_on(Path("public"), read_data_state("public").sha256)
    assert seen is not None
    assert len(seen.signal.hashes) > 2000


@pytest.mark.parametrize("leads", [LEADS, ("II",), ("V6", "I")], ids=len)
def test_a_shipped_encoder_takes_any_leads(leads: tuple[str, ...]) -> None:
    encoder = load_pretrained("public").network
    ecg = recording([100, 220, 340, 460, 580, 700, 820])
    rows = [LEADS.index(lead) for lead in leads]
    features = encoder.encode(ecg[:, rows], leads)
    assert features.shape == (1, encoder.feature_dim(leads))
    assert torch.isfinite(features).all()


def test_weights_come_back_in_single_precision_to_the_last_half_bit(
    encoder: Path, tmp_path: Path
) -> None:
    checkpoint = read_checkpoint(encoder)
    write_shipped(checkpoint, ("lsemvae_network",), tmp_path / "e.safetensors")
    again = read_shipped(tmp_path / "e.safetensors")
    assert again["lsemvae_network"] == checkpoint["lsemvae_network"]
    for name, value in checkpoint["state_dict"].items():
        found = again["state_dict"][name]
        assert found.dtype == value.dtype
        np.testing.assert_allclose(found.numpy(), value.numpy(), rtol=2**-11, atol=2**-24)


def test_another_programs_weights_are_refused_in_one_line(
    tmp_path: Path, cohort: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_file({"weight": torch.zeros(2)}, tmp_path / "other.safetensors")
    command = ["cv", "--cohort", str(cohort), "--encoder", str(tmp_path / "other.safetensors")]
    assert main([*command, "--out", str(tmp_path / "cv")]) == 2
    assert "is not an encoder of this program" in error_of(capsys)


def test_recordings_of_another_kind_are_refused_by_name(
    tmp_path: Path, cohort: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["cv", "--method", "ls_emvae_recommended", "--cohort", str(cohort)]
    assert main([*command, "--encoder", "public", "--out", str(tmp_path / "cv")]) == 2
    error = error_of(capsys)
    assert "public does not fit the recordings" in error
    assert "settings (--signal.segment record), or" in error
    assert not (tmp_path / "cv/detection").exists(), "a refused run has frozen folds"


def test_a_file_of_the_user_goes_before_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "public").touch()
    assert encoder_path("public") == "public"
