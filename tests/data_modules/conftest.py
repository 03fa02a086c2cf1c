"""Write small WFDB recordings byte by byte, and find the public corpora where they are present."""

import itertools
import os
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from lsemvae.core.leads import LEADS, LIMB_FROM_I_AND_II

MIMIC_ORDER = ("I", "II", "III", "aVR", "aVF", "aVL", "V1", "V2", "V3", "V4", "V5", "V6")


def make_ecg_mv(n_samples: int = 5000, rate_hz: float = 500.0) -> npt.NDArray[np.float64]:
    """Return twelve different leads (12, T) in mV with a beat each second, Einthoven exact."""
    time = np.arange(n_samples) / rate_hz
    phase = time % 1.0
    qrs = np.exp(-0.5 * ((phase - 0.4) / 0.012) ** 2)
    wave = np.exp(-0.5 * ((phase - 0.65) / 0.04) ** 2)
    limb = LIMB_FROM_I_AND_II @ np.stack([0.6 * qrs + 0.1 * wave, 1.1 * qrs + 0.3 * wave])
    chest = [(k - 2.5) / 3 * qrs + 0.1 * (k + 1) * wave for k in range(6)]
    return np.concatenate([limb, np.stack(chest)])


@pytest.fixture
def ecg_mv() -> npt.NDArray[np.float64]:
    return make_ecg_mv()


WriteRecord = Callable[..., Path]


@pytest.fixture
def write_record(tmp_path: Path) -> WriteRecord:
    """Write a format-16 record; `header` and `data` take the finished text and bytes and may spoil
    them."""

    def write(
        name: str = "r1",
        ecg_mv: npt.NDArray[np.floating] | None = None,
        *,
        leads: Sequence[str] = LEADS,
        rate: float = 500,
        gain: str = "1000(0)/mV",
        comment: str = "",
        header: Callable[[str], str] = lambda text: text,
        data: Callable[[bytes], bytes] = lambda raw: raw,
    ) -> Path:
        signals = make_ecg_mv() if ecg_mv is None else np.asarray(ecg_mv, dtype=np.float64)
        counts = np.nan_to_num(np.rint(signals * 1000), nan=-32768).astype("<i2")
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"{path.name} {len(leads)} {rate:g} {counts.shape[1]}"]
        sums = counts.sum(axis=1, dtype=np.int64) % 65536
        lines += [
            f"{path.name}.dat 16 {gain} 16 0 {row[0]} {total} 0 {lead}"
            for lead, row, total in zip(leads, counts, sums, strict=True)
        ]
        text = "\n".join([*lines, f"# {comment}", ""])
        path.with_name(path.name + ".hea").write_text(header(text), encoding="utf-8")
        path.with_name(path.name + ".dat").write_bytes(data(counts.T.tobytes()))
        return tmp_path

    return write


@pytest.fixture(scope="session")
def corpora() -> Path:
    folder = os.environ.get("ECG_CORPORA")
    if not folder:
        pytest.skip("ECG_CORPORA is unset: no real recordings here")
    return Path(folder)


Unpack = Callable[..., Path]


@pytest.fixture(scope="session")
def unpack(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Unpack:
    """Unpack an archive of the corpora, or its first files, once per session."""
    unpacked: dict[tuple[str, int | None], Path] = {}

    def open_archive(name: str, first: int | None = None) -> Path:
        if (name, first) not in unpacked:
            folder = unpacked[name, first] = tmp_path_factory.mktemp("corpus")
            with tarfile.open(corpora / name) as archive:
                archive.extraction_filter = getattr(tarfile, "data_filter", None)  # 3.11.4 on
                for member in itertools.islice(archive, first):
                    archive.extract(member, folder)
        return unpacked[name, first]

    return open_archive
