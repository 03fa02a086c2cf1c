"""Let in only what this machine's own page asks for, and let nothing out of the browser."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lsemvae.serving.limits import Limits, Refusal
from lsemvae.serving.problem import problem_response

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # not no-referrer: browsers would then send `Origin: null` with the page's own forms
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",  # a browser's cache is a disk
}
SAFE_METHODS = ("GET", "HEAD")
LONGEST_PATH = 200  # signs; this page's own are short, and a number of 5000 digits cannot be read


class Guard:
    """Check host, origin and length of a request before it is read; see `HEADERS`.

    A page of another site could ask for `127.0.0.1` under a name of its own (DNS rebinding): its
    `Host` differs. It could send a form here (cross-site request forgery): its `Origin` differs.

    Args:
        app: what is guarded.
        port: that the page is served on.
        limits: of an upload.
    """

    def __init__(self, app: ASGIApp, port: int, limits: Limits) -> None:
        self.app, self.limits = app, limits
        suffix = "" if port == 80 else f":{port}"
        self.hosts = tuple(f"{name}{suffix}" for name in ("127.0.0.1", "localhost"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            self._check(scope["method"], scope["path"], Headers(scope=scope))
        except Refusal as refusal:
            await problem_response(refusal, Headers(scope=scope))(scope, receive, guarded)
            return
        await self.app(scope, receive, guarded)

    def _check(self, method: str, path: str, headers: Headers) -> None:
        host = headers.get("host", "").lower()
        if host not in self.hosts:
            raise Refusal(
                421, f"This page answers to http://{self.hosts[0]}/ only. Open it under that name."
            )
        if len(path) > LONGEST_PATH:
            raise Refusal(414, "There is no page of so long a name. Go back to the worklist.")
        if method in SAFE_METHODS:
            return
        if headers.get("origin", "").lower() != f"http://{host}":
            raise Refusal(
                403,
                "The request came from another page, so it was refused. Open "
                f"http://{host}/ and send the files from there.",
            )
        length = headers.get("content-length", "0")
        self.limits.check_length(int(length) if length.isdecimal() else 0)
