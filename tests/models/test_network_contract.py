"""What every network promises, whatever it is; a network that is missing here fails a test."""

import importlib
import inspect
import itertools
import json
import pkgutil
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import lsemvae.models
from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS, LIMB_LEADS
from lsemvae.models import (
    BetaVae,
    EcgNetwork,
    FixedLeadNetwork,
    GenerativeNetwork,
    PretrainableNetwork,
)
from lsemvae.models.checkpoint import describe_network
from lsemvae.models.methods import network_classes
from lsemvae.models.xresnet1d import LAYOUTS
from tests.network_sizes import tiny_sizes, with_sizes
from tests.tiny_batches import N_SAMPLES, TINY_INPUT, tiny_ecg

Leads = tuple[str, ...]


def builder(kind: str, plain: dict[str, Any]) -> Callable[[int, Leads], EcgNetwork]:
    """Return what builds a network of a class for a length and for leads, as a method does."""

    def build(n_samples: int, leads: Leads) -> EcgNetwork:
        network = network_classes()[kind]
        arguments = network.input_args(TINY_INPUT._replace(n_samples=n_samples), leads)
        return network.from_plain(with_sizes(arguments, plain))

    return build


NETWORKS_UNDER_TEST = {
    name: builder(name.partition(",")[0], plain) for name, plain in tiny_sizes().items()
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


# Holds a file of somebody else's, and no network of its own: tests/models/test_foreign.py.
FOREIGN = {"ForeignEncoder"}


def test_every_network_is_a_method_and_under_contract() -> None:
    names = set(networks_of_the_package()) - FOREIGN
    assert names == set(network_classes())
    missing = names - {name.partition(",")[0] for name in NETWORKS_UNDER_TEST}
    assert missing == set(), "give the network's test a row UNDER_CONTRACT"


ARCHITECTURES = [name for name in NETWORKS_UNDER_TEST if ", " not in name]
"""One row of every class; an option of a network traces what its class traces."""


@pytest.fixture(params=NETWORKS_UNDER_TEST)
def build(request: pytest.FixtureRequest) -> Callable[[int, Leads], EcgNetwork]:
    torch.manual_seed(0)
    return NETWORKS_UNDER_TEST[request.param]


@pytest.fixture
def network(build: Callable[[int, Leads], EcgNetwork]) -> EcgNetwork:
    return build(N_SAMPLES, LEADS).eval()


def chosen(ecg: Tensor, leads: Leads) -> Tensor:
    return ecg[:, [LEADS.index(lead) for lead in leads]]


@pytest.mark.parametrize("leads", LEAD_SETS, ids=lambda leads: f"{len(leads)} leads")
def test_features_have_the_promised_size(
    build: Callable[[int, Leads], EcgNetwork], leads: Leads
) -> None:
    network = build(N_SAMPLES, leads).eval()
    if isinstance(network, BetaVae) and leads != LEADS:
        with pytest.raises(InputError, match="has no form for"):
            network.encode(chosen(tiny_ecg(3), leads), leads)
        return
    features = network.encode(chosen(tiny_ecg(3), leads), leads)
    assert features.shape == (3, network.feature_dim(leads))
    assert torch.isfinite(features).all()


@pytest.mark.parametrize("n_samples", [61, 100])
def test_any_length_is_encoded(build: Callable[[int, Leads], EcgNetwork], n_samples: int) -> None:
    network = build(n_samples, LEADS)
    features = network.encode(torch.randn(2, 12, n_samples), LEADS)
    assert features.shape == (2, network.feature_dim(LEADS))


@torch.no_grad()
def test_one_pass_gives_features_and_uncertainty_to_the_bit(network: EcgNetwork) -> None:
    ecg = tiny_ecg(3)
    features, uncertainty = network.encode_with_uncertainty(ecg, LEADS)
    assert torch.equal(features, network.encode(ecg, LEADS))
    alone = network.uncertainty(ecg, LEADS)
    assert (uncertainty is None) == (alone is None)
    assert alone is None or torch.equal(uncertainty, alone)


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
    network, ecg = NETWORKS_UNDER_TEST[name](N_SAMPLES, LEADS).eval(), tiny_ecg(2)
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
    features = network.encode(ecg, LEADS)
    features.mul(torch.randn(features.shape[1])).sum().backward()
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
    with torch.device("meta"):  # as a checkpoint is read
        again = network_classes()[description["class"]].from_plain(description["init_args"]).eval()
    again.load_state_dict(network.state_dict(), assign=True)
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
    gradients = [parameter.grad for parameter in network.parameters() if parameter.requires_grad]
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)
    assert sum(bool((gradient != 0).any()) for gradient in gradients) > 0.8 * len(gradients)
    if isinstance(network, GenerativeNetwork) and not isinstance(network, BetaVae):
        assert network.reconstruct(tiny_ecg(3)[:, :6], LIMB_LEADS).shape == (3, 12, N_SAMPLES)


def test_every_trained_parameter_has_a_gradient_as_distributed_training_needs(
    build: Callable[[int, Leads], EcgNetwork],
) -> None:
    network = build(N_SAMPLES, LEADS).train()
    if isinstance(network, PretrainableNetwork):
        network.loss(tiny_ecg(4), LEADS, beta=0.5).total.backward()
    else:
        network.encode(tiny_ecg(4), LEADS).sum().backward()
    without = [
        name
        for name, parameter in network.named_parameters()
        if parameter.requires_grad and parameter.grad is None
    ]
    assert without == []


FIXED = [
    name
    for name, build_one in NETWORKS_UNDER_TEST.items()
    if isinstance(build_one(N_SAMPLES, LEADS), FixedLeadNetwork)
]


@pytest.mark.parametrize("name", FIXED)
@pytest.mark.parametrize("leads", [LIMB_LEADS, ("V2", "I")], ids=lambda leads: f"{len(leads)}")
def test_networks_of_fixed_leads_take_those_and_refuse_others(name: str, leads: Leads) -> None:
    network = NETWORKS_UNDER_TEST[name](N_SAMPLES, leads).eval()
    found = network.encode(chosen(tiny_ecg(2), leads), leads)
    turned = network.encode(chosen(tiny_ecg(2), leads[::-1]), leads[::-1])
    assert torch.equal(found, turned)
    with pytest.raises(InputError, match="was built for the leads"):
        network.encode(tiny_ecg(2), LEADS)


@pytest.mark.parametrize("build", ARCHITECTURES, indirect=True)
def test_compiled_networks_give_the_same_features(
    build: Callable[[int, Leads], EcgNetwork], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The graph is traced and run without code generation, which a compiled loss is tested for.

    With the leads and with further blocks the tracing grows, and nothing that it finds.
    """
    for name, layout in LAYOUTS.items():  # first and second block of a stage differ
        monkeypatch.setitem(LAYOUTS, name, layout._replace(n_blocks=(1, 2, 1, 1)))
    network = build(N_SAMPLES, LEAD_SETS[-1]).eval()
    leads = LEADS if isinstance(network, BetaVae) else LEAD_SETS[-1]
    ecg = chosen(tiny_ecg(2), leads)
    torch.compiler.reset()
    compiled = torch.compile(network.encode, backend="eager")
    torch.testing.assert_close(compiled(ecg, leads), network.encode(ecg, leads))
