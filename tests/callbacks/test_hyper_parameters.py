from typing import Any

import pytest

from lsemvae.callbacks.hyper_parameters import hyper_parameters

CONFIG: dict[str, Any] = {
    "seed_everything": 3,
    "beta": 2.0,
    "ckpt_path": "/secret/last.ckpt",
    "model": {
        "class_path": "lsemvae.tasks.Pretrainer",
        "init_args": {
            "lr": 1e-3,
            "betas": [0.9, 0.95],
            "warmup_epochs": None,
            "network": {
                "class_path": "lsemvae.models.LsEmvae",
                "init_args": {
                    "latent_dim": 32,
                    "decoder": "conditioned",
                    "fusion": {"kind": "moe", "gate_floor": 0.1},
                    "objective": {"gamma": 0.5, "lead_weights": {"chest": 2.0, "V1": 3.0}},
                },
            },
        },
    },
    "data": {
        "class_path": "data_modules.mimic_ecg.MimicEcg",
        "init_args": {
            "store": "secret.h5",
            "leads": ["I", "V1"],
            "normalisation": "lead",
            "batch_size": 8,
            "exclude": ["10001", "10002"],
            "exclude_numbers": [10001, 10002],
        },
    },
    "trainer": {
        "max_epochs": 2,
        "precision": "bf16-mixed",
        "default_root_dir": "secret_root",
        "logger": {"class_path": "x.Logger", "init_args": {"save_dir": "secret", "version": 3}},
        "callbacks": [
            {
                "class_path": "lsemvae.callbacks.BetaAnnealing",
                "init_args": {"shape": "sigmoid", "end": 2.0},
            },
            {
                "class_path": "lsemvae.callbacks.PredictionWriter",
                "init_args": {"path": "secret.csv"},
            },
        ],
    },
}


def test_numbers_switches_classes_and_choices_are_kept() -> None:
    assert hyper_parameters(CONFIG) == {
        "seed_everything": 3,
        "beta": 2.0,
        "model": "lsemvae.tasks.Pretrainer",
        "model.lr": 1e-3,
        "model.betas": "0.9, 0.95",
        "model.warmup_epochs": None,
        "model.network": "lsemvae.models.LsEmvae",
        "model.network.latent_dim": 32,
        "model.network.decoder": "conditioned",
        "model.network.fusion.kind": "moe",
        "model.network.fusion.gate_floor": 0.1,
        "model.network.objective.gamma": 0.5,
        "model.network.objective.lead_weights.chest": 2.0,
        "model.network.objective.lead_weights.V1": 3.0,
        "data": "data_modules.mimic_ecg.MimicEcg",
        "data.leads": "I,V1",
        "data.normalisation": "lead",
        "data.batch_size": 8,
        "trainer.max_epochs": 2,
        "trainer.precision": "bf16-mixed",
        "trainer.BetaAnnealing": "lsemvae.callbacks.BetaAnnealing",
        "trainer.BetaAnnealing.shape": "sigmoid",
        "trainer.BetaAnnealing.end": 2.0,
        "trainer.PredictionWriter": "lsemvae.callbacks.PredictionWriter",
    }


@pytest.mark.parametrize("text", ["secret", "lead ", "A1001", "/a/b", "record.h5"])
def test_text_outside_the_declared_choices_is_dropped(text: str) -> None:
    data = {
        "class_path": "data_modules.mimic_ecg.MimicEcg",
        "init_args": {"normalisation": text, "store": text, "leads": text},
    }
    kept = hyper_parameters({"data": data, "trainer": {"callbacks": None}})
    assert text not in kept.values()
    assert kept["data"] == "data_modules.mimic_ecg.MimicEcg"
