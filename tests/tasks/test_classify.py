from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from sklearn.metrics import accuracy_score, matthews_corrcoef, roc_auc_score

from lsemvae.core.errors import InputError
from lsemvae.core.leads import LIMB_LEADS
from lsemvae.core.types import EcgBatch, FeatureBatch
from lsemvae.losses import focal_loss
from lsemvae.models import LsEmvae, MultimodalCnn, ResNet1d, StMem, XResNet1d
from lsemvae.nn.transformer import TransformerSize
from lsemvae.tasks import Classifier, FocalSettings, HeadSettings, Pretrainer
from tests.tiny_batches import (
    LATENT_DIM,
    N_SAMPLES,
    TINY_INPUT,
    MemoryLogger,
    TinyData,
    tiny_batch,
    tiny_checkpoint,
    tiny_trainer,
)

NO_DROPOUT = HeadSettings(hidden=8, dropout=0.0)
TRAIN = [tiny_batch(96, seed=seed, labelled=True) for seed in (1, 2, 6)]
HELD_OUT = [tiny_batch(n, seed=seed, labelled=True) for n, seed in ((64, 3), (7, 4), (1, 5))]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_checkpoint(tmp_path_factory.mktemp("encoder"), seed=1, feature="lead_means"))


def frozen(encoder: str, seed: int = 0, **arguments: Any) -> Classifier:
    torch.manual_seed(seed)
    return Classifier(encoder=encoder, **{"lr": 1e-2, "head": NO_DROPOUT, **arguments})


def end_to_end(seed: int = 0) -> Classifier:
    torch.manual_seed(seed)
    return Classifier(MultimodalCnn(N_SAMPLES, LATENT_DIM), lr=1e-2, head=NO_DROPOUT)


def copied(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[k], right[k]) for k in left)


def test_a_frozen_encoder_learns_nothing_and_its_head_does(encoder: str) -> None:
    task = frozen(encoder)
    before, head = copied(task.network), copied(task.head)
    modes = []

    class Watched(TinyData):
        def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
            modes.append((task.network.training, task.head.training))
            return batch

    tiny_trainer(max_epochs=2).fit(task, datamodule=Watched(TRAIN))
    assert modes == [(False, True)] * 6
    assert not any(module.training for module in task.network.modules())
    assert all(parameter.grad is None for parameter in task.network.parameters())
    assert same(copied(task.network), before)
    assert not same(copied(task.head), head)


def test_switching_to_training_leaves_a_frozen_encoder_in_eval_mode(encoder: str) -> None:
    task = frozen(encoder).train()
    assert task.head.training
    assert not any(module.training for module in task.network.modules())
    assert all(module.training for module in end_to_end().train().modules())


def test_the_optimiser_holds_only_what_is_trained(encoder: str) -> None:
    (group,) = frozen(encoder).configure_optimizers().param_groups
    n_head = 12 * LATENT_DIM * 8 + 8 + 8 + 1
    assert sum(parameter.numel() for parameter in group["params"]) == n_head


def test_end_to_end_training_trains_the_network_too() -> None:
    task = end_to_end()
    before = copied(task.network)
    tiny_trainer(max_epochs=1).fit(task, datamodule=TinyData(TRAIN))
    after = copied(task.network)
    assert all(not torch.equal(after[name], before[name]) for name in before)


def test_head_as_in_the_paper() -> None:
    layers = list(HeadSettings().build(256))
    assert [type(layer).__name__ for layer in layers] == ["Linear", "ReLU", "Dropout", "Linear"]
    assert (layers[0].in_features, layers[0].out_features) == (256, 128)
    assert (layers[2].p, layers[3].out_features) == (0.5, 1)


@pytest.mark.parametrize(
    ("make", "epochs"), [(frozen, 40), (lambda _encoder: end_to_end(), 12)], ids=["frozen", "whole"]
)
def test_training_learns_a_learnable_label(
    make: Callable[[str], Classifier], epochs: int, encoder: str
) -> None:
    task, log = make(encoder), MemoryLogger()
    tiny_trainer(max_epochs=epochs, logger=log).fit(task, datamodule=TinyData(TRAIN, HELD_OUT))
    assert log.logged["train/loss"][-1] < 0.9 * log.logged["train/loss"][0]
    assert log.logged["val/auroc"][-1] > 0.7


def features_of(task: Classifier, batches: list[EcgBatch]) -> list[FeatureBatch]:
    with torch.no_grad():
        return [
            FeatureBatch(
                task.network.encode(b.ecg, b.leads, b.present), b.label, b.record, b.patient_id
            )
            for b in batches
        ]


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_features_computed_once_are_as_good_as_encoding_in_every_epoch(
    encoder: str, dropout: float
) -> None:
    logs = []
    for once in (False, True):
        task, log = frozen(encoder, head=HeadSettings(8, dropout)), MemoryLogger()
        train = features_of(task, TRAIN) if once else TRAIN
        held_out = features_of(task, HELD_OUT) if once else HELD_OUT
        torch.manual_seed(5)
        tiny_trainer(max_epochs=4, logger=log).fit(task, datamodule=TinyData(train, held_out))
        logs.append(log.logged)
    assert len(logs[0]["train/loss"]) == 4
    for name, values in logs[0].items():
        assert logs[1][name] == values, name


def test_logged_metrics_equal_those_of_scikit_learn(encoder: str) -> None:
    task, log = frozen(encoder, focal=FocalSettings(0.6, 1.5)), MemoryLogger()
    trainer = tiny_trainer(max_epochs=15, logger=log)
    trainer.fit(task, datamodule=TinyData(TRAIN, HELD_OUT))
    (tested,) = trainer.test(task, datamodule=TinyData([], HELD_OUT), verbose=False)
    task.eval()
    with torch.no_grad():
        logit = torch.cat([task(batch) for batch in HELD_OUT])
    label = torch.cat([batch.label for batch in HELD_OUT])
    expected = {
        "auroc": roc_auc_score(label, logit),
        "accuracy": accuracy_score(label, logit > 0),
        "mcc": matthews_corrcoef(label, logit > 0),
        "loss": focal_loss(logit, label, 0.6, 1.5).item(),
    }
    assert 0 < expected["mcc"] < 1
    for name, value in expected.items():
        assert log.logged[f"val/{name}"][-1] == pytest.approx(value, abs=1e-6), name
        assert tested[f"test/{name}"] == pytest.approx(value, abs=1e-6), name


def test_metrics_of_an_epoch_forget_the_epoch_before(encoder: str) -> None:
    task = frozen(encoder)
    logs = []
    for batches in (TRAIN, HELD_OUT):
        log = MemoryLogger()
        tiny_trainer(logger=log).validate(task, datamodule=TinyData([], batches), verbose=False)
        logs.append(log.logged["val/auroc"])
    fresh = MemoryLogger()
    other = frozen(encoder)
    tiny_trainer(logger=fresh).validate(other, datamodule=TinyData([], HELD_OUT), verbose=False)
    assert logs[1] == fresh.logged["val/auroc"] != logs[0]


def test_predictions_carry_record_patient_and_probability(encoder: str) -> None:
    task = frozen(encoder)
    unlabelled = tiny_batch(3, seed=8)
    predictions = tiny_trainer().predict(task, datamodule=TinyData([], [unlabelled]))
    (prediction,) = predictions or []
    assert prediction["record"] == unlabelled.record
    assert prediction["patient_id"] == unlabelled.patient_id
    assert prediction["label"].isnan().all()
    with torch.no_grad():
        torch.testing.assert_close(prediction["probability"], task(unlabelled).sigmoid())


def test_logits_stay_float32_under_mixed_precision(encoder: str) -> None:
    task = frozen(encoder).eval()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        assert task(HELD_OUT[0]).dtype == torch.float32
        features = task.network.encode(HELD_OUT[0].ecg, HELD_OUT[0].leads)
    with torch.no_grad():
        torch.testing.assert_close(
            task(FeatureBatch(features, HELD_OUT[0].label, [], [])),
            task.head(features.float()).squeeze(-1),
        )


def test_six_leads_make_a_head_of_their_own_size(encoder: str, tmp_path: Path) -> None:
    task = Classifier(MultimodalCnn(N_SAMPLES, LATENT_DIM, leads=6), leads=6)
    assert task.head[0].in_features == 6 * LATENT_DIM
    assert task(tiny_batch(2, leads=LIMB_LEADS)).shape == (2,)
    assert frozen(encoder, leads=6)(tiny_batch(2, leads=LIMB_LEADS)).shape == (2,)


def fitted_checkpoint(task: Classifier, folder: Path, epochs: int = 2) -> Path:
    trainer = tiny_trainer(max_epochs=epochs, default_root_dir=folder)
    trainer.fit(task, datamodule=TinyData(TRAIN))
    path = folder / "fold.ckpt"
    trainer.save_checkpoint(path)
    return path


def test_a_fold_checkpoint_leaves_the_encoder_out_and_restores_it(
    encoder: str, tmp_path: Path
) -> None:
    task = frozen(encoder)
    path = fitted_checkpoint(task, tmp_path)
    saved = torch.load(path, weights_only=True)
    assert [name for name in saved["state_dict"] if name.startswith("network.")] == []
    assert saved["encoder_sha256"] == task.encoder_sha256
    assert saved["state_dict"].keys() == {f"head.{name}" for name in task.head.state_dict()}

    other = frozen(encoder, seed=99)
    (tested,) = tiny_trainer().test(
        other, datamodule=TinyData([], HELD_OUT), ckpt_path=path, weights_only=True, verbose=False
    )
    assert same(copied(other), copied(task))
    (expected,) = tiny_trainer().test(task, datamodule=TinyData([], HELD_OUT), verbose=False)
    assert tested == expected


def test_an_end_to_end_checkpoint_keeps_the_network(tmp_path: Path) -> None:
    task = end_to_end()
    path = fitted_checkpoint(task, tmp_path)
    other = end_to_end(seed=99)
    tiny_trainer().validate(
        other, datamodule=TinyData([], HELD_OUT), ckpt_path=path, weights_only=True, verbose=False
    )
    assert same(copied(other), copied(task))


def test_a_head_of_another_encoder_is_refused(encoder: str, tmp_path: Path) -> None:
    path = fitted_checkpoint(frozen(encoder), tmp_path)
    other = str(tiny_checkpoint(tmp_path, seed=1))
    with pytest.raises(InputError, match="was trained on the encoder with SHA-256"):
        tiny_trainer().test(frozen(other), datamodule=TinyData([], HELD_OUT), ckpt_path=path)
    with pytest.raises(InputError, match="was trained on the encoder with SHA-256"):
        tiny_trainer().test(end_to_end(), datamodule=TinyData([], HELD_OUT), ckpt_path=path)


def test_a_resumed_run_ends_where_an_unbroken_one_does(encoder: str, tmp_path: Path) -> None:
    unbroken = frozen(encoder)
    fitted_checkpoint(unbroken, tmp_path, epochs=4)
    half = fitted_checkpoint(frozen(encoder), tmp_path, epochs=2)
    resumed = frozen(encoder, seed=99)
    tiny_trainer(max_epochs=4).fit(
        resumed, datamodule=TinyData(TRAIN), ckpt_path=half, weights_only=True
    )
    assert same(copied(resumed), copied(unbroken))


def test_the_encoder_says_what_it_was_trained_on(encoder: str) -> None:
    assert frozen(encoder).encoder_input == TINY_INPUT
    assert end_to_end().encoder_input is None


@pytest.mark.parametrize("both", [True, False])
def test_exactly_one_of_network_and_encoder_is_needed(encoder: str, both: bool) -> None:
    network = LsEmvae(N_SAMPLES, LATENT_DIM)
    with pytest.raises(InputError, match=r"either network .* or encoder"):
        Classifier(network if both else None, encoder if both else None)


def test_a_missing_encoder_is_one_clear_error() -> None:
    with pytest.raises(InputError, match=r"no encoder nowhere\.ckpt"):
        Classifier(encoder="nowhere.ckpt")


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (lambda: ResNet1d(N_SAMPLES, width=4), torch.nn.Linear),
        (lambda: XResNet1d(N_SAMPLES, width=4), torch.nn.Sequential),
    ],
)
def test_a_network_with_a_head_of_its_own_keeps_it_unless_another_is_asked_for(
    network: Any, expected: type
) -> None:
    own = Classifier(network())
    assert type(own.head) is expected
    assert str(own.head) == str(own.network.own_head())
    assert str(Classifier(network(), head=HeadSettings()).head) != str(own.head)
    paper = Classifier(MultimodalCnn(N_SAMPLES, LATENT_DIM)).head
    assert str(paper) == str(HeadSettings().build(12 * LATENT_DIM))


def test_a_frozen_encoder_gets_the_head_of_the_paper_whatever_its_own_is(tmp_path: Path) -> None:
    torch.manual_seed(0)
    size = TransformerSize(8, 1, 2)
    trainer = tiny_trainer(max_steps=1, default_root_dir=tmp_path)
    trainer.fit(
        Pretrainer(StMem(N_SAMPLES, 8, encoder=size, decoder=size)),
        datamodule=TinyData([tiny_batch()]),
    )
    trainer.save_checkpoint(tmp_path / "encoder.ckpt")
    task = Classifier(encoder=str(tmp_path / "encoder.ckpt"), leads=6)
    assert str(task.head) == str(HeadSettings().build(8))
    assert task(tiny_batch(3, leads=LIMB_LEADS)).shape == (3,)
