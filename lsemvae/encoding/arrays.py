"""Encode arrays of recordings: prepared as a store prepares them, in batches, in bounded memory."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from data_modules.normalise import normalise
from data_modules.reading.limits import check_extent, check_rate
from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import Recording, choose_leads
from data_modules.reading.units import mv_per_unit
from data_modules.signals.clean import CleanEcg, clean_ecg
from data_modules.signals.gains import gain_warnings
from data_modules.signals.settings import SignalSettings
from data_modules.store.content import COUNTS_PER_UNIT
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.leads import lead_indices, parse_leads
from lsemvae.core.printable import say
from lsemvae.core.types import EcgBatch, EcgInput
from lsemvae.models import Pretrained, load_pretrained
from lsemvae.predicting.kept_findings import DOUBTFUL
from lsemvae.runtime.cpu_matmul import faster_float32_products

Features = npt.NDArray[np.float32]
Bad = Literal["raise", "nan"]
BATCH_SIZE = 64
MIN_DURATION_S = 5.0  # as `lsemvae prepare` asks for
ARBITRARY = "arbitrary"


def encode(
    ecg: npt.ArrayLike,
    sampling_rate_hz: float,
    leads: int | str | Sequence[str],
    *,
    encoder: str = "public",
    use: int | str | list[str] = 12,
    unit: str = "mV",
    bad: Bad = "raise",
    batch_size: int = BATCH_SIZE,
) -> Features:
    """Return the features of recordings by a frozen encoder, preparation included.

    Each recording is checked, filtered, resampled, cut and normalised as `lsemvae prepare` does it
    with the settings that the encoder was trained on, so that the features are those of a store.

    Args:
        ecg: (N, L, T), NaN where a sample is missing; an array, or a memory-mapped one, of which a
            batch is in memory at a time.
        sampling_rate_hz: of the recordings.
        leads: names of the L leads in their order, in any usual spelling; 12 or 6 for the usual
            order (I, II, III, aVR, aVL, aVF, V1 to V6).
        encoder: a checkpoint, or the name of an encoder that ships (`lsemvae encoders`).
        use: leads that the encoder may see: 12, 6 (the limb leads) or names.
        unit: mV, uV or V; `arbitrary` where amplitudes mean nothing.
        bad: `raise` names the first recording that cannot be used; `nan` gives it a row of NaN.
        batch_size: recordings in memory at a time.

    Returns:
        (N, F) float32.

    Raises:
        InputError: shape, leads, rate or unit are wrong, or a recording cannot be used.
    """
    chosen = ArrayEncoder(load_pretrained(encoder), sampling_rate_hz, leads, use=use, unit=unit)
    return chosen.encode(ecg, bad=bad, batch_size=batch_size)


class _Given(NamedTuple):
    """What an array's recordings are: rate, canonical leads, their channels, mV per unit, unit."""

    sampling_rate_hz: float
    leads: tuple[str, ...]
    channels: list[int]
    scale: float
    unit: str
    n_signals: int


class ArrayEncoder:
    """A frozen encoder for recordings of one rate, of the same leads.

    Args:
        pretrained: the encoder.
        sampling_rate_hz: see `encode`.
        leads: see `encode`.
        use: see `encode`.
        unit: see `encode`.

    Raises:
        InputError: see `encode`.
    """

    def __init__(
        self,
        pretrained: Pretrained,
        sampling_rate_hz: float,
        leads: int | str | Sequence[str],
        *,
        use: int | str | list[str] = 12,
        unit: str = "mV",
    ) -> None:
        self.pretrained, self.use = pretrained, parse_leads(use)
        self.settings = settings_of(pretrained.data.ecg_input)
        self._given = _given(sampling_rate_hz, leads, unit)
        trained = pretrained.data.ecg_input.unit
        if trained not in (None, self._given.unit):
            raise InputError(
                f"the encoder was trained on recordings in {trained}, got unit {unit!r}; "
                f"{'give unit=arbitrary' if trained == 'NU' else 'give recordings in mV'}"
            )
        self.n_features = pretrained.network.feature_dim(self.use)

    def encode(
        self, ecg: npt.ArrayLike, *, bad: Bad = "raise", batch_size: int = BATCH_SIZE
    ) -> Features:
        """Return the features (N, F) of recordings (N, L, T); arguments as in `encode`."""
        if bad not in ("raise", "nan") or batch_size < 1:
            raise InputError(
                f"bad must be raise or nan and batch_size >= 1, got {bad!r} and {batch_size}"
            )
        array, doubts = self._checked(ecg), dict[int, str]()
        features = np.full((len(array), self.n_features), np.nan, np.float32)
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        if device.type == "cpu":
            faster_float32_products()
        network = self.pretrained.network.to(device)
        with torch.inference_mode():
            for rows, batch in self._batches(array, bad, batch_size, doubts):
                moved = batch._replace(
                    ecg=batch.ecg.to(device), scale=batch.scale.to(device),
                    present=batch.present.to(device),
                )  # fmt: skip
                ready = normalise(moved, self.pretrained.data.ecg_input.normalisation)
                found = network.encode(ready.ecg, ready.leads, ready.present)
                features[rows] = found.float().cpu().numpy()
        _tell(doubts, len(array))
        return features

    def _checked(self, ecg: npt.ArrayLike) -> npt.NDArray[Any]:
        array = np.asanyarray(ecg)
        n_signals = self._given.n_signals
        if array.ndim != 3 or array.shape[1] != n_signals:
            raise InputError(
                f"expected recordings (N, {n_signals} leads, T samples), got {array.shape}; one "
                "recording is (1, L, T)"
            )
        if array.dtype.kind not in "fiu":
            raise InputError(f"expected numbers, got an array of {array.dtype}")
        try:
            check_extent(n_signals, array.shape[2], self._given.sampling_rate_hz, record="ecg")
        except RecordError as error:
            raise InputError(f"ecg: {error.problem}") from error
        return array

    def _batches(
        self, array: npt.NDArray[Any], bad: Bad, batch_size: int, doubts: dict[int, str]
    ) -> Iterator[tuple[npt.NDArray[np.int64], EcgBatch]]:
        """Yield the rows of usable recordings and their batch; note what is doubtful of a row."""
        places = lead_indices(self.use)
        for start in range(0, len(array), batch_size):
            rows, counts, present = [], [], []
            for row in range(start, min(start + batch_size, len(array))):
                try:
                    clean = clean_ecg(self._recording(array, row), self.settings)
                    self._require_leads(clean.present[places], row)
                    if text := self._doubt(clean):
                        doubts[row] = text
                except RecordError as error:
                    if bad == "raise":
                        raise InputError(
                            f"recording {row}: {error.problem}; leave it out, or give bad='nan'"
                        ) from error
                    continue
                rows.append(row)
                counts.append(clean.ecg[places])
                present.append(clean.present[places])
            if rows:
                yield np.asarray(rows), self._batch(np.stack(counts), np.stack(present))

    def _recording(self, array: npt.NDArray[Any], row: int) -> Recording:
        given = self._given
        ecg = np.asarray(array[row][given.channels], np.float32) * np.float32(given.scale)
        ecg[~np.isfinite(ecg)] = np.nan
        return Recording(str(row), ecg, given.leads, given.sampling_rate_hz, given.unit, ())

    def _doubt(self, clean: CleanEcg) -> str:
        """Say why leads or amplitudes are hardly those of a heart; empty where they may be."""
        gains = gain_warnings(
            clean, sampling_rate_hz=self.settings.sampling_rate_hz,
            calibrated=self._given.unit == "mV",
        )  # fmt: skip
        found = [text for code, text in clean.warnings if code in DOUBTFUL]
        return "; ".join([*found, *(text for _, text in gains)])

    def _require_leads(self, present: npt.NDArray[np.bool_], row: int) -> None:
        if not present.any():
            problem = f"none of the leads {', '.join(self.use)} is usable"
            raise RecordError("no_usable_lead", record=str(row), problem=problem)

    def _batch(self, counts: npt.NDArray[np.int16], present: npt.NDArray[np.bool_]) -> EcgBatch:
        nobody = np.full(len(counts), "", dtype=object)
        return EcgBatch(
            ecg=torch.from_numpy(counts),
            scale=torch.full((len(counts), 1), 1.0 / COUNTS_PER_UNIT),
            present=torch.from_numpy(present),
            leads=self.use,
            label=torch.empty(0),
            record=nobody,
            patient_id=nobody,
        )


def _tell(doubts: Mapping[int, str], n_records: int) -> None:
    if doubts:
        (row, text), of = next(iter(doubts.items())), f"of {n_records}"
        say(
            f"note: {counted(len(doubts), f'recording {of} is', f'recordings {of} are')} doubtful, "
            f"as recording {row}: {text}; compare names and order of the leads, and the unit, with "
            "the array"
        )


def settings_of(ecg_input: EcgInput) -> SignalSettings:
    """Return the settings that make recordings what an encoder was trained on.

    Raises:
        InputError: no settings of this version make recordings of that length.
    """
    record = ecg_input.segment == "record"
    duration_s = ecg_input.n_samples / ecg_input.sampling_rate_hz if record else 10.0
    settings = SignalSettings(
        sampling_rate_hz=ecg_input.sampling_rate_hz,
        duration_s=duration_s,
        low_hz=ecg_input.band_hz[0],
        high_hz=ecg_input.band_hz[1],
        powerline_hz=ecg_input.powerline_hz,
        min_duration_s=min(MIN_DURATION_S, duration_s),
        min_leads=1,
        segment="record" if record else "median_beat",
    )
    if settings.n_samples != ecg_input.n_samples:
        raise InputError(
            f"the encoder takes {ecg_input.n_samples} samples of a {ecg_input.segment} at "
            f"{ecg_input.sampling_rate_hz:g} Hz, this version makes {settings.n_samples}"
        )
    return settings


def _given(sampling_rate_hz: float, leads: int | str | Sequence[str], unit: str) -> _Given:
    """Check rate, leads and unit."""
    names = _names(leads)
    scale = 1.0 if unit == ARBITRARY else mv_per_unit(unit)
    if scale is None:
        raise InputError(f"unit must be mV, uV, V or {ARBITRARY}, got {unit!r}")
    try:
        rate = check_rate(float(sampling_rate_hz), record="ecg")
        chosen = choose_leads(names, [None] * len(names), amplitude="arbitrary", record="ecg")
    except RecordError as error:
        raise InputError(f"ecg: {error.problem}") from error
    if len(chosen.leads) < len(names):
        unknown = [name for place, name in enumerate(names) if place not in chosen.channels]
        raise InputError(f"unknown leads {', '.join(map(repr, unknown))}; leave their channels out")
    stored = "NU" if unit == ARBITRARY else "mV"
    return _Given(rate, chosen.leads, chosen.channels, scale, stored, len(names))


def _names(leads: int | str | Sequence[str]) -> tuple[str, ...]:
    """Return the names of the leads in their order; numbers stand for the usual order."""
    if isinstance(leads, int) or leads in ("12", "6"):
        return parse_leads(int(leads))
    if isinstance(leads, str):
        return tuple(name.strip() for name in leads.split(","))
    if not leads:
        raise InputError("leads is empty; name the leads of the array in their order")
    return tuple(leads)
