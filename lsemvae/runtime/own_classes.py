"""Import classes of the user's own: those that the environment or an installed package allows."""

import inspect
import os
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

from lsemvae.core.errors import InputError
from lsemvae.core.files import file_sha256
from lsemvae.runtime.allowed_classes import ROOMS

ALLOW_VARIABLE = "LSEMVAE_ALLOW_IMPORTS"
ENTRY_POINTS = "lsemvae.networks"
"""Group of entry points in which an installed package names its networks."""


def own_packages() -> list[str]:
    """Return the names in LSEMVAE_ALLOW_IMPORTS, joined by commas there."""
    return [name.strip() for name in os.environ.get(ALLOW_VARIABLE, "").split(",") if name.strip()]


@cache
def registered_classes() -> dict[str, str]:
    """Return the class paths that installed packages register, by name of the entry point."""
    return {
        point.name: f"{point.module}.{point.attr}" for point in entry_points(group=ENTRY_POINTS)
    }


def class_path(kind: type) -> str:
    """Return the path that `import_class` takes."""
    return f"{kind.__module__}.{kind.__qualname__}"


def source_sha256(kind: type) -> str | None:
    """Return the digest of the file that defines a class, None where there is none."""
    try:
        file = inspect.getsourcefile(kind)
    except TypeError:
        return None
    return _sha256(Path(file), Path(file).stat().st_mtime_ns) if file else None


@lru_cache(maxsize=32)
def _sha256(file: Path, _changed_ns: int) -> str:
    """Hash a file; a benchmark asks many times for the same one."""
    return file_sha256(file)


def import_class(path: str) -> type:
    """Import a class by its path, such as `my_net.TinyNet`.

    Raises:
        InputError: it is not allowed, or not there.
    """
    module, _, name = path.rpartition(".")
    if not all(part.isidentifier() for part in path.split(".")) or name == "py":
        raise InputError(
            f"{path} is no class path; write module.Class, such as my_net.TinyNet, and name the "
            "folder of the module in PYTHONPATH"
        )
    trusted = _lies_in(path, [*own_packages(), *registered_classes().values()])
    if not module or not (trusted or _lies_in(path, ROOMS)):
        raise InputError(
            f"{path} may not be imported: a class runs its code. For what you know and trust: "
            f"{ALLOW_VARIABLE}={path.partition('.')[0]} in the environment"
        )
    try:
        found = getattr(import_module(module), name, None)
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(
            f"{path} cannot be imported ({reason}); name the folder of the module "
            f"{path.partition('.')[0]} in PYTHONPATH, or mend the module"
        ) from error
    if not inspect.isclass(found):
        raise InputError(f"{path} is no class: the module {module} has no class {name!r}")
    if not trusted and not _lies_in(class_path(found), ROOMS):  # modules name others' classes
        raise InputError(
            f"{path} may not be imported: it is {class_path(found)}, which is not of that package"
        )
    return found


def _lies_in(path: str, packages: Iterable[str]) -> bool:
    return any(f"{path}.".startswith(f"{one}.") for one in packages)
