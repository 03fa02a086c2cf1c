import math
from typing import Any

import pytest
import torch
from torch import Tensor

from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS
from lsemvae.models import ElboObjective, LsEmvae
from tests.tiny_batches import LATENT_DIM, N_SAMPLES, loss_of, tiny_ecg, tiny_network


def slow_objective(
    network: LsEmvae, ecg: Tensor, present: Tensor, visible: Tensor, beta: float
) -> dict[str, float]:
    """Write the objective out per record, lead and sample; lambda is 1 but for V1 and aVR."""
    objective, sums = network.objective, {"reconstruction": 0.0, "kl": 0.0, "alignment": 0.0}
    torch.manual_seed(7)
    noise = torch.randn(len(ecg), LATENT_DIM)
    for record in range(len(ecg)):
        seen = [i for i in range(12) if visible[record, i]]
        own = network.encoders(ecg[record : record + 1, seen], [LEADS[i] for i in seen])[0].double()
        mean, raw = own[:, :LATENT_DIM], own[:, LATENT_DIM:]
        variance = (raw / (1 + (raw / 20) ** 2) ** 0.5).exp()
        precision = (1 / variance).sum(0)
        mean = torch.cat([mean, ((mean / variance).sum(0) / precision)[None]])
        variance = torch.cat([variance, (1 / precision)[None]])
        score = [
            float(network.gate.weight[i].double() @ torch.cat([m, v.log()]) + network.gate.bias[i])
            for i, m, v in zip([*seen, 12], mean, variance, strict=True)
        ]
        total = sum(math.exp(s) for s in score)
        floor = network.fusion.gate_floor
        shares = [(1 - floor) * math.exp(s) / total + floor / len(score) for s in score]
        weight = torch.tensor(shares).double()[:, None]
        mixed = (weight * mean).sum(0)
        mixed_variance = (weight * (variance + mean**2)).sum(0) - mixed**2
        z = mixed + mixed_variance.sqrt() * noise[record]
        decoded = network.decoder(z.float()[None])[0]
        for i, lead in enumerate(LEADS):
            if present[record, i]:
                lam = {"V1": 3.0, "aVR": 0.25}.get(lead, 1.0)
                errors = [
                    float(d - x) ** 2 for d, x in zip(decoded[i], ecg[record, i], strict=True)
                ]
                share = 1 if objective.reconstruction == "sum" else len(errors)
                sums["reconstruction"] += lam * sum(errors) / share
        kl = mixed**2 + mixed_variance - mixed_variance.log() - 1
        sums["kl"] += 0.5 * float(kl.sum())
        sums["alignment"] += float(((mean - mixed) ** 2).sum()) / len(mean)
    terms = {name: value / len(ecg) for name, value in sums.items()}
    total = terms["reconstruction"] + beta * terms["kl"] + objective.gamma * terms["alignment"]
    return {**terms, "total": total}


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@torch.no_grad()
def test_the_objective_equals_its_written_out_form(reduction: Any) -> None:
    objective = ElboObjective(reduction, gamma=0.3, lead_weights={"v1": 3.0, "aVR": 0.25})
    network = tiny_network(objective=objective)
    generator = torch.Generator().manual_seed(2)
    ecg, present = tiny_ecg(5), torch.rand(5, 12, generator=generator) > 0.3
    visible = present & (torch.rand(5, 12, generator=generator) > 0.3)
    visible[:, 0] = present[:, 0] = True
    expected = slow_objective(network, ecg, present, visible, beta=0.7)
    loss = loss_of(network, ecg, present=present, visible=visible)
    found = {name: value.item() for name, value in (*loss.terms.items(), ("total", loss.total))}
    variance = found.pop("observation_variance")
    assert found == pytest.approx(expected, rel=1e-3)
    assert variance == pytest.approx(0.7 / 2 * (1 if reduction == "sum" else N_SAMPLES))


def test_only_the_visible_leads_are_encoded_but_all_present_ones_are_reconstructed() -> None:
    network = tiny_network()
    ecg, visible = tiny_ecg(3), torch.zeros(3, 12, dtype=torch.bool)
    visible[:, 2] = True
    present = torch.ones_like(visible)
    whole = loss_of(network, ecg, present=present, visible=visible)
    one = loss_of(network, ecg[:, [2]], ["III"])
    torch.testing.assert_close(whole.terms["kl"], one.terms["kl"])
    assert whole.terms["reconstruction"] > one.terms["reconstruction"]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("reduction", "variance"), [("sum", 0.5), ("mean", 2500.0)])
def test_observation_variance_at_beta_1(reduction: Any, variance: float) -> None:
    assert ElboObjective(reduction).observation_variance(1.0, 5000) == variance
    assert ElboObjective(reduction).observation_variance(0.5, 5000) == variance / 2


def test_the_mean_over_time_warns() -> None:
    with pytest.warns(UserWarning, match=r"observation variance to 32 at beta = 1.*collapses"):
        LsEmvae(N_SAMPLES, LATENT_DIM, objective=ElboObjective("mean"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"lead_weights": {"V7": 1.0}}, "unknown lead name 'V7'"),
        ({"lead_weights": {"V1": -1.0}}, r"lead_weights\[V1\] must be >= 0"),
        ({"gamma": -0.1}, "gamma must be >= 0, got -0.1"),
    ],
)
def test_bad_weights_are_refused(arguments: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        ElboObjective(**arguments)


def test_groups_of_leads_share_a_weight_and_a_leads_own_goes_before_it() -> None:
    objective = ElboObjective(lead_weights={"limb": 0.5, "chest": 2.0, "V1": 3.0, "II": 0.0})
    expected = [0.5, 0.0, 0.5, 0.5, 0.5, 0.5, 3.0, 2.0, 2.0, 2.0, 2.0, 2.0]
    assert objective.weight_per_lead().tolist() == expected
    only_chest = ElboObjective(lead_weights={"chest": 0.25})
    assert only_chest.weight_per_lead().tolist() == [1.0] * 6 + [0.25] * 6
    with pytest.raises(InputError, match=r"lead_weights\[chest\] must be >= 0"):
        ElboObjective(lead_weights={"chest": -1.0})
