import pytest
import torch
from plain_reference import PlainEncoders, copy_encoders
from torch.utils.flop_counter import FlopCounterMode

from lsemvae.core.errors import InputError
from lsemvae.core.leads import CHEST_LEADS, LEADS, LIMB_LEADS
from lsemvae.nn import lead_encoders
from lsemvae.nn.lead_encoders import LeadEncoderBank
from lsemvae.nn.strided_convolutions import convolve_lead_by_lead, convolve_together

SUBSETS = [LEADS, LIMB_LEADS, CHEST_LEADS, LEADS[::-1], ("V1", "I", "aVF"), ("V6",)]


@pytest.fixture(autouse=True, params=[convolve_lead_by_lead, convolve_together])
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    """Take the form of a CPU and that of other devices in turn."""
    monkeypatch.setattr(lead_encoders, "convolve", request.param)
    return request.param


def double_pair(n_samples: int, latent_dim: int = 3) -> tuple[LeadEncoderBank, PlainEncoders]:
    """Build the bank and the plain per-lead loop with equal weights, in double precision."""
    torch.manual_seed(0)
    bank = LeadEncoderBank(n_samples, 2 * latent_dim).double()
    plain = PlainEncoders(n_samples, latent_dim).double()
    copy_encoders(bank, plain)
    return bank, plain


def test_full_size_bank_has_the_published_number_of_parameters() -> None:
    with torch.device("meta"):
        bank = LeadEncoderBank(5000, 512)
    assert sum(p.numel() for p in bank.parameters()) == 245_860_224
    assert bank.n_flat == 40_000


@pytest.mark.parametrize("n_samples", [8, 9, 13, 64, 101])
@pytest.mark.parametrize("leads", SUBSETS)
def test_bank_equals_the_plain_loop_forward_and_backward(
    n_samples: int, leads: tuple[str, ...]
) -> None:
    bank, plain = double_pair(n_samples)
    ecg = torch.randn(2, len(leads), n_samples, dtype=torch.double, requires_grad=True)
    fast, slow = bank(ecg, leads), plain(ecg, leads)
    torch.testing.assert_close(fast, slow)
    upstream = torch.randn_like(fast)
    (of_fast,) = torch.autograd.grad(fast, ecg, upstream)
    (of_slow,) = torch.autograd.grad(slow, ecg, upstream)
    torch.testing.assert_close(of_fast, of_slow)


@pytest.mark.parametrize("leads", [LEADS, LIMB_LEADS, ("V1", "I")])
def test_gradients_of_all_weights_match_finite_differences(leads: tuple[str, ...]) -> None:
    torch.manual_seed(0)
    bank = LeadEncoderBank(9, 2).double()
    names, values = zip(*bank.named_parameters(), strict=True)
    ecg = torch.randn(2, len(leads), 9, dtype=torch.double)
    directions = [torch.randn_like(value) for value in values]

    def output(step: float) -> torch.Tensor:
        moved = [v + step * d for v, d in zip(values, directions, strict=True)]
        result = torch.func.functional_call(
            bank, dict(zip(names, moved, strict=True)), (ecg, leads)
        )
        return result.square().sum()

    gradients = torch.autograd.grad(output(0.0), values)
    slope = sum((g * d).sum() for g, d in zip(gradients, directions, strict=True))
    difference = (output(1e-6) - output(-1e-6)) / 2e-6
    torch.testing.assert_close(torch.as_tensor(slope), difference, rtol=1e-5, atol=1e-8)


def test_first_outputs_alone_equal_the_first_columns_of_all() -> None:
    bank, _ = double_pair(40)
    ecg = torch.randn(2, 3, 40, dtype=torch.double)
    leads = ("II", "V1", "V5")
    torch.testing.assert_close(bank(ecg, leads, 3), bank(ecg, leads)[..., :3])
    assert bank(ecg, leads, 3).shape == (2, 3, 3)


def test_leads_are_found_by_name_whatever_their_order() -> None:
    bank, _ = double_pair(40)
    ecg = torch.randn(2, 12, 40, dtype=torch.double)
    order = torch.randperm(12)
    permuted = bank(ecg[:, order], [LEADS[i] for i in order])
    torch.testing.assert_close(permuted, bank(ecg, LEADS)[:, order])


def test_one_record_does_not_reach_into_its_neighbour() -> None:
    bank, _ = double_pair(40)
    ecg = torch.randn(2, 12, 40, dtype=torch.double)
    spoiled = ecg.clone()
    spoiled[0] = torch.nan
    assert torch.equal(bank(spoiled, LEADS)[1], bank(ecg, LEADS)[1])


@pytest.mark.parametrize("leads", [LIMB_LEADS, ("V1", "I")])
def test_every_parameter_gets_a_gradient_and_absent_leads_get_zero(leads: tuple[str, ...]) -> None:
    bank, _ = double_pair(16)
    bank(torch.randn(2, len(leads), 16, dtype=torch.double), leads).square().sum().backward()
    present = torch.tensor([lead in leads for lead in LEADS])
    for parameter in bank.parameters():
        assert parameter.grad is not None
        assert not parameter.grad[~present].any()
        assert parameter.grad[present].flatten(1).any(dim=1).all()


def test_initial_weights_are_reproducible_and_spread_as_torch_does() -> None:
    torch.manual_seed(3)
    bank = LeadEncoderBank(64, 128)
    torch.manual_seed(3)
    again = LeadEncoderBank(64, 128)
    for ours, same in zip(bank.parameters(), again.parameters(), strict=True):
        assert torch.equal(ours, same)
    linear = torch.nn.Linear(bank.n_flat, 128)
    convolution = torch.nn.Conv1d(32, 64, kernel_size=3)
    pairs = [
        (bank.linear_weight, linear.weight),
        (bank.linear_bias, linear.bias),
        (bank.conv_weights[2], convolution.weight),
        (bank.conv_biases[2], convolution.bias),
    ]
    for ours, theirs in pairs:
        largest = float(ours.detach().abs().max())
        assert largest == pytest.approx(float(theirs.detach().abs().max()), rel=0.1)
        assert float(ours.detach().std()) == pytest.approx(largest / 3**0.5, rel=0.1)


def test_bfloat16_autocast_gives_nearly_the_same_and_float32_gradients() -> None:
    torch.manual_seed(0)
    bank = LeadEncoderBank(100, 6)
    ecg = torch.randn(4, 12, 100)
    exact = bank(ecg, LEADS)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = bank(ecg, LEADS)
    assert not torch.equal(rounded, exact)
    torch.testing.assert_close(rounded.float(), exact, atol=0.03, rtol=0.05)
    rounded.float().square().sum().backward()
    assert all(p.grad is not None and p.grad.dtype == torch.float32 for p in bank.parameters())


@pytest.mark.parametrize(
    ("leads", "message"),
    [(("I", "X9"), "X9"), (("I", "I"), "twice"), (("I", "II", "III"), "3 leads")],
)
def test_wrong_lead_names_are_reported(leads: tuple[str, ...], message: str) -> None:
    bank = LeadEncoderBank(16, 4)
    with pytest.raises(InputError, match=message):
        bank(torch.zeros(1, 2, 16), leads)


def test_signals_of_another_length_are_reported() -> None:
    with pytest.raises(InputError, match="16 samples"):
        LeadEncoderBank(16, 4)(torch.zeros(1, 1, 17), ("I",))
    with pytest.raises(InputError, match="8 or more"):
        LeadEncoderBank(7, 4)


def product_in_place(_: object, left: torch.Size, right: torch.Size, **__: object) -> int:
    """Count baddbmm_, which torch's counter leaves out."""
    return 2 * left.numel() * right[-1]


def backward_cost(*, of_weights: bool, of_ecg: bool) -> tuple[int, int]:
    """Return FLOPs of the backward pass through a bank, and numbers that the forward holds."""
    bank = LeadEncoderBank(100, 6).requires_grad_(of_weights)
    ecg = torch.randn(4, 12, 100, requires_grad=of_ecg)
    held: dict[int, int] = {}

    def hold(tensor: torch.Tensor) -> torch.Tensor:
        held[tensor.data_ptr()] = tensor.numel()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(hold, lambda tensor: tensor):
        total = bank(ecg, LEADS).square().sum()
    in_place = {torch.ops.aten.baddbmm_: product_in_place}
    with FlopCounterMode(display=False, custom_mapping=in_place) as counter:
        total.backward()
    assert (ecg.grad is not None) == of_ecg
    assert all((p.grad is not None) == of_weights for p in bank.parameters())
    return counter.get_total_flops(), sum(held.values())


def test_frozen_weights_cost_no_gradient_and_no_memory(form) -> None:
    forward = 2 * 4 * 12 * (50 * 3 * 16 + 25 * 48 * 32 + 13 * 96 * 64 + 13 * 64 * 6)
    both, held = backward_cost(of_weights=True, of_ecg=True)
    alone, held_alone = backward_cost(of_weights=False, of_ecg=True)
    assert alone == pytest.approx(forward, rel=0.05)  # one form leaves out taps in the padding
    assert both == 2 * alone
    outputs, loss = 4 * 12 * (50 * 16 + 25 * 32 + 13 * 64), 4 * 12 * 6
    weights = 12 * (3 * 16 + 48 * 32 + 96 * 64 + 6 * 13 * 64)
    padded = 4 * 12 * 26 * 32 if form is convolve_together else 0  # 25 steps made even
    assert held_alone == outputs + weights + loss
    assert held == held_alone + 4 * 12 * 100 + padded


@pytest.mark.parametrize("name", ["conv_weights.1", "conv_biases.0", "conv_biases.2"])
def test_a_gradient_that_is_wanted_alone_is_the_same(name: str) -> None:
    bank, _ = double_pair(40)
    ecg = torch.randn(2, 12, 40, dtype=torch.double)
    wanted = bank.get_parameter(name)
    (of_all,) = torch.autograd.grad(bank(ecg, LEADS).square().sum(), wanted)
    bank.requires_grad_(False)
    wanted.requires_grad_(True)
    (alone,) = torch.autograd.grad(bank(ecg, LEADS).square().sum(), wanted)
    torch.testing.assert_close(alone, of_all)


def test_gradients_with_frozen_weights_equal_those_without() -> None:
    bank, _ = double_pair(40)
    ecg = torch.randn(2, 12, 40, dtype=torch.double, requires_grad=True)
    (whole,) = torch.autograd.grad(bank(ecg, LEADS).square().sum(), ecg)
    (alone,) = torch.autograd.grad(bank.requires_grad_(False)(ecg, LEADS).square().sum(), ecg)
    torch.testing.assert_close(whole, alone)
