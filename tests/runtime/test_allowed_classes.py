"""Every class that a configuration may name, found by walking the packages, not by a list."""

import inspect
import io
import pickle
import pkgutil
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
import torch
from jsonargparse._common import denying_import_path_entry
from lightning import Callback, LightningDataModule, LightningModule, Trainer
from lightning.fabric.plugins.environments import ClusterEnvironment
from lightning.pytorch import callbacks, loggers, plugins, profilers, strategies
from lightning.pytorch.loggers import Logger
from lightning.pytorch.plugins import CheckpointIO, LayerSync, Precision
from lightning.pytorch.plugins import environments as cluster_environments
from lightning.pytorch.plugins.io.wrapper import _WrappingCheckpointIO
from lightning.pytorch.profilers import Profiler
from lightning.pytorch.strategies import DDPStrategy, Strategy

import data_modules
import lsemvae
from lsemvae.callbacks import HashedCheckpointIO
from lsemvae.callbacks.checkpoint_io import load_safely
from lsemvae.core.errors import InputError
from lsemvae.models import EcgNetwork
from lsemvae.runtime.allowed_classes import PARTS, ROOMS, allowed_paths
from lsemvae.runtime.config_safety import secure_configurations
from lsemvae.runtime.own_classes import import_class

LIGHTNING = (callbacks, loggers, plugins, cluster_environments, profilers, strategies)
KINDS = (Callback, Logger, Precision, LayerSync, ClusterEnvironment, Profiler, Strategy)
OWN = (LightningModule, LightningDataModule, EcgNetwork, Callback, Logger, CheckpointIO)


def modules_below(package: ModuleType) -> list[ModuleType]:
    """Import every module of a package that can be imported here."""
    found = [package]
    for info in pkgutil.walk_packages(package.__path__, package.__name__ + ".", lambda _: None):
        if info.name.endswith("__main__"):
            continue
        try:
            found.append(import_module(info.name))
        except (ImportError, RuntimeError):  # asks for a package that is not installed
            continue
    return found


def classes_of(package: ModuleType) -> set[type]:
    """Return the classes that can be reached through a package, wherever they were defined."""
    return {
        one
        for module in modules_below(package)
        for one in vars(module).values()
        if inspect.isclass(one)
    }


def is_admitted(one: type) -> bool:
    """Tell whether a value may name a class: by where it was defined."""
    secure_configurations()
    return denying_import_path_entry(f"{one.__module__}.{one.__qualname__}") is None


@pytest.fixture(scope="module")
def admitted() -> set[type]:
    """Return every class of Lightning's packages and of ours that the list lets through."""
    packages = [*LIGHTNING, data_modules, lsemvae]
    return {one for package in packages for one in classes_of(package) if is_admitted(one)}


def test_lists_parts_that_there_are() -> None:
    for path in set(allowed_paths()) - set(ROOMS):
        module, _, name = path.rpartition(".")
        assert inspect.isclass(getattr(import_module(module), name)), path
    for package, modules in PARTS.items():
        for module, names in modules.items():
            assert all(
                getattr(import_module(f"{package}.{module}"), name).__module__
                == f"{package}.{module}"
                for name in names
            )


def test_parts_of_lightning_are_of_the_kinds_that_a_trainer_takes(admitted: set[type]) -> None:
    parts = {one for one in admitted if one.__module__.startswith("lightning.")}
    assert len(parts) >= 20
    assert [one for one in parts if not issubclass(one, KINDS)] == []


def test_no_part_of_lightning_reads_checkpoints_by_itself(admitted: set[type]) -> None:
    assert {one for one in admitted if issubclass(one, CheckpointIO)} == {HashedCheckpointIO}
    readers = [one for one in admitted if issubclass(one, Strategy)]
    assert DDPStrategy in readers
    assert [one for one in readers if one.load_checkpoint is not Strategy.load_checkpoint] == []


def test_no_part_of_lightning_holds_a_word_that_runs_code(admitted: set[type]) -> None:
    parts = [one for one in admitted if one.__module__.startswith("lightning.")]
    words = (
        "torch.load",
        "pickle.load",
        "eval(",
        "exec(",
        "urlopen",
        "os.system",
        "cloud_io._load",
    )
    assert [(one, word) for one in parts for word in words if word in inspect.getsource(one)] == []


def test_own_classes_that_can_be_named_take_no_function(admitted: set[type]) -> None:
    own = [one for one in admitted if issubclass(one, OWN) and one.__module__.split(".")[0] in
           ("lsemvae", "data_modules")]  # fmt: skip
    assert len(own) >= 15
    for one in own:
        for parameter in inspect.signature(one).parameters.values():
            assert "Callable" not in str(parameter.annotation), (one, parameter)


def test_a_class_of_others_is_not_imported_through_a_module_of_ours() -> None:
    """What a module imports has its name there: pathlib.Path, io.FileIO, torch's DataLoader."""
    for package in (data_modules, lsemvae):
        modules_below(package)
    rooms = tuple(f"{room}." for room in ROOMS)
    named = [
        f"{module}.{name}"
        for module, one in list(sys.modules.items())
        if f"{module}.".startswith(rooms)
        for name, found in vars(one).items()
        if inspect.isclass(found)
        and not f"{found.__module__}.{found.__qualname__}.".startswith(rooms)
    ]
    assert len(named) > 100
    for path in named:
        with pytest.raises(InputError, match="which is not of that package"):
            import_class(path)


class _Touch:
    """Runs code where it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.target,))


def all_strategies() -> list[type[Strategy]]:
    """Return every strategy class that Lightning has here, admitted or not."""
    return sorted(
        (
            one
            for one in classes_of(strategies)
            if issubclass(one, Strategy) and not inspect.isabstract(one)
        ),
        key=lambda one: one.__name__,
    )


@pytest.mark.parametrize("strategy", all_strategies(), ids=lambda one: one.__name__)
def test_no_strategy_unpickles(strategy: type[Strategy], tmp_path: Path) -> None:
    """Whatever strategy a Trainer holds, admitted or not, it is refused or reads weights only."""
    target, file = tmp_path / "hacked", tmp_path / "foreign.ckpt"
    torch.save({"state_dict": {}, "hacked": _Touch(target)}, file)
    made = object.__new__(strategy)
    made._checkpoint_io = plugins.TorchCheckpointIO()

    def load() -> None:
        load_safely(made)
        made.load_checkpoint(file, weights_only=False)

    with pytest.raises(InputError, match=r"past the checks|could be code"):
        load()
    assert not target.exists()


def all_checkpoint_ios() -> list[type[CheckpointIO]]:
    """Return every checkpoint IO that Lightning has here."""
    return sorted(
        (
            one
            for one in classes_of(plugins)
            if issubclass(one, CheckpointIO) and not inspect.isabstract(one)
        ),
        key=lambda one: one.__name__,
    )


@pytest.mark.parametrize("kind", all_checkpoint_ios(), ids=lambda one: one.__name__)
def test_no_checkpoint_io_of_lightning_is_used(kind: type[CheckpointIO]) -> None:
    trainer = Trainer(logger=False, enable_checkpointing=False, accelerator="cpu")
    given = trainer.strategy._checkpoint_io = object.__new__(kind)
    if isinstance(given, _WrappingCheckpointIO):
        given._checkpoint_io = plugins.TorchCheckpointIO()
    if kind is plugins.TorchCheckpointIO:
        load_safely(trainer.strategy)
        assert type(trainer.strategy.checkpoint_io) is HashedCheckpointIO
    else:
        with pytest.raises(InputError, match=f"names {kind.__name__}"):
            load_safely(trainer.strategy)


def test_foreign_pickle_would_run_code_without_the_checks(tmp_path: Path) -> None:
    """The file of the tests above does what they say it does."""
    content = pickle.dumps(_Touch(tmp_path / "hacked"))
    pickle.load(io.BytesIO(content))
    assert (tmp_path / "hacked").exists()
