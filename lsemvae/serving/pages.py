"""Make pages of their templates."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from lsemvae.predicting.decimals import told_apart

NOTICE = "Research software, not a medical device"

_ENVIRONMENT = Environment(
    loader=PackageLoader("lsemvae.serving", "templates"),
    autoescape=True,  # by the name .html.j2 jinja2 would not know that it is HTML
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def sentence(text: str) -> str:
    """Return a text that begins with a capital; `capitalize` would make Hz hz."""
    return text[:1].upper() + text[1:]


_ENVIRONMENT.filters["sentence"] = sentence
_ENVIRONMENT.globals["told_apart"] = told_apart


def page(template: str, **values: Any) -> str:
    """Return a page; what comes from files is escaped.

    Args:
        template: name without its ending.
        values: that it names.
    """
    return _ENVIRONMENT.get_template(f"{template}.html.j2").render(notice=NOTICE, **values)
