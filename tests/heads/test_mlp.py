import numpy as np
import pytest
import torch
from torch import nn

from lsemvae.heads import stacked
from lsemvae.heads.mlp import MlpSettings, train_heads
from lsemvae.losses import focal_loss
from lsemvae.tasks.head_task import HeadSettings

NO_DROPOUT = MlpSettings(epochs=4, batch_size=8, lr=0.01, head=HeadSettings(16, 0.0))


def planted(n_records: int = 60) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    label = (torch.rand(n_records, generator=generator) < 0.5).float()
    features = torch.randn(2, n_records, 5, generator=generator)
    features[0, :, 2] += 3 * label
    return features, label


def test_heads_side_by_side_are_those_trained_one_by_one() -> None:
    features, label = planted()
    parts = [np.arange(40), np.arange(20, 60)]
    together = train_heads(features, label, parts, NO_DROPOUT)
    for head, part in enumerate(parts):
        alone = train_heads(features[head : head + 1], label, [part], NO_DROPOUT)
        torch.testing.assert_close(together[head], alone[0])


def test_a_head_is_the_module_of_the_task_trained_by_its_loss_and_optimiser() -> None:
    features, label = planted()
    one_step = MlpSettings(epochs=1, batch_size=60, lr=0.01, head=HeadSettings(16, 0.0))
    found = train_heads(features[:1], label, [np.arange(60)], one_step)[0]
    head = HeadSettings(16, 0.0).build(5)
    generator = torch.Generator().manual_seed(0)
    for layer, shape in ((head[0], (5, 16)), (head[3], (16, 1))):
        assert isinstance(layer, nn.Linear)
        scale = layer.in_features**-0.5
        with torch.no_grad():
            layer.weight.copy_(((2 * torch.rand(shape, generator=generator) - 1) * scale).T)
            layer.bias.copy_(((2 * torch.rand((1, shape[1]), generator=generator) - 1) * scale)[0])
    optimiser = torch.optim.AdamW(head.parameters(), lr=0.01, weight_decay=0.01)
    focal_loss(head(features[0]).squeeze(-1), label, 0.25, 2.0).backward()
    optimiser.step()
    torch.testing.assert_close(found, head(features[0]).squeeze(-1).detach(), atol=1e-5, rtol=1e-4)


def test_heads_learn_what_is_there_and_nothing_else() -> None:
    features, label = planted()
    scores = train_heads(features, label, [np.arange(30)] * 2, MlpSettings(epochs=40, lr=0.01))
    held_out = scores[:, 30:]
    means = [(row[label[30:] > 0].mean() - row[label[30:] == 0].mean()).item() for row in held_out]
    assert means[0] > 1
    assert abs(means[1]) < means[0] / 2


def test_heads_cost_no_random_number_of_the_process() -> None:
    features, label = planted()
    torch.manual_seed(1)
    expected = torch.rand(2)
    torch.manual_seed(1)
    train_heads(features, label, [np.arange(60)] * 2, NO_DROPOUT)
    torch.testing.assert_close(torch.rand(2), expected)


@pytest.mark.parametrize(("shared_from", "threads"), [(10**9, 1), (1, 2)])
def test_small_heads_compute_on_one_thread_and_leave_the_number_as_it_was(
    shared_from: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stacked, "SHARED_FROM", shared_from)
    features, label = planted()
    before, seen = torch.get_num_threads(), []
    torch.set_num_threads(2)
    try:
        train_heads(
            features, label, [np.arange(30)] * 2, NO_DROPOUT,
            lambda: seen.append(torch.get_num_threads()),
        )  # fmt: skip
        after = torch.get_num_threads()
    finally:
        torch.set_num_threads(before)
    assert (set(seen), after) == ({threads}, 2)
