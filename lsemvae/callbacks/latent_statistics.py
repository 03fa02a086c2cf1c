"""Compute whether LS-EMVAE has learned something, has collapsed, or ignores its experts."""

from collections import defaultdict

import torch
from torch import Tensor, distributed

from lsemvae.core.leads import LEADS, LIMB_LEADS
from lsemvae.losses import alignment_distance, gaussian_kl
from lsemvae.models.ls_emvae import POE, LsEmvae, Posterior

ACTIVE_UNIT_VARIANCE = 0.01  # Burda et al. 2016, arXiv:1509.00519
N_LIMB = len(LIMB_LEADS)


class LatentStatistics:
    """Running sums over recordings with twelve leads, and the figures that follow from them.

    Sums are kept in float64 on the CPU: figures are differences of large sums, the limb leads'
    Gram matrix is singular, and not every accelerator has float64.

    Args:
        network: in eval mode.
    """

    def __init__(self, network: LsEmvae) -> None:
        self.network = network
        self._sum: dict[str, Tensor] = defaultdict(lambda: torch.zeros((), dtype=torch.double))

    def _add(self, name: str, per_record: Tensor) -> None:
        self._sum[name] = self._sum[name] + per_record.cpu().sum(0, dtype=torch.double)

    def sum_over_processes(self) -> None:
        """Add the sums of all processes of a distributed run, before figures are made of them.

        By name, as a process whose recordings were all left out has no sums.
        """
        gathered: list[dict[str, Tensor]] = [{} for _ in range(distributed.get_world_size())]
        distributed.all_gather_object(gathered, dict(self._sum))
        self._sum.clear()
        for sums in gathered:
            for name, value in sums.items():
                self._sum[name] = self._sum[name] + value

    def update(self, ecg: Tensor, present: Tensor, scale: Tensor) -> None:
        """Add recordings in canonical lead order.

        Args:
            ecg: (B, 12, T), normalised.
            present: (B, 12) bool; recordings without a limb lead are left out.
            scale: (B, 12) or (B, 1), mV per unit of `ecg`.
        """
        usable = present[:, :N_LIMB].any(1)
        if not bool(usable.any()):
            return
        ecg, present = ecg[usable], present[usable]
        scale = scale[usable].expand(-1, len(LEADS))
        limb = self.network.posterior(ecg[:, :N_LIMB], LIMB_LEADS, present[:, :N_LIMB])
        whole = self.network.posterior(ecg, LEADS, present)
        self._add("n", torch.ones(len(ecg), device=ecg.device))
        self._reconstruction(ecg, present, scale, whole, "from_12")
        self._reconstruction(ecg, present, scale, limb, "from_6")
        complete = ecg[present.all(1)].cpu().double()
        self._add("gram", complete @ complete.transpose(1, 2))
        self._posterior(whole)
        self._gate(whole, "12")
        self._gate(limb, "6")
        self._add("shift", _kl_between(limb, whole))

    def _reconstruction(
        self, ecg: Tensor, present: Tensor, scale: Tensor, posterior: Posterior, source: str
    ) -> None:
        error = self.network.decoder(posterior.mean) - ecg
        mask = present.float()
        self._add(f"{source}/squared_error", error.square().sum(-1) * mask)
        self._add(f"{source}/absolute_error", error.abs().mean(-1) * scale * mask)
        self._add(f"{source}/energy", ecg.square().sum(-1) * mask)
        self._add(f"{source}/n", mask)

    def _posterior(self, posterior: Posterior) -> None:
        mean, logvar = posterior.mean, posterior.logvar
        exact = mean.cpu().double()
        self._add("mean", exact)
        self._add("mean_squared", exact.square())
        self._add("kl", gaussian_kl(mean.unsqueeze(-1), logvar.unsqueeze(-1)))
        spread = (posterior.expert_mean - mean.unsqueeze(1)).square()
        disagreement = (posterior.weight.unsqueeze(-1) * spread).sum(1) / logvar.exp()
        self._add("disagreement", disagreement.mean(-1))
        distance = alignment_distance(posterior.expert_mean, mean, posterior.expert_present)
        self._add("alignment", distance)

    def _gate(self, posterior: Posterior, n_leads: str) -> None:
        weight = posterior.weight
        self._add(f"gate_{n_leads}/mean", weight)
        self._add(f"gate_{n_leads}/entropy", torch.special.entr(weight).sum(-1))
        self._add(f"gate_{n_leads}/largest", weight.amax(-1))

    def compute(self) -> dict[str, Tensor]:
        """Return the figures by name.

        Per lead: R2 and MAE (mV) of the reconstruction from twelve leads, R2 of the chest leads
        from the six limb leads beside that of the best linear combination of limb leads on the
        same recordings. Of the latent space: active units, KL per dimension, share of the
        posterior variance that is disagreement between experts, alignment distance (also per
        variance of the posterior means), KL from the six-lead to the twelve-lead posterior. Of the
        gate: mean weight per expert, entropy (nats) and largest weight with 12 and 6 leads.
        """
        if "n" not in self._sum or not self._sum["n"]:
            return {}
        figures = {**self._signal_figures(), **self._latent_figures(), **self._gate_figures()}
        return {name: value.float() for name, value in figures.items()}

    def _signal_figures(self) -> dict[str, Tensor]:
        figures: dict[str, Tensor] = {}
        total = self._sum
        r2 = {
            source: 1 - total[f"{source}/squared_error"] / total[f"{source}/energy"]
            for source in ("from_12", "from_6")
        }
        mae = total["from_12/absolute_error"] / total["from_12/n"]
        for number, lead in enumerate(LEADS):
            figures[f"r2/{lead}"] = r2["from_12"][number]
            figures[f"mae_mv/{lead}"] = mae[number]
            if number >= N_LIMB:
                figures[f"r2_from_limb/{lead}"] = r2["from_6"][number]
        figures["r2/limb"], figures["r2/chest"] = (
            r2["from_12"][:N_LIMB].nanmean(), r2["from_12"][N_LIMB:].nanmean(),
        )  # fmt: skip
        figures["r2_from_limb/chest"] = r2["from_6"][N_LIMB:].nanmean()
        figures["r2_from_limb/least_squares"] = least_squares_r2(total["gram"]).mean()
        return figures

    def _latent_figures(self) -> dict[str, Tensor]:
        total, n = self._sum, self._sum["n"]
        variance = total["mean_squared"] / n - (total["mean"] / n).square()  # float64: see above
        kl, alignment = total["kl"] / n, total["alignment"] / n
        return {
            "active_units": (variance > ACTIVE_UNIT_VARIANCE).sum(),
            "kl_per_dimension/mean": kl.mean(),
            "kl_per_dimension/max": kl.max(),
            "disagreement_share": total["disagreement"] / n,
            "alignment": alignment,
            "alignment_per_variance": alignment / variance.sum(),
            "kl_6_to_12_leads": total["shift"] / n,
        }

    def _gate_figures(self) -> dict[str, Tensor]:
        figures: dict[str, Tensor] = {}
        for n_leads, leads in (("12", LEADS), ("6", LIMB_LEADS)):
            mean = self._sum[f"gate_{n_leads}/mean"] / self._sum["n"]
            for expert, weight in zip((*leads, POE), mean, strict=False):
                figures[f"gate_{n_leads}/{expert}"] = weight
            for name in ("entropy", "largest"):
                figures[f"gate_{n_leads}_{name}"] = (
                    self._sum[f"gate_{n_leads}/{name}"] / self._sum["n"]
                )
        return figures


def least_squares_r2(gram: Tensor) -> Tensor:
    """Return R2 of each chest lead predicted as the best linear combination of the limb leads.

    Args:
        gram: sum over samples of x x^T with the leads in canonical order, (12, 12), float64.

    Returns:
        (6,), fitted and measured on the same samples.
    """
    limb, cross, chest = gram[:N_LIMB, :N_LIMB], gram[:N_LIMB, N_LIMB:], gram[N_LIMB:, N_LIMB:]
    explained = (cross * (torch.linalg.pinv(limb, rtol=1e-6, hermitian=True) @ cross)).sum(0)
    return torch.as_tensor(explained / chest.diagonal())


def _kl_between(q: Posterior, p: Posterior) -> Tensor:
    """Return KL(q || p) of two posteriors, (B,), in nats."""
    ratio = q.logvar - p.logvar
    squared = (q.mean - p.mean).square() / p.logvar.exp()
    return 0.5 * (squared + torch.expm1(ratio) - ratio).sum(-1)
