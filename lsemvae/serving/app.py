"""Take the requests of the page and answer them."""

import asyncio
import logging
from pathlib import Path

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from lsemvae.core.errors import InputError
from lsemvae.predicting.predictor import Predictor
from lsemvae.predicting.run import Options
from lsemvae.serving.drawing import SVG_POLICY, draw_entry
from lsemvae.serving.guard import Guard
from lsemvae.serving.limits import Limits, Refusal
from lsemvae.serving.problem import problem_response, wants_page
from lsemvae.serving.recordings import Entry, Reader
from lsemvae.serving.spreadsheet import worklist_csv
from lsemvae.serving.uploads import receive
from lsemvae.serving.views import Views
from lsemvae.serving.worklists import Worklist, Worklists

UPLOADS_AT_ONCE = 4
STATIC = Path(__file__).parent / "static"
DEFAULT_LIMITS = Limits()
HANDLED = (Refusal, HTTPException, ClientDisconnect, Exception)


class Page:
    """The page of one model.

    Args:
        predictor: the model; one request computes with it at a time.
        options: of the user.
        port: that it is served on; part of the cookie's name, as cookies know no ports.
        limits: on what is kept in memory.
        worklists: of all sessions.
    """

    def __init__(
        self, predictor: Predictor, options: Options, *, port: int, limits: Limits,
        worklists: Worklists,
    ) -> None:  # fmt: skip
        self._reader, self._limits, self._lists = Reader(predictor, options), limits, worklists
        self._views = Views(predictor, limits)
        self._cookie = f"lsemvae_{port}"
        self._computing, self._taking_in = CapacityLimiter(1), asyncio.Semaphore(UPLOADS_AT_ONCE)

    async def worklist(self, request: Request) -> Response:
        """Show the worklist and the form."""
        found = self._list_of(request)
        order = request.query_params.get("order", "number")
        ended = found is None and self._cookie in request.cookies
        response = HTMLResponse(self._views.worklist(found, order, ended=ended))
        if ended:
            response.delete_cookie(self._cookie)
        return response

    async def add(self, request: Request) -> Response:
        """Read the files of a form and add them to the worklist."""
        async with self._taking_in:
            uploads = await receive(request, self._limits)
            secret = request.cookies.get(self._cookie)
            entries = await to_thread.run_sync(
                self._reader.read,
                uploads,
                lambda n: self._lists.check_room(secret, n),
                limiter=self._computing,
            )
            owner = self._lists.add(secret, entries)
        response: Response = RedirectResponse("/", 303)
        if not wants_page(request.headers):
            response = PlainTextResponse(f"{len(entries)} added")
        if owner != secret:
            response.set_cookie(self._cookie, owner, httponly=True, samesite="strict")
        return response

    async def recording(self, request: Request) -> Response:
        """Show one recording."""
        worklist, number = self._found(request)
        text = await to_thread.run_sync(
            self._views.recording, worklist.entries, number, limiter=self._computing
        )
        return HTMLResponse(text)

    async def picture(self, request: Request) -> Response:
        """Draw one recording on ECG paper."""
        worklist, number = self._found(request)
        drawn = await to_thread.run_sync(
            draw_entry, worklist.entries[number - 1], self._views.model, limiter=self._computing
        )
        if drawn is None:
            raise Refusal(404, "This recording could not be read, so there is no picture of it.")
        headers = {"Content-Security-Policy": SVG_POLICY}
        return Response(drawn, media_type="image/svg+xml", headers=headers)

    async def csv(self, request: Request) -> Response:
        """Send the worklist as CSV, columns as of `lsemvae predict`."""
        worklist = self._list_of(request)
        entries: list[Entry] = worklist.entries if worklist else []
        headers = {"Content-Disposition": 'attachment; filename="worklist.csv"'}
        return Response(worklist_csv(entries), media_type="text/csv", headers=headers)

    async def clear(self, request: Request) -> Response:
        """Forget the worklist."""
        self._lists.end(request.cookies.get(self._cookie))
        response = RedirectResponse("/", 303)
        response.delete_cookie(self._cookie)
        return response

    async def about(self, _: Request) -> Response:
        """Show what the model says about itself."""
        return HTMLResponse(self._views.about())

    def _list_of(self, request: Request) -> Worklist | None:
        return self._lists.find(request.cookies.get(self._cookie))

    def _found(self, request: Request) -> tuple[Worklist, int]:
        """Return the worklist and the number of the recording that a path names.

        Raises:
            Refusal: the list has ended or has no such row.
        """
        worklist, number = self._list_of(request), request.path_params["number"]
        if worklist is None or not 1 <= number <= len(worklist.entries):
            raise Refusal(
                404,
                f"There is no recording {number} in this session's list. Go back to the worklist "
                "and send the file again if the list has ended.",
            )
        return worklist, number


async def _refused(request: Request, error: Exception) -> Response:
    if isinstance(error, Refusal):
        return problem_response(error, request.headers)
    if isinstance(error, ClientDisconnect):
        return Response(status_code=400)
    if isinstance(error, HTTPException):
        line = "There is no such page here. Go back to the worklist."
        return problem_response(Refusal(error.status_code, line), request.headers)
    if isinstance(error, InputError):
        line = f"Nothing was added, the list is as it was: {error}."
        return problem_response(Refusal(503, line), request.headers)
    line = (
        "The program failed in a way that was not foreseen; the list is as it was. Report it with "
        "the lines in the window where it was started."
    )
    return problem_response(Refusal(500, line), request.headers)


def build_app(
    predictor: Predictor, options: Options, *, port: int, limits: Limits = DEFAULT_LIMITS,
    worklists: Worklists | None = None,
) -> Starlette:  # fmt: skip
    """Return the application of a model's page.

    Args:
        predictor: the model.
        options: of the user.
        port: that it is served on.
        limits: on what is kept in memory.
        worklists: of all sessions; empty by default.
    """
    lists = Worklists(limits) if worklists is None else worklists
    shown = Page(predictor, options, port=port, limits=limits, worklists=lists)
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    return Starlette(
        routes=[
            Route("/", shown.worklist),
            Route("/recordings", shown.add, methods=["POST"]),
            Route("/recordings/{number:int}", shown.recording),
            Route("/recordings/{number:int}/ecg.svg", shown.picture),
            Route("/worklist.csv", shown.csv),
            Route("/clear", shown.clear, methods=["POST"]),
            Route("/model", shown.about),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(Guard, port=port, limits=limits)],
        exception_handlers=dict.fromkeys(
            (Refusal, HTTPException, ClientDisconnect, Exception), _refused
        ),
    )
