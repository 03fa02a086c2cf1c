import numpy as np
import pandas as pd
import pytest
import torch

from lsemvae.core.leads import LEADS, LIMB_LEADS
from lsemvae.explain.gate import gate_weights, summarise_gate
from lsemvae.models.ls_emvae import Fusion
from tests.tiny_batches import tiny_ecg, tiny_network


def test_weights_are_those_of_the_posterior() -> None:
    network, ecg = tiny_network(), tiny_ecg(5)
    present = torch.ones(5, 12, dtype=torch.bool)
    weights = gate_weights(network, ecg, LEADS, present)
    assert list(weights) == [*LEADS, "PoE"]
    assert weights.to_numpy() == pytest.approx(
        network.posterior(ecg, LEADS).weight.detach().numpy()
    )
    assert weights.sum(axis=1).to_numpy() == pytest.approx(1.0)


def test_absent_leads_have_no_weight() -> None:
    present = torch.ones(3, 6, dtype=torch.bool)
    present[1, 2] = False
    weights = gate_weights(tiny_network(), tiny_ecg(3)[:, :6], LIMB_LEADS, present)
    assert np.isnan(weights.loc[1, "III"])
    assert weights.isna().to_numpy().sum() == 1


def test_mixture_without_a_product_has_no_product() -> None:
    network = tiny_network(fusion=Fusion("moe"))
    weights = gate_weights(network, tiny_ecg(2), LEADS, torch.ones(2, 12, dtype=torch.bool))
    assert list(weights) == list(LEADS)


def test_weights_are_averaged_by_class() -> None:
    weights = pd.DataFrame({"I": [0.1, 0.3, 0.8], "II": [0.9, 0.7, 0.2]})
    gate = summarise_gate(weights, np.array([0, 0, 1]), ["I", "II"]).set_index(["expert", "label"])
    assert gate.loc[("I", 0), "mean"] == pytest.approx(0.2)
    assert gate.loc[("I", 0), "sd"] == pytest.approx(np.std([0.1, 0.3], ddof=1))
    assert gate.loc[("II", 1), "mean"] == pytest.approx(0.2)
    assert set(gate["lead_set"]) == {"2L-I-II"}
    assert gate["n_records"].tolist() == [2, 2, 1, 1]
