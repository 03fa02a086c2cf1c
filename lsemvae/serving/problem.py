"""Say one line where there is nothing else to answer."""

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from lsemvae.core.printable import one_line
from lsemvae.serving.limits import Refusal
from lsemvae.serving.pages import page


def wants_page(headers: Headers) -> bool:
    """Tell a browser that shows the answer from the page's script, which wants a line."""
    return "text/html" in headers.get("accept", "")


def problem_response(refusal: Refusal, headers: Headers) -> Response:
    """Return the line as a page, or bare.

    Args:
        refusal: with the line.
        headers: of the request.
    """
    line = one_line(refusal.line)
    if not wants_page(headers):
        return PlainTextResponse(line, refusal.status)
    return HTMLResponse(page("problem", title="Refused", line=line), refusal.status)
