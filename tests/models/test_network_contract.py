"""What every network promises, whatever it is; a network that is missing here fails a test."""

import importlib
import inspect
import itertools
import json
import pkgutil
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import lsemvae.models
from lsemvae.errors import InputError
from lsemvae.leads import LEADS, LIMB_LEADS
from lsemvae.models import EcgNetwork, Fusion, LsEmvae, MultimodalCnn, PretrainableNetwork
from lsemvae.models.checkpoint import NETWORKS, describe_network
from tests.tiny_batches import N_SAMPLES, tiny_ecg

NETWORKS_UNDER_TEST: dict[str, Callable[[int], EcgNetwork]] = {
    "LsEmvae": lambda n_samples: LsEmvae(n_samples, 4),
    "LsEmvae, lead means": lambda n_samples: LsEmvae(n_samples, 4, feature="lead_means"),
    "LsEmvae, product only": lambda n_samples: LsEmvae(n_samples, 4, fusion=Fusion("poe")),
    "MultimodalCnn": lambda n_samples: MultimodalCnn(n_samples, 4),
}
LEAD_SETS = (LEADS, LIMB_LEADS, ("V2",), ("V6", "I", "aVF"))


def networks_of_the_package() -> dict[str, type[EcgNetwork]]:
    """Return every concrete network that a module of `lsemvae.models` defines."""
    modules = pkgutil.iter_modules(lsemvae.models.__path__, "lsemvae.models.")
    members = [vars(importlib.import_module(module.name)).items() for module in modules]
    return {
        name: value
        for name, value in itertools.chain.from_iterable(members)
        if inspect.isclass(value)
        and issubclass(value, EcgNetwork)
        and not inspect.isabstract(value)
    }


def test_every_network_is_under_contract_and_can_be_read_from_a_checkpoint() -> None:
    names = set(networks_of_the_package())
    assert names == {type(build(N_SAMPLES)).__name__ for build in NETWORKS_UNDER_TEST.values()}
    assert names == set(NETWORKS)
    assert names <= set(lsemvae.models.__all__)


@pytest.fixture(params=NETWORKS_UNDER_TEST)
def build(request: pytest.FixtureRequest) -> Callable[[int], EcgNetwork]:
    torch.manual_seed(0)
    return NETWORKS_UNDER_TEST[request.param]


@pytest.fixture
def network(build: Callable[[int], EcgNetwork]) -> EcgNetwork:
    return build(N_SAMPLES).eval()


def chosen(ecg: Tensor, leads: tuple[str, ...]) -> Tensor:
    return ecg[:, [LEADS.index(lead) for lead in leads]]


@pytest.mark.parametrize("leads", LEAD_SETS, ids=lambda leads: f"{len(leads)} leads")
def test_features_have_the_promised_size(network: EcgNetwork, leads: tuple[str, ...]) -> None:
    features = network.encode(chosen(tiny_ecg(3), leads), leads)
    assert features.shape == (3, network.feature_dim(leads))
    assert torch.isfinite(features).all()


@pytest.mark.parametrize("n_samples", [61, 100])
def test_any_length_is_encoded(build: Callable[[int], EcgNetwork], n_samples: int) -> None:
    network = build(n_samples)
    features = network.encode(torch.randn(2, 12, n_samples), LEADS)
    assert features.shape == (2, network.feature_dim(LEADS))


def test_encoding_is_deterministic_and_each_record_is_on_its_own(network: EcgNetwork) -> None:
    ecg = tiny_ecg(4)
    features = network.encode(ecg, LEADS)
    assert torch.equal(network.encode(ecg, LEADS), features)
    alone = torch.cat([network.encode(record[None], LEADS) for record in ecg])
    torch.testing.assert_close(alone, features, rtol=1e-4, atol=1e-5)


@settings(max_examples=10, deadline=None)
@given(order=st.permutations(range(12)))
@pytest.mark.parametrize("name", NETWORKS_UNDER_TEST)
def test_the_order_of_the_leads_does_not_matter(name: str, order: list[int]) -> None:
    torch.manual_seed(0)
    network, ecg = NETWORKS_UNDER_TEST[name](N_SAMPLES), tiny_ecg(2)
    permuted = network.encode(ecg[:, order], [LEADS[i] for i in order])
    torch.testing.assert_close(permuted, network.encode(ecg, LEADS), rtol=1e-4, atol=1e-5)


def test_what_stands_in_an_absent_lead_changes_no_bit(network: EcgNetwork) -> None:
    present = torch.rand(4, 12, generator=torch.Generator().manual_seed(1)) > 0.4
    results = [
        network.encode(torch.where(present.unsqueeze(-1), tiny_ecg(4), filling), LEADS, present)
        for filling in (0.0, torch.nan, 1e30)
    ]
    assert torch.isfinite(results[0]).all()
    assert torch.equal(results[1], results[0])
    assert torch.equal(results[2], results[0])


def test_every_present_lead_matters(network: EcgNetwork) -> None:
    ecg = tiny_ecg(1)
    features = network.encode(ecg, LEADS)
    for index in range(12):
        other = ecg.clone()
        other[:, index] += torch.randn(N_SAMPLES)
        assert not torch.equal(network.encode(other, LEADS), features), LEADS[index]


def test_features_pass_gradients_to_the_recordings(network: EcgNetwork) -> None:
    ecg = tiny_ecg(2).requires_grad_()
    network.encode(ecg, LEADS).sum().backward()
    assert ecg.grad is not None
    assert (ecg.grad.abs().sum((0, 2)) > 0).all()


def test_another_number_of_samples_is_refused(network: EcgNetwork) -> None:
    with pytest.raises(InputError, match=r"takes \(12 leads, 64 samples\), got \(12, 32\)"):
        network.encode(torch.zeros(2, 12, 32), LEADS)


def test_a_record_without_any_lead_is_refused(network: EcgNetwork) -> None:
    present = torch.ones(2, 12, dtype=torch.bool)
    present[1] = False
    with pytest.raises(InputError, match="has none of the leads I, II"):
        network.encode(tiny_ecg(2), LEADS, present)


@pytest.mark.parametrize("leads", [("I", "V7"), ("I", "I"), ("I", "II", "V1")])
def test_wrong_lead_names_are_refused(network: EcgNetwork, leads: tuple[str, ...]) -> None:
    with pytest.raises(InputError):
        network.encode(tiny_ecg(2)[:, :2], leads)


def test_a_network_is_built_again_from_plain_values(network: EcgNetwork) -> None:
    description = json.loads(json.dumps(describe_network(network)))
    again = NETWORKS[description["class"]](description["init_args"]).eval()
    again.load_state_dict(network.state_dict())
    ecg = tiny_ecg(2)
    assert torch.equal(again.encode(ecg, LEADS), network.encode(ecg, LEADS))
    assert again.init_args == network.init_args


def test_networks_with_an_objective_return_finite_terms_with_gradients(
    network: EcgNetwork,
) -> None:
    if not isinstance(network, PretrainableNetwork):
        assert not hasattr(network, "loss")
        return
    loss = network.loss(tiny_ecg(3), LEADS, beta=0.5)
    loss.total.backward()
    assert all(torch.isfinite(term) and term.ndim == 0 for term in loss.terms.values())
    gradients = [parameter.grad for parameter in network.encoders.parameters()]
    assert all(gradient is not None and gradient.abs().sum() > 0 for gradient in gradients)
    assert network.reconstruct(tiny_ecg(3)[:, :6], LIMB_LEADS).shape == (3, 12, N_SAMPLES)
