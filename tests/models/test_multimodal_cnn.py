from typing import Any

import pytest
import torch

from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS, LIMB_LEADS
from lsemvae.models import MultimodalCnn
from lsemvae.tasks import HeadSettings
from tests.tiny_batches import N_SAMPLES, tiny_ecg

UNDER_CONTRACT = {"MultimodalCnn": {"lead_features": 4}}


@pytest.mark.parametrize(("leads", "count"), [(12, 123_370_754), (6, 61_685_570)])
def test_published_size_with_the_head(leads: int, count: int) -> None:
    with torch.device("meta"):
        network = MultimodalCnn(leads=leads)
        n_features = network.feature_dim(LEADS[:leads])
        head = HeadSettings().build(n_features, n_outputs=2)
    parameters = [*network.parameters(), *head.parameters()]
    assert sum(parameter.numel() for parameter in parameters) == count


def test_features_are_the_encoders_outputs_in_canonical_order() -> None:
    torch.manual_seed(0)
    network = MultimodalCnn(N_SAMPLES, 5)
    ecg, present = tiny_ecg(2), torch.tensor([[True, True], [False, True]])
    features = network.encode(ecg[:, [7, 1]], ("V2", "II"), present)
    lead_ii = network.encoders(ecg[:, [1]], ("II",))[:, 0]
    v2 = network.encoders(ecg[:, [7]], ("V2",))[:, 0]
    v2[1] = 0.0  # absent in the second record
    torch.testing.assert_close(features, torch.cat([lead_ii, v2], 1))


@pytest.mark.parametrize("leads", [6, ["V1", "I"]])
def test_only_the_chosen_leads_have_an_encoder(leads: Any) -> None:
    network = MultimodalCnn(N_SAMPLES, 5, leads=leads)
    n_leads = leads if isinstance(leads, int) else len(leads)
    whole = sum(parameter.numel() for parameter in MultimodalCnn(N_SAMPLES, 5).parameters())
    assert sum(parameter.numel() for parameter in network.parameters()) == whole * n_leads / 12
    with pytest.raises(InputError):
        network.encode(tiny_ecg(1)[:, 7:8], ("V2",))


def test_every_parameter_of_a_six_lead_network_gets_a_gradient() -> None:
    # Training in several processes fails on parameters without one.
    network = MultimodalCnn(N_SAMPLES, 5, leads=6)
    network.encode(tiny_ecg(3)[:, :6], LIMB_LEADS).square().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
