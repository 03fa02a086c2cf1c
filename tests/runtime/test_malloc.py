import subprocess
import sys

import pytest

# Frees and asks again for 64 MB ten times, and prints the page faults of the last nine.
CODE = """
import resource, sys
import numpy as np
from lsemvae.runtime.malloc import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
np.ones(8_000_000)
before = faults()
for _ in range(9):
    np.ones(8_000_000)
print(faults() - before)
"""


def page_faults(how: str) -> int:
    found = subprocess.run(
        [sys.executable, "-c", CODE, how], capture_output=True, text=True, check=True
    )
    return int(found.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="mallopt belongs to glibc, on Linux")
def test_freed_memory_is_used_again_without_page_faults() -> None:
    assert page_faults("keep") < 0.1 * page_faults("default")
