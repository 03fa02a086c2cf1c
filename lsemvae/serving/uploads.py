"""Take in the files of an upload without a disk, counting what arrives."""

import asyncio
from collections.abc import AsyncGenerator
from typing import NamedTuple

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from lsemvae.serving.limits import Limits, Refusal

FIELD = "files"
NOT_A_FORM = "The request is no form with files. Open the page in a browser and choose files there."


class Upload(NamedTuple):
    """A file as a browser sent it."""

    name: str
    content: bytes


class _InMemory(MultiPartParser):
    """A parser that never moves a file to the disk."""

    def __init__(self, request: Request, limits: Limits) -> None:
        self.spool_max_size = limits.request_bytes + 1
        stream = _counted(request, limits)
        super().__init__(request.headers, stream, max_files=limits.request_files, max_fields=10)


async def receive(request: Request, limits: Limits) -> list[Upload]:
    """Return the files of a form.

    Raises:
        Refusal: too large, too many, too slow, or no form with files.
    """
    kind = request.headers.get("content-type", "").lower()
    # no browser states a charset, and some of them cannot read every file name
    if not kind.startswith("multipart/form-data;") or "charset" in kind:
        raise Refusal(400, NOT_A_FORM)
    try:
        async with asyncio.timeout(limits.request_s):
            form = await _InMemory(request, limits).parse()
    except TimeoutError as error:
        line = f"The upload did not arrive within {limits.request_s:g} s. Send it again."
        raise Refusal(408, line) from error
    except MultiPartException as error:
        if error.message.startswith("Too many files"):
            line = (
                f"More than {limits.request_files} files came at once, so none was read. Send "
                "fewer at a time."
            )
            raise Refusal(413, line) from error
        raise Refusal(400, NOT_A_FORM) from error
    files = [one for one in form.getlist(FIELD) if isinstance(one, UploadFile) and one.filename]
    if not files:
        raise Refusal(400, "No file was chosen. Choose one or more recordings, then send them.")
    return [Upload(_base_name(one.filename or ""), await one.read()) for one in files]


async def _counted(request: Request, limits: Limits) -> AsyncGenerator[bytes, None]:
    """Yield the body in pieces; its stated length may be missing or wrong."""
    arrived = 0
    async for piece in request.stream():
        arrived += len(piece)
        limits.check_length(arrived)
        yield piece


def _base_name(name: str) -> str:
    """Return the last part of a path, as some browsers send the whole."""
    return name.replace("\\", "/").rpartition("/")[2]
