"""The hashes of packages are complete: names and versions are those of constraints.txt."""

import re

from benchmarks.pin_hashes import HASHES, WITHOUT, hashes_file, pinned
from tests.conftest import ROOT


def test_every_pinned_package_but_torch_has_a_hash() -> None:
    pins = pinned((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    text = (ROOT / HASHES).read_text(encoding="utf-8")
    assert pinned(text) == {name: one for name, one in pins.items() if name not in WITHOUT}
    digests = re.findall(r"--hash=sha256:([0-9a-f]{64})\n", text)
    assert len(set(digests)) == len(pins) - len(WITHOUT)
    assert "://" not in text


def test_a_report_of_pip_becomes_requirements() -> None:
    digest = "a" * 64
    report = {
        "install": [
            {
                "metadata": {"name": "Some_Package", "version": "1.2"},
                "download_info": {"archive_info": {"hashes": {"sha256": digest}}},
            }
        ]
    }
    text = hashes_file(report)
    assert text.endswith(f"some-package==1.2 \\\n    --hash=sha256:{digest}\n")
    assert pinned(text) == {"some-package": "1.2"}
