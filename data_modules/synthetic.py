"""Load synthetic recordings for pre-training: written, prepared and loaded as real ones are."""

from dataclasses import replace
from pathlib import Path

from data_modules.conversion.prepare import prepare_mimic
from data_modules.mimic_ecg import MimicEcg
from data_modules.signals.clean import SignalSettings
from data_modules.simulation.files import write_mimic
from lsemvae.core.types import Normalisation


class SyntheticEcg(MimicEcg):
    """A synthetic pre-training set in MIMIC-IV-ECG's layout, made when it is first used.

    Args:
        root: folder of the WFDB files and of the store.
        n_patients: patients, one to three recordings each.
        sampling_rate_hz: of the store.
        leads: 12, 6 or names.
        normalisation: `millivolt`, `record` or `lead`.
        batch_size: recordings per batch.
        val_fraction: share of the patients kept for validation.
        seed: of the recordings and of the split.
    """

    def __init__(
        self,
        root: str = "data/synthetic",
        n_patients: int = 1000,
        *,
        sampling_rate_hz: float = 500.0,
        leads: int | str | list[str] = 12,
        normalisation: Normalisation = "record",
        batch_size: int = 128,
        val_fraction: float = 0.1,
        seed: int = 0,
    ) -> None:
        self.folder = Path(root) / f"{n_patients}_patients_seed_{seed}"
        self.n_patients = n_patients
        self.signal = replace(SignalSettings(), sampling_rate_hz=sampling_rate_hz)
        self.store_file = self.folder / f"{sampling_rate_hz:g}_hz.h5"
        super().__init__(
            str(self.store_file),
            leads=leads,
            normalisation=normalisation,
            batch_size=batch_size,
            val_fraction=val_fraction,
            seed=seed,
        )

    def check_files(self) -> None:
        """Nothing to check: what is missing is made by `prepare_data`."""

    def prepare_data(self) -> None:
        """Write the recordings and their store where they are missing."""
        if not (self.folder / "record_list.csv").is_file():
            write_mimic(self.folder, n_patients=self.n_patients, seed=self.seed)
        if not self.store_file.is_file():
            prepare_mimic(
                str(self.folder), str(self.store_file), signal=self.signal, label="synthetic ECGs"
            )
