from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from data_modules.rhc_cohort import RhcCohort
from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS, LIMB_LEADS
from lsemvae.models import Mvae, load_pretrained
from lsemvae.models.feature_choice import with_feature
from lsemvae.references.random_convolutions import DILATIONS, N_TAPS, RandomConvolutions
from lsemvae.references.rows import (
    PCA,
    PRETRAINED,
    UNTRAINED,
    Row,
    encoder_rows,
    fold_features,
    places_in,
)
from lsemvae.references.rows import trivial_rows as rows_without_encoder
from lsemvae.references.untrained import untrained_twin


def test_random_convolutions_are_what_plain_loops_give() -> None:
    network = RandomConvolutions(40, list(LIMB_LEADS), n_kernels=9, seed=3)
    ecg = torch.randn(2, 6, 40, generator=torch.Generator().manual_seed(0))
    found = network.encode(ecg, LIMB_LEADS).reshape(2, 3, 9)
    kernel = 0
    for dilation in DILATIONS:
        weights = network.get_buffer(f"weight_{dilation}").numpy()
        biases = network.get_buffer(f"bias_{dilation}").numpy()
        for weight, bias in zip(weights, biases, strict=True):
            for record in range(2):
                response = []
                for time in range(40):
                    total = float(bias)
                    for tap in range(N_TAPS):
                        at = time + (tap - N_TAPS // 2) * dilation
                        if 0 <= at < 40:
                            total += float(weight[:, tap] @ ecg[record, :, at].numpy())
                    response.append(total)
                pooled = [np.mean(np.array(response) > 0), max(response), np.mean(response)]
                np.testing.assert_allclose(found[record, :, kernel], pooled, rtol=1e-4, atol=1e-5)
            kernel += 1


def test_kernels_have_no_mean_the_published_lengths_and_one_to_four_leads() -> None:
    network = RandomConvolutions(60, list(LEADS), n_kernels=400)
    weight = torch.cat([network.get_buffer(f"weight_{d}") for d in DILATIONS])
    torch.testing.assert_close(weight.sum(-1), torch.zeros(400, 12), atol=1e-5, rtol=0.0)
    n_leads = (weight != 0).any(-1).sum(1)
    assert set(n_leads.tolist()) == {1, 2, 3, 4}
    assert set((weight != 0).any(1).sum(-1).tolist()) == {7, 9, 11}


def test_one_lead_gives_kernels_of_that_lead_and_one_seed_the_same_ones() -> None:
    ecg = torch.randn(3, 1, 50, generator=torch.Generator().manual_seed(0))
    first, second, other = (
        RandomConvolutions(50, ["V2"], n_kernels=20, seed=seed).encode(ecg, ("V2",))
        for seed in (1, 1, 2)
    )
    torch.testing.assert_close(first, second)
    assert not torch.equal(first, other)


def test_untrained_twin_has_the_architecture_its_own_weights_and_costs_no_random_number(
    encoder: Path,
) -> None:
    pretrained = load_pretrained(str(encoder))
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one, same, other = (untrained_twin(pretrained, seed) for seed in (0, 0, 1))
    torch.testing.assert_close(torch.rand(3), expected)
    assert one.network.init_args == pretrained.network.init_args
    ecg = torch.randn(2, 12, one.network.n_samples, generator=torch.Generator().manual_seed(0))
    codes = [each.network.encode(ecg, LEADS) for each in (one, same, other, pretrained)]
    torch.testing.assert_close(codes[0], codes[1])
    assert not torch.equal(codes[0], codes[2])
    assert not torch.equal(codes[0], codes[3])
    assert len({each.sha256 for each in (one, same, other, pretrained)}) == 3


def test_another_feature_reads_the_same_weights(encoder: Path) -> None:
    pretrained = load_pretrained(str(encoder))
    means = with_feature(pretrained, "lead_means")
    ecg = torch.randn(2, 6, means.network.n_samples, generator=torch.Generator().manual_seed(0))
    assert means.network.encode(ecg, LIMB_LEADS).shape == (2, 6 * 4)
    assert pretrained.network.encode(ecg, LIMB_LEADS).shape == (2, 4)
    assert means.sha256 != pretrained.sha256
    again = with_feature(means, "mixture_mean").network
    torch.testing.assert_close(
        again.encode(ecg, LIMB_LEADS), pretrained.network.encode(ecg, LIMB_LEADS)
    )
    with pytest.raises(InputError, match="Mvae has no choice of feature"):
        with_feature(
            type(pretrained)(Mvae(120, 4), "0", pretrained.data), "lead_means"
        )  # fmt: skip


def test_features_are_kept_and_read_again(cohort: Path, encoder: Path, tmp_path: Path) -> None:
    pretrained = load_pretrained(str(encoder))
    data = RhcCohort(str(cohort), "detection", leads=6)
    rows = encoder_rows([pretrained], data, tmp_path, n_twins=2)
    rows += rows_without_encoder(pretrained, data, tmp_path)
    kinds = [PRETRAINED, UNTRAINED, UNTRAINED, "random_convolutions", PCA]
    assert [row.kind for row in rows] == kinds
    files = sorted(tmp_path.glob("*.npy"))
    assert len(files) == 5
    before = [file.stat().st_mtime_ns for file in files]
    again = encoder_rows([pretrained], data, tmp_path, n_twins=2)
    np.testing.assert_array_equal(rows[2].features, again[2].features)
    assert [file.stat().st_mtime_ns for file in files] == before


def test_components_are_those_of_the_training_part_alone() -> None:
    features = np.random.default_rng(0).normal(size=(30, 50)).astype(np.float32)
    row = Row(PCA, features, n_components=5)
    train = np.arange(20)
    found = fold_features(row, train)
    moved = features.copy()
    moved[25] *= 100
    other = fold_features(Row(PCA, moved, n_components=5), train)
    np.testing.assert_allclose(found[:20], other[:20], rtol=1e-5)
    mean = features[:20].mean(0)
    _, lengths, axes = np.linalg.svd(features[:20] - mean, full_matrices=False)
    np.testing.assert_allclose(np.abs(found), np.abs((features - mean) @ axes[:5].T), atol=1e-4)
    assert np.linalg.norm(found[:20], axis=0) == pytest.approx(lengths[:5], rel=1e-4)


def test_rows_of_another_form_stand_in_the_order_of_the_cohort() -> None:
    cohort, beats = (
        SimpleNamespace(
            pool=SimpleNamespace(
                table=pd.DataFrame({"record": names, "patient_id": names}), named=named
            )
        )
        for names, named in ((["a", "b", "c"], "recordings"), (["c", "x", "a", "b"], "beats"))
    )
    assert places_in(cohort, beats).tolist() == [2, 3, 0]  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"recordings lacks 1 of the 4 recordings of beats, .* x"):
        places_in(beats, cohort)  # type: ignore[arg-type]
    beats.pool.table["patient_id"] = ["c", "x", "a", "somebody"]
    with pytest.raises(InputError, match=r"beats has other patients .* under 1 names .* is b;"):
        places_in(cohort, beats)  # type: ignore[arg-type]
