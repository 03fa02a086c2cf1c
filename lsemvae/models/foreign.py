"""Read features with a frozen encoder of somebody else, from recordings brought to its form."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lsemvae.core.errors import InputError
from lsemvae.core.types import EcgInput
from lsemvae.models.adapter import read_adapter
from lsemvae.models.base import EcgNetwork
from lsemvae.models.foreign_runners import open_runner

UNITS_PER_MV = {"mV": 1.0, "uV": 1000.0, "V": 0.001}
SMALLEST_SD = 1e-6
LARGEST_FACTOR = 1000  # of a ratio of sampling rates


class ForeignEncoder(EcgNetwork):
    """An encoder of somebody else behind the interface of all networks.

    Recordings come in mV, not normalised, at the rate of `bind`. They are resampled by a polyphase
    filter, cut or ended in zeros, put in the encoder's order of leads with zeros where one is
    absent, normalised over what is present and given in its unit.

    Args:
        n_samples: of the recordings until `bind`.
        adapter: path of the YAML file.

    Raises:
        InputError: the file or the encoder cannot be opened, or it breaks the contract.
    """

    def __init__(self, n_samples: int, adapter: str) -> None:
        super().__init__(n_samples, adapter=adapter)
        self.adapter = read_adapter(Path(adapter))
        self.source_hz = self.adapter.sampling_rate_hz
        self.runner = open_runner(self.adapter)
        self._n_features = self._check_contract()

    def bind(self, ecg_input: EcgInput) -> None:
        """Take recordings of another rate and length.

        Raises:
            InputError: single beats, or amplitudes that are not in mV, which no encoder takes.
        """
        if ecg_input.segment != "record":
            raise InputError(
                f"{self.adapter.title} takes whole recordings, the store holds "
                f"{ecg_input.segment}; prepare one without --signal.segment"
            )
        if ecg_input.unit not in (None, "mV") and self.adapter.normalisation == "none":
            raise InputError(
                f"{self.adapter.title} takes {self.adapter.unit}, the store is in arbitrary units"
            )
        if ecg_input.normalisation != "millivolt" and ecg_input.unit != "NU":
            raise InputError(
                f"{self.adapter.title} normalises by itself; leave out --normalisation "
                f"{ecg_input.normalisation}"
            )
        self.source_hz, self.n_samples = ecg_input.sampling_rate_hz, ecg_input.n_samples

    def feature_dim(self, leads: Sequence[str]) -> int:
        """Return F.

        Raises:
            InputError: leads that it does not take.
        """
        self._check_leads(leads)
        return self._n_features

    def encode(self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None) -> Tensor:
        """Return the features (B, F); arguments as in `EcgNetwork.encode`, amplitudes in mV.

        Raises:
            InputError: as there, or the encoder returns something else than finite features.
        """
        self._check_leads(leads)
        ecg, present = self._checked(ecg, leads, present)
        ready, there = self._placed(self._cut(self._resampled(ecg)), leads, present)
        return self._run(self._normalised(ready, there), there)

    def _resampled(self, ecg: Tensor) -> Tensor:
        ratio = Fraction(self.adapter.sampling_rate_hz / self.source_hz).limit_denominator(
            LARGEST_FACTOR
        )
        if ratio == 1:
            return ecg
        from scipy.signal import resample_poly  # 0.3 s that other networks do not need

        found = resample_poly(ecg.cpu().numpy(), ratio.numerator, ratio.denominator, axis=-1)
        return torch.from_numpy(np.asarray(found, np.float32)).to(ecg.device)

    def _cut(self, ecg: Tensor) -> Tensor:
        wanted, given = self.adapter.n_samples, ecg.shape[-1]
        if given <= wanted:
            return torch.nn.functional.pad(ecg, (0, wanted - given))
        start = (given - wanted) // 2 if self.adapter.crop == "centre" else 0
        return ecg[..., start : start + wanted]

    def _placed(self, ecg: Tensor, leads: Sequence[str], present: Tensor) -> tuple[Tensor, Tensor]:
        """Return recordings and present leads in the encoder's order of leads."""
        places = [self.adapter.leads.index(lead) for lead in leads if lead in self.adapter.leads]
        given = [place for place, lead in enumerate(leads) if lead in self.adapter.leads]
        ready = ecg.new_zeros(len(ecg), len(self.adapter.leads), ecg.shape[-1])
        there = present.new_zeros(len(ecg), len(self.adapter.leads))
        ready[:, places], there[:, places] = ecg[:, given], present[:, given]
        return ready, there

    def _normalised(self, ecg: Tensor, present: Tensor) -> Tensor:
        mask = present.unsqueeze(-1)
        if self.adapter.normalisation == "none":
            return torch.where(mask, ecg * UNITS_PER_MV[self.adapter.unit], 0.0)
        axes = (1, 2) if self.adapter.normalisation == "recording" else (2,)
        counted = mask.expand_as(ecg).to(ecg.dtype)
        total = counted.sum(axes, keepdim=True).clamp_min(1.0)
        mean = (ecg * counted).sum(axes, keepdim=True) / total
        variance = ((ecg - mean).square() * counted).sum(axes, keepdim=True) / total
        return torch.where(mask, (ecg - mean) / variance.sqrt().clamp_min(SMALLEST_SD), 0.0)

    def _run(self, ecg: Tensor, present: Tensor) -> Tensor:
        try:
            found = self.runner(ecg, present)
        except InputError:
            raise
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            raise InputError(
                f"{self.adapter.title} cannot encode {tuple(ecg.shape)}: {reason}"
            ) from error
        if found.ndim != 2 or len(found) != len(ecg) or not bool(found.isfinite().all()):
            raise InputError(
                f"{self.adapter.title} must return finite features ({len(ecg)}, F), got "
                f"{tuple(found.shape)}"
                f"{'' if bool(found.isfinite().all()) else ' with values that are not finite'}"
            )
        features: Tensor = found.float()
        return features

    def _check_leads(self, leads: Sequence[str]) -> None:
        lacking = [lead for lead in self.adapter.leads if lead not in leads]
        known = [lead for lead in leads if lead in self.adapter.leads]
        if not known or (lacking and self.adapter.fewer_leads == "refuse"):
            raise InputError(
                f"{self.adapter.title} takes the leads {', '.join(self.adapter.leads)}, got "
                f"{', '.join(leads)}; its file may state `fewer_leads: zeros`"
            )

    @torch.inference_mode()
    def _check_contract(self) -> int:
        """Return F of two random recordings, which must not depend on one another."""
        generator = torch.Generator().manual_seed(0)
        shape = 2, len(self.adapter.leads), self.adapter.n_samples
        ecg = torch.randn(shape, generator=generator)
        there = torch.ones(shape[:2], dtype=torch.bool)
        both, alone = self._run(ecg, there), self._run(ecg[:1], there[:1])
        if not torch.allclose(both[:1], alone, rtol=1e-3, atol=1e-4):
            raise InputError(
                f"{self.adapter.title} gives a recording other features beside another one; it "
                "must be in its mode for use (eval), not for training"
            )
        return int(both.shape[1])
