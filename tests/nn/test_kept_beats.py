"""Beats that are kept are those that would be found, whatever the batch, and memory has an end."""

import copy
import pickle
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import Tensor

from lsemvae.cli import main
from lsemvae.nn import kept_beats
from lsemvae.nn.heart_beats import BeatWindow
from lsemvae.nn.kept_beats import KeptBeats, TypicalBeats, typical_beats
from tests.conftest import ROOT, tiny_network
from tests.nn.test_heart_beats import recording

WINDOW = BeatWindow()


@pytest.fixture
def ecg() -> Tensor:
    """Return six recordings with 4 to 9 beats and noise, the last one without lead V6."""
    torch.manual_seed(0)
    rows = [recording(list(range(80 + 7 * n, 960, 105 + 30 * n))) for n in range(6)]
    noisy = torch.cat(rows) + 0.05 * torch.randn(6, 12, 1000)
    noisy[-1, -1] = 0.0
    return noisy


@pytest.fixture
def present(ecg: Tensor) -> Tensor:
    mask = torch.ones(6, 12, dtype=torch.bool)
    mask[-1, -1] = False
    return mask


def same(one: TypicalBeats, other: TypicalBeats) -> bool:
    """Tell whether the valid places and the median beats are equal to the bit."""
    places = torch.equal(one.place[one.valid], other.place[other.valid])
    return places and torch.equal(one.valid, other.valid) and torch.equal(one.median, other.median)


def test_what_is_kept_is_what_would_be_found_in_any_batch(ecg: Tensor, present: Tensor) -> None:
    kept = KeptBeats(WINDOW)
    for rows in ([0, 1, 2], [2, 3, 0, 5], [5, 4, 3, 2, 1, 0], [4], [1, 1, 3]):
        mine = kept.of(ecg[rows], present[rows])
        assert same(mine, typical_beats(ecg[rows], present[rows], WINDOW))
        assert ((mine.place >= WINDOW.before) & (mine.place <= 1000 - 75)).all()
    assert len(kept) == 6


def test_a_recording_is_computed_once(
    ecg: Tensor, present: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    n_found: list[int] = []

    def counted(ecg: Tensor, present: Tensor, window: BeatWindow) -> TypicalBeats:
        n_found.append(len(ecg))
        return typical_beats(ecg, present, window)

    monkeypatch.setattr(kept_beats, "typical_beats", counted)
    kept = KeptBeats(WINDOW)
    for rows in ([0, 1, 2], [1, 2, 3], [3, 2, 1, 0]):
        kept.of(ecg[rows].clone(), present[rows])
    assert n_found == [3, 1]
    for other, leads in ((ecg + 1e-6, present), (ecg, torch.roll(present, 1, 1))):
        kept.of(other[:1], leads[-1:])
    assert n_found == [3, 1, 1, 1]
    KeptBeats(WINDOW).of(ecg[[4, 4, 4]], present[[4, 4, 4]])
    assert n_found[-1] == 1


def test_memory_has_an_end_that_is_said_once_and_changes_no_number(
    ecg: Tensor, present: Tensor
) -> None:
    kept = KeptBeats(WINDOW, limit_bytes=3 * (12 * 120 * 4 + 9 * 4 + 600))
    with pytest.warns(UserWarning, match=r"the beats of 3 recordings fill 0 MB") as said:
        first = kept.of(ecg, present)
    again = kept.of(ecg, present)  # warnings are errors here
    assert len(said) == 1
    assert len(kept) == 3
    assert same(first, again)
    assert same(again, typical_beats(ecg, present, WINDOW))


def test_copies_and_files_begin_with_nothing_kept(ecg: Tensor, present: Tensor) -> None:
    kept = KeptBeats(WINDOW, 10**6)
    kept.of(ecg, present)
    for other in (copy.deepcopy(kept), pickle.loads(pickle.dumps(kept))):
        assert len(other) == 0
        assert same(other.of(ecg, present), kept.of(ecg, present))


def test_gradients_pass_through_what_is_computed(ecg: Tensor, present: Tensor) -> None:
    kept = KeptBeats(WINDOW)
    kept.of(ecg, present)
    kept.of(ecg.requires_grad_(), present).median.sum().backward()
    assert ecg.grad is not None
    assert ecg.grad.abs().sum() > 0


def test_a_pretraining_with_kept_beats_is_the_one_without_to_the_last_bit(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "records.h5"
    assert main(["prepare", "mimic", "--source", str(recordings / "mimic"), "--out", str(store),
                 "--signal.sampling_rate_hz", "100"]) == 0  # fmt: skip
    logs = []
    for name in ("kept", "computed"):
        run = tmp_path / name
        assert main(
            ["fit", "--config", str(ROOT / "experiments/pretrain/ls_emvae_recommended.yaml"),
             *tiny_network(1000), "--data.init_args.store", str(store),
             "--data.init_args.batch_size", "5", "--trainer.max_epochs", "3",
             "--model.init_args.warmup_epochs", "1", "--trainer.enable_progress_bar", "false",
             "--trainer.accelerator", "cpu", "--trainer.default_root_dir", str(run),
             "--trainer.log_every_n_steps", "1", "--seed_everything", "0",
             "--trainer.logger.init_args.save_dir", str(run)]
        ) == 0  # fmt: skip
        logs.append((pd.read_csv(run / "metrics.csv"), run / "checkpoints/last.ckpt"))
        monkeypatch.setattr(KeptBeats, "of", lambda self, e, p: typical_beats(e, p, self._window))
    (kept, weights), (computed, others) = logs
    losses = [one["train/loss"].dropna().to_numpy() for one in (kept, computed)]
    assert len(losses[0]) == 3
    assert losses[0].tolist() == losses[1].tolist()
    one, other = (torch.load(file, weights_only=True)["state_dict"] for file in (weights, others))
    assert all(torch.equal(one[key], other[key]) for key in one)
