"""Name how the units of a file may be taken; light to import, as the command line describes it."""

from typing import Literal

Amplitude = Literal["calibrated", "default_mv", "arbitrary"]
"""Whether the units in the files are true, see `data_modules.reading.recording.choose_leads`."""
