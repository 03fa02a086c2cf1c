"""No Docker engine is needed: what the files copy and install is compared with the project."""

import re

import yaml

from tests.conftest import ROOT

DOCKERFILE = (ROOT / "docker/Dockerfile").read_text()


def test_everything_that_the_image_copies_exists() -> None:
    copied = [
        name for line in re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.M) for name in line.split()
    ]
    assert copied
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_image_has_the_torch_of_the_constraints() -> None:
    pinned = re.search(r"^torch==(\S+)$", (ROOT / "constraints.txt").read_text(), re.M)
    assert pinned
    assert f"torch=={pinned[1]}+cpu" in DOCKERFILE


def test_compose_builds_the_dockerfile() -> None:
    build = yaml.safe_load((ROOT / "docker/compose.yaml").read_text())["services"]["lsemvae"][
        "build"
    ]
    assert (ROOT / "docker" / build["context"] / build["dockerfile"]).is_file()
