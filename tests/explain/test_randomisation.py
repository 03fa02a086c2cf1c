import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from lsemvae.explain.randomisation import rank_agreement, with_shuffled_weights
from tests.tiny_batches import tiny_network


def test_rank_agreement_is_spearmans_correlation_of_absolute_values() -> None:
    one, other = np.random.default_rng(0).normal(size=(2, 3, 4, 10))
    other[0] = np.round(other[0])  # ties
    found = rank_agreement(one, other)
    expected = [
        spearmanr(np.abs(one[row]).ravel(), np.abs(other[row]).ravel()).statistic
        for row in range(3)
    ]
    assert found == pytest.approx(expected)


def test_rank_agreement_of_a_constant_is_undefined() -> None:
    one = np.array([[1.0, -2.0, 3.0], [1.0, 2.0, 3.0]])
    found = rank_agreement(one, np.array([[2.0, -4.0, 6.0], [1.0, -1.0, 1.0]]))
    assert found[0] == pytest.approx(1.0)
    assert np.isnan(found[1])


def test_shuffling_keeps_the_weights_and_changes_their_places() -> None:
    network = tiny_network()
    before = {name: weight.clone() for name, weight in network.named_parameters()}
    shuffled = with_shuffled_weights(network, seed=3)
    for name, weight in shuffled.named_parameters():
        assert torch.equal(weight.flatten().sort().values, before[name].flatten().sort().values)
    moved = [name for name, w in shuffled.named_parameters() if not torch.equal(w, before[name])]
    assert "encoders.linear_weight" in moved
    assert all(torch.equal(weight, before[name]) for name, weight in network.named_parameters())


def test_shuffling_can_be_limited_to_a_part_and_repeats_itself() -> None:
    network = tiny_network()
    one = with_shuffled_weights(network, seed=3, prefix="gate.").state_dict()
    other = with_shuffled_weights(network, seed=3, prefix="gate.").state_dict()
    changed = {name for name, w in network.state_dict().items() if not torch.equal(w, one[name])}
    assert changed == {"gate.weight", "gate.bias"}
    assert all(torch.equal(one[name], other[name]) for name in one)
