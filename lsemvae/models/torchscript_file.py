"""Look through a TorchScript file before torch runs what is in it: a graph can write files."""

import re
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import torch

from lsemvae.core.errors import InputError

ZIP_HEAD = b"PK\x03\x04"
MAX_CODE = 32 << 20  # bytes of code, unpacked; that of a large network has 1 MB
NAMESPACES = ("aten", "prim", "quantized")
TEXT_ARGUMENTS = frozenset((
    "UPLO", "a", "activation", "algorithm", "api_name", "approximate", "assert_msg", "attr", "b",
    "chars", "cls", "device_type", "driver", "el", "equation", "fillchar", "idx", "ind",
    "indexing", "input", "interpolation", "item", "key", "l", "message", "mode", "msg", "new",
    "norm", "old", "ord", "p", "pad_mode", "padding", "padding_side", "reduce", "rounding_mode",
    "s", "self", "separator", "side", "string", "substr", "t", "type", "values",
))  # fmt: skip
"""Arguments that are a choice or a text. An operator with another one, such as `filename` of
`aten::save` and `aten::from_file`, may reach a file: one that a new torch brings is refused."""
_TEXT = re.compile(r"str|(?:Optional|List)\[str\]")
_GAP = r"(?:\s|#[^\n]*\n|\\\n)*"
_AFTER_A_DOT = re.compile(rf"\.{_GAP}([A-Za-z_]\w*)")
_NAMESPACE = re.compile(rf"\bops{_GAP}\.{_GAP}([A-Za-z_]\w*)")
_CLASS = re.compile(rf"\btorch{_GAP}\.{_GAP}classes{_GAP}\.{_GAP}([A-Za-z_]\w*)")


def check_torchscript(path: Path) -> None:
    """Refuse a file whose code calls more than operators on tensors, texts and lists.

    Torch runs some of the code while it loads the file, so it is looked through before.

    Raises:
        InputError: names the file and what it calls, or why nobody can tell.
    """
    with path.open("rb") as stream:
        head = stream.read(len(ZIP_HEAD))
    if head != ZIP_HEAD:
        raise InputError(
            f"{path} cannot be opened as torchscript (it is no file of torch 1.4 or newer); save "
            "it again with torch.jit.save"
        )
    try:
        found = {word for text in _code(path) for word in _reached(text)}
    except (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError, EOFError) as error:
        reason = " ".join(str(error).split())[:100]
        raise InputError(
            f"{path} cannot be opened as torchscript ({reason}); copy it again, or save it again "
            "with torch.jit.save"
        ) from error
    if found:
        raise InputError(
            f"{path} calls {', '.join(sorted(found)[:5])}, which could read or write a file, or do "
            "more than compute; an adapter's TorchScript takes operators on tensors only. If you "
            "trust it, give it as a class (class_path)"
        )


def _code(path: Path) -> Iterator[str]:
    """Yield the texts of a file's code."""
    with zipfile.ZipFile(path) as packed:
        members = packed.infolist()
        names = [one.filename for one in members]
        if packed.comment or len(set(names)) < len(names):
            raise ValueError("its parts are not clear")
        code = [one for one in members if one.filename.endswith(".py")]
        if not code or any(name.endswith("model.json") for name in names):
            raise ValueError("it holds no code, or is of an old form")
        if sum(one.file_size for one in code) > MAX_CODE:
            raise ValueError("its code is too long")
        for one in code:
            yield packed.read(one).decode("utf-8", errors="replace")


def _reached(text: str) -> set[str]:
    """Name what a text calls beyond what is allowed."""
    found = set(_AFTER_A_DOT.findall(text)) & _operators_with_other_texts()
    found |= {f"ops.{name}" for name in _NAMESPACE.findall(text) if name not in NAMESPACES}
    return found | {f"torch.classes.{name}" for name in _CLASS.findall(text) if name != "quantized"}


@cache
def _operators_with_other_texts() -> frozenset[str]:
    """Return the names of operators that take a text which may be the name of a file."""
    schemas = torch._C._jit_get_all_schemas()
    return frozenset(
        schema.name.partition("::")[2]
        for schema in schemas
        if schema.name.partition("::")[0] in NAMESPACES
        and any(_TEXT.fullmatch(str(one.type)) and one.name not in TEXT_ARGUMENTS
                for one in schema.arguments)
    )  # fmt: skip
