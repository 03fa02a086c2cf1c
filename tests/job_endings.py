"""A job that ends as its text says, in a module without torch: workers import it."""

from lsemvae.core.errors import InputError


def end(text: str) -> None:
    print(text)
    if text == "fails":
        raise InputError("what is wrong")
    if text == "exits":
        raise SystemExit(2)
    if text == "stops":
        raise SystemExit(143)
    if text == "breaks":
        raise ZeroDivisionError("by zero")
