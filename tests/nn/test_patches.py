import pytest
import torch

from lsemvae.nn.patches import (
    is_masked,
    n_kept_patches,
    normalise_patches,
    place_patches,
    random_patches,
    take_patches,
    to_patches,
)


def test_patches_follow_one_another_and_the_rest_is_left_out() -> None:
    ecg = torch.arange(16.0).view(1, 2, 8)
    expected = torch.tensor([[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]], [[8.0, 9, 10], [11, 12, 13]]])
    assert torch.equal(to_patches(ecg, 3)[0], expected)


def test_patches_are_normalised_with_the_unbiased_variance() -> None:
    patches = torch.tensor([[1.0, 2.0, 3.0], [5.0, 5.0, 5.0]])  # variances 1 and 0
    expected = torch.tensor([[-1.0, 0.0, 1.0], [0.0, 0.0, 0.0]]) / (1.0 + 1e-6) ** 0.5
    torch.testing.assert_close(normalise_patches(patches), expected)


@pytest.mark.parametrize(
    ("n_patches", "ratio", "kept"),
    [(30, 0.75, 7), (4, 0.75, 1), (3, 0.75, 1), (2, 0.75, 1), (8, 0.5, 4), (33, 0.75, 8)],
)
def test_number_of_patches_kept(n_patches: int, ratio: float, kept: int) -> None:
    assert n_kept_patches(n_patches, ratio) == kept


def test_masks_keep_the_exact_number_and_differ_between_leads_and_records() -> None:
    torch.manual_seed(0)
    kept = random_patches((5, 12, 30), 7, torch.device("cpu"))
    masked = is_masked(kept, 30)
    assert masked.shape == (5, 12, 30)
    assert (masked.sum(-1) == 23).all()
    assert len(torch.unique(masked.flatten(0, 1), dim=0)) == 60
    again = is_masked(random_patches((5, 12, 30), 7, torch.device("cpu")), 30)
    assert not torch.equal(again, masked)


def test_every_patch_is_kept_as_often_as_another() -> None:
    torch.manual_seed(0)
    masked = is_masked(random_patches((2000, 1, 8), 2, torch.device("cpu")), 8)
    share = (~masked).float().mean((0, 1))  # binomial: SD of each share is 0.0097
    torch.testing.assert_close(share, torch.full((8,), 0.25), rtol=0.0, atol=0.04)


def test_patches_that_were_taken_go_back_to_their_places() -> None:
    torch.manual_seed(0)
    patches, filling = torch.randn(2, 3, 6, 4), torch.full((2, 3, 6, 4), 9.0)
    kept = random_patches((2, 3, 6), 2, torch.device("cpu"))
    placed = place_patches(filling, take_patches(patches, kept), kept)
    masked = is_masked(kept, 6)
    assert torch.equal(placed[~masked], patches[~masked])
    assert (placed[masked] == 9.0).all()
    assert (filling == 9.0).all()
