"""Read one recording of any known kind: the only door through which foreign bytes enter."""

from pathlib import Path

from data_modules.recording import Recording
from data_modules.signal_settings import Amplitude
from data_modules.wfdb_reader import read_wfdb


def read_recording(root: Path, record: str, *, amplitude: Amplitude) -> Recording:
    return read_wfdb(root, record, amplitude=amplitude)
